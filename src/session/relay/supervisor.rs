//! The process that evcxr starts: it keeps a cell process, and carries lines between the two.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio, exit};
use std::time::{Duration, Instant};
use std::{env, io};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, kill_process, kill_process_group, setrlimit,
};
use signal_hook::consts::{SIGCHLD, SIGKILL};
use signal_hook::low_level::{emulate_default_handler, pipe};

use super::translator::Translator;
use super::{CELL, LISTENING};

/// Text waits so long for more, so that many small pieces travel as one.
const PAUSE: Duration = Duration::from_millis(15);

/// Starts the cell process and serves it until it or evcxr has ended.
pub fn supervise() -> ! {
    let ended = Supervisor::start().and_then(Supervisor::serve);
    let error = match ended {
        Ok(never) => match never {},
        Err(error) => error,
    };
    eprintln!("the process in which cells run cannot be served: {error}");
    exit(1)
}

enum Never {}

struct Supervisor {
    cell: Child,
    to_cell: ChildStdin,
    stdout: Stream,
    stderr: Stream,
    /// Can be read when the cell process has ended.
    ended: UnixStream,
    evcxr: Stream,
    /// The start of a line from evcxr.
    command: Vec<u8>,
    translator: Translator,
    /// The file that exists while somebody listens.
    listening: Option<PathBuf>,
    /// When waiting text is to be handed on.
    due: Option<Instant>,
}

impl Supervisor {
    fn start() -> io::Result<Supervisor> {
        let (ended, write_end) = UnixStream::pair()?;
        ended.set_nonblocking(true)?;
        pipe::register(SIGCHLD, write_end)?;
        let mut cell = Command::new(env::current_exe()?)
            .args(env::args_os().skip(1))
            .env(CELL.0, CELL.1)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the cell process has no streams");
        Ok(Supervisor {
            to_cell: cell.stdin.take().ok_or_else(missing)?,
            stdout: Stream::new(cell.stdout.take().ok_or_else(missing)?.into())?,
            stderr: Stream::new(cell.stderr.take().ok_or_else(missing)?.into())?,
            cell,
            ended,
            evcxr: Stream::new(io::stdin().as_fd().try_clone_to_owned()?)?,
            command: Vec::new(),
            translator: Translator::default(),
            listening: env::var_os(LISTENING).map(PathBuf::from),
            due: None,
        })
    }

    fn serve(mut self) -> io::Result<Never> {
        loop {
            let [stdout, stderr, evcxr, ended] = self.wait()?;
            if stdout {
                self.hear_stdout();
            }
            if stderr {
                self.translator.stderr(&self.stderr.read());
            }
            if evcxr {
                self.obey();
            }
            if ended {
                self.see_whether_it_lives()?;
            }
            self.hand_on();
        }
    }

    /// Waits until one of the four has something to say.
    fn wait(&self) -> io::Result<[bool; 4]> {
        let left = self.due.map(|due| due.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let files = [self.stdout.open(), self.stderr.open(), self.evcxr.open()];
        let mut polled: Vec<_> = files.iter().flatten().map(|file| readable(*file)).collect();
        polled.push(readable(&self.ended));
        match poll(&mut polled, left.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = polled.iter().map(|file| !file.revents().is_empty());
        let mut next = |is_open: bool| is_open && ready.next().unwrap_or_default();
        let [stdout, stderr, evcxr] = files.each_ref().map(Option::is_some).map(&mut next);
        Ok([stdout, stderr, evcxr, next(true)])
    }

    fn hear_stdout(&mut self) {
        let Supervisor { translator, stdout, stderr, .. } = self;
        translator.stdout(&stdout.read(), &mut || stderr.read_all());
    }

    /// Carries evcxr's lines to the cell process. When evcxr is gone, so is the cell process.
    fn obey(&mut self) {
        self.command.extend(self.evcxr.read());
        if self.evcxr.open().is_none() {
            end_group(&self.cell);
            exit(0);
        }
        while let Some(end) = self.command.iter().position(|byte| *byte == b'\n') {
            let line: Vec<_> = self.command.drain(..=end).collect();
            let is_heard = self.listening.as_ref().is_none_or(|file| file.exists());
            let text = String::from_utf8_lossy(&line);
            self.translator.command(text.trim_end(), self.cell.id(), is_heard);
            // A cell process that has died is noticed soon enough.
            let _ = self.to_cell.write_all(&line);
        }
    }

    fn see_whether_it_lives(&mut self) -> io::Result<()> {
        // The bytes in it say no more than that there was a signal.
        let _ = (&self.ended).read(&mut [0; 64]);
        match self.cell.try_wait()? {
            Some(status) => self.end_like(status),
            None => Ok(()),
        }
    }

    /// Gives evcxr its lines, and text that has waited long enough.
    fn hand_on(&mut self) {
        let now = Instant::now();
        if self.translator.is_full() || self.due.is_some_and(|due| due <= now) {
            self.translator.hand_on();
        }
        let is_waiting = self.translator.is_waiting();
        self.due =
            if is_waiting { self.due.filter(|due| *due > now).or(Some(now + PAUSE)) } else { None };
        let lines = self.translator.take();
        let mut stdout = io::stdout().lock();
        if stdout.write_all(&lines).and_then(|()| stdout.flush()).is_err() {
            end_group(&self.cell);
            exit(0);
        }
    }

    /// Passes on what the cell process has left behind and ends in the same way.
    fn end_like(&mut self, status: ExitStatus) -> ! {
        // What it has started itself would otherwise go on without it.
        end_group(&self.cell);
        let rest = self.stdout.read_all();
        let Supervisor { translator, stderr, .. } = self;
        translator.stdout(&rest, &mut || stderr.read_all());
        let rest = self.stderr.read_all();
        self.translator.stderr(&rest);
        self.translator.close();
        self.hand_on();
        if let Some(signal) = status.signal() {
            die_of(signal);
        }
        exit(status.code().unwrap_or(1))
    }
}

/// Ends this process by a signal, which leaves no core file of a process that did nothing wrong.
fn die_of(signal: i32) {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = match signal {
        SIGKILL => kill_process(getpid(), Signal::KILL).map_err(io::Error::from),
        _ => emulate_default_handler(signal),
    };
}

/// Kills the cell process and all that it has started.
fn end_group(cell: &Child) {
    if let Some(group) = Pid::from_raw(cell.id() as i32) {
        // Nobody may be left in it.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn readable<T: AsFd>(file: &T) -> PollFd<'_> {
    PollFd::new(file, PollFlags::IN)
}

/// A file that is read as far as there is something to read.
struct Stream {
    file: File,
    is_open: bool,
}

impl Stream {
    fn new(file: OwnedFd) -> io::Result<Stream> {
        rustix::io::ioctl_fionbio(&file, true)?;
        Ok(Stream { file: file.into(), is_open: true })
    }

    /// The file, until its other side is closed.
    fn open(&self) -> Option<&File> {
        self.is_open.then_some(&self.file)
    }

    /// What one read gives.
    fn read(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 1 << 16];
        let count = loop {
            match self.file.read(&mut bytes) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return vec![],
                Err(_) => break 0,
            }
        };
        self.is_open = count > 0;
        bytes.truncate(count);
        bytes
    }

    /// Everything that is there now.
    fn read_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let bytes = self.read();
            if bytes.is_empty() {
                return all;
            }
            all.extend(bytes);
        }
    }
}
