//! The compiler and what it needs: cells are compiled on the user's machine.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ask::{first_line, install, is_there};
use super::report::Finding;

/// The oldest compiler that builds the crate of the cells.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");
/// Rust's own installer.
const RUSTUP: &str = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

/// Looks at cargo, rustc, the sources of the standard library, and the linker.
pub fn examine() -> Vec<Finding> {
    vec![cargo(), rustc(), sources(), linker()]
}

fn cargo() -> Finding {
    match first_line("cargo", &["--version"]) {
        Some(version) => Finding::fine("cargo", version),
        None => Finding::missing("cargo", "no cargo on the PATH that runs", mend_toolchain()),
    }
}

fn rustc() -> Finding {
    let Some(version) = first_line("rustc", &["--version"]) else {
        return Finding::missing("rustc", "no rustc on the PATH that runs", mend_toolchain());
    };
    if is_old(&version) {
        let found = format!("{version}, but cells need {OLDEST} or newer");
        return Finding::missing("rustc", found, "rustup update stable");
    }
    Finding::fine("rustc", version)
}

/// Whether what `rustc --version` says is older than the oldest that will do.
fn is_old(version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        plain.split('.').map_while(|part| part.parse().ok()).collect()
    };
    let found = version.split_whitespace().nth(1).unwrap_or_default();
    numbers(found) < numbers(OLDEST)
}

fn sources() -> Finding {
    let thing = "rust-src";
    let root = first_line("rustc", &["--print", "sysroot"]).unwrap_or_default();
    let library = Path::new(&root).join("lib/rustlib/src/rust/library");
    if library.join("std/src/lib.rs").is_file() {
        return Finding::fine(thing, library.display().to_string());
    }
    let found =
        "not installed; without it names complete less often and cells start a little later";
    let mend = if is_there("rustup") {
        "rustup component add rust-src".to_owned()
    } else {
        install("rust-src", "rust-src", "rust-src", "rustup")
    };
    Finding::better(thing, found, mend)
}

/// Links the smallest program there is, since a linker alone is not enough: it needs the C
/// library's files, too.
fn linker() -> Finding {
    let thing = "C linker";
    let mend = if cfg!(target_os = "macos") {
        "xcode-select --install".to_owned()
    } else {
        install("build-essential", "gcc", "base-devel", "gcc")
    };
    match link() {
        Ok(()) => Finding::fine(thing, "links a small program"),
        Err(reason) => Finding::missing(thing, reason, mend),
    }
}

fn link() -> Result<(), String> {
    let out = std::env::temp_dir().join(format!("erm-doctor-{}", std::process::id()));
    let linked = link_to(&out);
    // What was never made need not be removed.
    let _ = std::fs::remove_file(out);
    linked
}

fn link_to(out: &Path) -> Result<(), String> {
    let mut rustc = Command::new("rustc")
        .args(["-", "--crate-name", "probe", "-o"])
        .arg(out)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|_| "cannot be tried without rustc".to_owned())?;
    if let Some(mut source) = rustc.stdin.take() {
        // A compiler that does not read says itself what is wrong with it.
        let _ = source.write_all(b"fn main() {}");
    }
    let output = rustc.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().next().unwrap_or("rustc cannot link a small program");
    Err(reason.trim_start_matches("error: ").to_owned())
}

fn mend_toolchain() -> &'static str {
    if is_there("rustup") { "rustup default stable" } else { RUSTUP }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let old = |version: &str| is_old(&format!("rustc {version} (59807616e 2026-04-14)"));
        assert!(old("1.94.1") && old("1.9.0") && old("0.99.0"));
        assert!(!old("1.95.0") && !old("1.100.0") && !old("2.0.0") && !old("1.96.0-nightly"));
        assert!(is_old("something else"));
    }
}
