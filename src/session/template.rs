//! The template: a work folder in which the prelude and all it needs is built and checked once, by
//! cargo alone, with exactly the settings that evcxr will use.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::cache::{Cache, rustflags, tool};
use super::stamp;

/// Templates of other compilers or versions that nobody used for so long are removed.
const UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);
/// Marks the template as in use and keeps two programs from building it at once.
pub const LOCK_FILE: &str = ".in-use";

/// How far the warm-up is.
#[derive(Clone, Debug)]
pub struct Warmth {
    /// Crates built or checked so far.
    pub done: usize,
    /// Crates to build and check.
    pub total: usize,
    /// The crate that was finished last.
    pub name: String,
}

/// What a warm-up does beforehand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Warming {
    /// Builds what cells link to: all that a cell without a mistake needs.
    Build,
    /// Also checks it, so that the first mistake in a cell is found as fast as later ones.
    BuildAndCheck,
}

/// Brings the template up to date and keeps other programs from changing it until the returned
/// file is dropped. Where nothing has changed since the last time, not even cargo is asked.
pub fn warm(cache: &Cache, warming: Warming, on: &mut dyn FnMut(Warmth)) -> Result<File> {
    let template = cache.template();
    fs::create_dir_all(template.join("src"))?;
    remove_unused(cache, &template);
    let in_use = File::create(template.join(LOCK_FILE))?;
    in_use.lock().context("cannot lock the template of the sessions")?;
    let state = stamp::of_sources(cache);
    let verbs: &[&str] = match warming {
        Warming::Build => &["build"],
        Warming::BuildAndCheck => &["build", "check"],
    };
    let missing: Vec<_> =
        verbs.iter().filter(|verb| !stamp::is_done(&template, verb, state)).collect();
    if missing.is_empty() {
        return Ok(in_use);
    }
    write_crate(cache, &template)?;
    let (mut done, total) = (0, crates(cache, &template)? * missing.len());
    for verb in missing {
        pass(cache, &template, verb, |name| {
            done += 1;
            on(Warmth { done: done.min(total), total, name });
        })?;
        stamp::done(&template, verb, state)?;
    }
    Ok(in_use)
}

fn write_crate(cache: &Cache, template: &Path) -> Result<()> {
    if !template.join("Cargo.lock").exists() {
        cache.write_first_lock(template)?;
    }
    fs::write(template.join("src/lib.rs"), "pub use erm::prelude::*;\n")?;
    let manifest = MANIFEST.replace("DEPENDENCY", &cache.dependency());
    Ok(fs::write(template.join("Cargo.toml"), manifest)?)
}

/// What evcxr writes, since another profile would mean another build.
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
DEPENDENCY
"#;

fn cargo(cache: &Cache, template: &Path, verb: &str) -> Result<Command> {
    let mut command = Command::new(tool("cargo"));
    command
        .current_dir(template)
        .env("CARGO_TARGET_DIR", "target")
        .env("CARGO_BUILD_BUILD_DIR", "target")
        .env("RUSTC", tool("rustc"))
        .env("RUSTFLAGS", rustflags())
        .arg(verb)
        .stdin(Stdio::null());
    match verb {
        "metadata" => command.args(["--format-version=1", "--filter-platform", cache.host()?]),
        _ => command.args(["--message-format=json", "--target", cache.host()?]),
    };
    Ok(command)
}

/// How many crates there are to build, ours included.
fn crates(cache: &Cache, template: &Path) -> Result<usize> {
    let output = cargo(cache, template, "metadata")?.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "cargo cannot find the crates that the prelude needs:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    Ok(metadata["resolve"]["nodes"].as_array().map_or(0, Vec::len))
}

/// Runs one verb of cargo and names each crate as it is done.
fn pass(cache: &Cache, template: &Path, verb: &str, mut on: impl FnMut(String)) -> Result<()> {
    let mut command = cargo(cache, template, verb)?;
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.context("cannot start cargo")?;
    let said = listen(&mut child);
    let (mut seen, mut complaints) = (HashSet::new(), String::new());
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        if message["reason"] == "compiler-message" && message["message"]["level"] == "error" {
            complaints += message["message"]["rendered"].as_str().unwrap_or_default();
        }
        let is_crate = message["reason"] == "compiler-artifact"
            && message["target"]["kind"][0] != "custom-build";
        if is_crate && seen.insert(message["package_id"].to_string()) {
            on(message["target"]["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    let said = said.join().unwrap_or_default();
    if !child.wait()?.success() {
        let complaints = if complaints.is_empty() { said } else { complaints };
        bail!("the crate that cells use cannot be built (cargo {verb}):\n{complaints}");
    }
    Ok(())
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
