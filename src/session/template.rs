//! The template: a folder in which the prelude and all it needs is built once, by cargo, with the
//! settings that evcxr would use.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::cache::{Cache, rustc, rustflags, tool};
use super::stamp;

/// Templates of other compilers or versions that nobody used for so long are removed.
const UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);
/// Marks the template as in use and keeps two programs from building it at once.
pub const LOCK_FILE: &str = ".in-use";

/// Lists the folders in which cells have to look for the libraries of others that the prelude needs.
pub const LINKED_FILE: &str = "linked";

/// How far the warm-up is.
#[derive(Clone, Debug)]
pub struct Warmth {
    /// Crates built so far.
    pub done: usize,
    /// Crates to build.
    pub total: usize,
    /// The crate that was finished last.
    pub name: String,
}

/// Brings the template up to date and keeps other programs from changing it until the returned
/// file is dropped. Where nothing has changed since the last time, not even cargo is asked.
pub fn warm(cache: &Cache, on: &mut dyn FnMut(Warmth)) -> Result<File> {
    let template = cache.template();
    fs::create_dir_all(template.join("src"))?;
    remove_unused(cache, &template);
    let in_use = File::create(template.join(LOCK_FILE))?;
    in_use.lock().context("cannot lock the template of the sessions")?;
    let state = stamp::of_sources(cache);
    if stamp::is_done(&template, state) {
        return Ok(in_use);
    }
    write_crate(cache, &template)?;
    let crates = metadata(cache, &template)?["resolve"]["nodes"].as_array().map_or(0, Vec::len);
    let (mut seen, mut linked) = (HashSet::new(), String::new());
    build(cache, &template, |message| {
        linked.extend(linked_paths(message).map(|path| format!("{path}\n")));
        let is_crate = message["reason"] == "compiler-artifact"
            && message["target"]["kind"][0] != "custom-build";
        if is_crate && seen.insert(message["package_id"].to_string()) {
            let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
            on(Warmth { done: seen.len().min(crates), total: crates, name });
        }
    })
    .context("the crate that cells use cannot be built")?;
    fs::write(template.join(LINKED_FILE), linked)?;
    stamp::done(&template, state)?;
    Ok(in_use)
}

fn write_crate(cache: &Cache, template: &Path) -> Result<()> {
    if !template.join("Cargo.lock").exists() {
        cache.write_first_lock(template)?;
    }
    fs::write(template.join("src/lib.rs"), "pub use erm::prelude::*;\n")?;
    Ok(fs::write(template.join("Cargo.toml"), manifest(&cache.dependency()))?)
}

/// The manifest of a crate that depends on these.
pub fn manifest(dependencies: &str) -> String {
    MANIFEST.replace("DEPENDENCIES", dependencies)
}

/// The profile is the one that evcxr writes: with another one its own kernel would build everything
/// again.
const MANIFEST: &str = r#"[package]
name = "ctx"
version = "1.0.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "src/lib.rs"

[profile.dev]
opt-level = 2
debug = false
strip = "debuginfo"
rpath = true
lto = false
debug-assertions = true
codegen-units = 16
panic = 'unwind'
incremental = true
overflow-checks = true

[dependencies]
DEPENDENCIES
"#;

fn cargo(cache: &Cache, folder: &Path, verb: &str) -> Result<Command> {
    let mut command = Command::new(tool("cargo"));
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", "target")
        .env("CARGO_BUILD_BUILD_DIR", "target")
        .env("RUSTC", rustc())
        .env("RUSTFLAGS", rustflags())
        .arg(verb)
        .stdin(Stdio::null());
    match verb {
        "metadata" => command.args(["--format-version=1", "--filter-platform", cache.host()?]),
        _ => command.args(["--message-format=json", "--target", cache.host()?]),
    };
    Ok(command)
}

/// What cargo knows about the crate in a folder and those it depends on.
pub fn metadata(cache: &Cache, folder: &Path) -> Result<Value> {
    let output = cargo(cache, folder, "metadata")?.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "{}", complaint(&String::from_utf8_lossy(&output.stderr)));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Builds the crate in a folder, and passes on cargo's messages.
pub fn build(cache: &Cache, folder: &Path, mut on: impl FnMut(&Value)) -> Result<()> {
    let mut command = cargo(cache, folder, "build")?;
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.context("cannot start cargo")?;
    let said = listen(&mut child);
    let mut complaints = String::new();
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        if message["reason"] == "compiler-message" && message["message"]["level"] == "error" {
            complaints += message["message"]["rendered"].as_str().unwrap_or_default();
        }
        on(&message);
    }
    let said = said.join().unwrap_or_default();
    let complaints = if complaints.is_empty() { complaint(&said) } else { &complaints };
    ensure!(child.wait()?.success(), "{complaints}");
    Ok(())
}

/// The folders in which a crate has its dependents look for libraries, as cargo tells it of the crate's
/// build script.
pub fn linked_paths(message: &Value) -> impl Iterator<Item = &str> {
    message["linked_paths"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What cargo complains about, without what it says of its work before.
fn complaint(said: &str) -> &str {
    said.find("error: ").map_or(said, |at| &said[at + "error: ".len()..]).trim_end()
}

/// Reads what cargo says beside its messages, so that it never waits for us to do so.
fn listen(child: &mut Child) -> std::thread::JoinHandle<String> {
    let stderr = child.stderr.take();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Removes the templates that were left behind by other compilers or versions.
fn remove_unused(cache: &Cache, ours: &Path) {
    let folders = fs::read_dir(&cache.folder).into_iter().flatten().flatten();
    for folder in folders.map(|entry| entry.path()) {
        let is_template =
            folder.file_name().is_some_and(|n| n.to_string_lossy().starts_with("template-"));
        let used = fs::metadata(folder.join(LOCK_FILE)).and_then(|file| file.modified());
        let age = used.map(|used| SystemTime::now().duration_since(used).unwrap_or_default());
        if is_template && folder != ours && age.is_ok_and(|age| age > UNUSED) {
            // Whatever cannot be removed now is tried again next time.
            let _ = fs::remove_dir_all(folder);
        }
    }
}
