//! The Jupyter kernel: the wire protocol on one side, a session on the other. It compiles no cell.
//!
//! A task for each socket ([`shell`], [`control`], [`iopub`], [`input`] for stdin, and the heartbeat
//! here), one for the [`queue`] of cells, and the thread of the [`engine`], which owns the session.
//! All but the engine answer at once, so that a client never waits in vain while a cell is compiled
//! or runs; what the engine gives reaches clients through the queue (replies) and `iopub` (outputs).

mod cell;
mod comms;
mod control;
mod cursor;
mod engine;
mod history;
mod input;
mod iopub;
mod lifetime;
mod live;
mod media;
mod pager;
mod progress;
mod queue;
mod reply;
mod shell;
mod stock;
mod wire;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use jupyter_protocol::{ConnectionInfo, JupyterMessageContent, ReplyStatus, ShutdownReply, Status};
use jupyter_zmq_client::{
    KernelControlConnection, KernelHeartbeatConnection, KernelIoPubXPubConnection,
    KernelShellConnection, KernelStdinConnection, create_kernel_control_connection,
    create_kernel_heartbeat_connection, create_kernel_iopub_xpub_connection,
    create_kernel_shell_connection, create_kernel_stdin_connection,
};
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::sleep;
use zeromq::{SocketRecv, SocketSend};

use crate::session;
use control::{Control, Interrupter};
use engine::Engine;
use history::History;
use lifetime::{Ending, Request};
use queue::{Queue, Tools};
use shell::{Answers, Shell};

pub use stock::{serve as serve_stock, start as start_stock};

/// How long a session may take to end. Jupyter ends us by force after twice that.
const END: Duration = Duration::from_secs(2);
/// How long the last messages may take to leave, since nobody tells when they have.
const LINGER: Duration = Duration::from_millis(200);

/// Serves the connection that Jupyter describes in a file until it is told to end.
pub fn serve(file: &Path) -> Result<()> {
    let connection = read(file)?;
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(live(&connection))?;
    // Some threads may still be at work for nobody.
    std::process::exit(0)
}

fn read(file: &Path) -> Result<ConnectionInfo> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the connection file {}", file.display()))?;
    let connection: ConnectionInfo = serde_json::from_str(&text).with_context(|| {
        format!("{} does not describe a connection as Jupyter does", file.display())
    })?;
    ensure!(
        connection.key.is_empty() || connection.signature_scheme == "hmac-sha256",
        "messages are signed by hmac-sha256 here, not by {}; change it in Jupyter's settings",
        connection.signature_scheme
    );
    Ok(connection)
}

async fn live(connection: &ConnectionInfo) -> Result<()> {
    let Sockets { heartbeat, shell, control, stdin, iopub } = Sockets::open(connection)
        .await
        .context("the sockets of the connection file cannot be opened")?;
    let engine = Arc::new(Engine::start(env::current_dir()?)?);
    let interrupter =
        Interrupter { count: Arc::new(watch::Sender::new(0)), engine: engine.clone() };
    let publisher = iopub::start(iopub);
    let input = input::start(stdin, interrupter.count.subscribe());
    let cache = session::cache_folder()?;
    let history = Arc::new(Mutex::new(History::open(&cache.join("history.jsonl"))));
    let (ending, mut requests) = Ending::new();
    let (shell, shell_requests) = shell.split();
    let (control, control_requests) = control.split();
    let answers = Answers::on(shell);
    let queue = Queue::start(Tools {
        publisher: publisher.clone(),
        engine: engine.clone(),
        input,
        history: history.clone(),
        answers: answers.clone(),
        interrupts: interrupter.count.subscribe(),
    });
    let shell = Shell {
        publisher: publisher.clone(),
        engine: engine.clone(),
        queue: queue.clone(),
        history,
        answers,
        ending: ending.clone(),
    };
    let control = Control {
        publisher: publisher.clone(),
        queue,
        interrupter: interrupter.clone(),
        answers: Answers::on(control),
        ending,
    };
    tokio::spawn(beat(heartbeat));
    tokio::spawn(shell.serve(shell_requests));
    tokio::spawn(control.serve(control_requests));
    tokio::spawn(lifetime::take_signals_as_interrupts(interrupter.clone()));

    let request = lifetime::end(&mut requests).await;
    interrupter.count.send_modify(|count| *count += 1);
    if !engine.end(END).await {
        session::stop_everything();
        session::abandon(&cache.join("sessions"));
    }
    if let Some(request) = request {
        say_goodbye(request, &publisher).await;
    }
    publisher.flush().await;
    sleep(LINGER).await;
    Ok(())
}

/// Where the kernel listens.
struct Sockets {
    heartbeat: KernelHeartbeatConnection,
    shell: KernelShellConnection,
    control: KernelControlConnection,
    stdin: KernelStdinConnection,
    iopub: KernelIoPubXPubConnection,
}

impl Sockets {
    async fn open(connection: &ConnectionInfo) -> jupyter_zmq_client::Result<Self> {
        // Every message of ours names this, whatever client it is for.
        let name = format!("erm-{}", std::process::id());
        Ok(Self {
            heartbeat: create_kernel_heartbeat_connection(connection).await?,
            shell: create_kernel_shell_connection(connection, &name).await?,
            control: create_kernel_control_connection(connection, &name).await?,
            stdin: create_kernel_stdin_connection(connection, &name).await?,
            iopub: create_kernel_iopub_xpub_connection(connection, &name).await?,
        })
    }
}

/// Gives back whatever it is sent.
async fn beat(mut heartbeat: KernelHeartbeatConnection) {
    loop {
        let beaten = async {
            let beat = heartbeat.socket.recv().await?;
            heartbeat.socket.send(beat).await
        };
        if beaten.await.is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Tells the client that asked for it, and all others, that nothing is left of the session.
async fn say_goodbye(Request { message, answers }: Request, publisher: &iopub::Publisher) {
    let JupyterMessageContent::ShutdownRequest(request) = &message.content else { return };
    let reply = ShutdownReply { restart: request.restart, status: ReplyStatus::Ok, error: None };
    answers.send(reply.clone(), &message).await;
    publisher.send(reply, &message);
    publisher.send(Status::idle(), &message);
}
