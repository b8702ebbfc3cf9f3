//! Where sessions keep what they build: one folder that cargo sees as the parent of every work
//! folder, so that one configuration holds for all of them.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use super::device;

/// The versions that this program was built and tested with.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));

/// evcxr builds everything for debugging; what cells call is compiled for speed instead, and only
/// the cells themselves (`ctx`) stay checked and quick to compile. Incremental compilation is off
/// because it would keep the prelude from being optimised as a whole.
const CONFIG: &str = r#"[build]
incremental = false

[profile.dev]
opt-level = 3
debug-assertions = false
overflow-checks = false

[profile.dev.package.ctx]
opt-level = 1
debug-assertions = true
overflow-checks = true
"#;

/// What a session is built from, and where.
pub struct Cache {
    /// Holds the template and the sessions.
    pub folder: PathBuf,
    /// The folder of the crate that every cell can use.
    pub prelude: PathBuf,
    /// The compiler, its version and its host, as `rustc -vV` says it.
    pub rustc: String,
    /// The folder of the standard library as a dynamic library.
    pub standard_library: PathBuf,
    /// With which of its features that crate is built.
    pub features: &'static [&'static str],
}

impl Cache {
    /// Finds the folders and the compiler, and writes cargo's configuration.
    pub fn open() -> Result<Cache> {
        let folder = cache_folder()?;
        let prelude = prelude_folder()?;
        fs::create_dir_all(folder.join(".cargo"))
            .and_then(|()| fs::write(folder.join(".cargo/config.toml"), CONFIG))
            .with_context(|| {
                format!("cannot write to the cache folder {} (ERM_CACHE sets it)", folder.display())
            })?;
        let folder = folder.canonicalize()?;
        let standard_library = ask_rustc(&["--print", "target-libdir"])?.trim().into();
        let (rustc, features) = (ask_rustc(&["-vV"])?, device::features()?);
        Ok(Cache { folder, prelude, rustc, standard_library, features })
    }

    /// The host triple, such as `x86_64-unknown-linux-gnu`.
    pub fn host(&self) -> Result<&str> {
        let host = self.rustc.lines().find_map(|line| line.strip_prefix("host: "));
        host.with_context(|| format!("rustc -vV names no host:\n{}", self.rustc))
    }

    /// The one dependency of every session, as evcxr's `:dep` and cargo take it.
    pub fn dependency(&self) -> String {
        let Self { prelude, features, .. } = self;
        match features {
            [] => format!("erm = {{ path = {prelude:?}, package = \"erm-prelude\" }}"),
            _ => format!(
                "erm = {{ path = {prelude:?}, package = \"erm-prelude\", features = {features:?} }}"
            ),
        }
    }

    /// The folder in which everything is built once, for this compiler, these versions and flags.
    pub fn template(&self) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        (&self.rustc, LOCK, CONFIG, rustflags(), self.dependency()).hash(&mut hasher);
        self.folder.join(format!("template-{:016x}", hasher.finish()))
    }

    /// The folder that holds the work folder of every session.
    pub fn sessions(&self) -> PathBuf {
        self.folder.join("sessions")
    }

    /// The sources of the standard library, where they are installed.
    pub fn library(&self) -> Option<PathBuf> {
        let below = self.standard_library.ancestors().nth(2)?;
        Some(below.join("src/rust/library")).filter(|folder| folder.is_dir())
    }

    /// Writes the versions that this program was built with.
    pub fn write_first_lock(&self, template: &Path) -> Result<()> {
        Ok(fs::write(template.join("Cargo.lock"), LOCK)?)
    }
}

/// Removes from our environment what `cargo run` and `cargo test` say there about this program.
/// Build scripts of crates that cells use read the same variables, so cargo would take a session
/// that was started in another way for another build.
pub fn forget_own_package() {
    let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    let is_ours =
        |name: &str| ours.iter().any(|start| name.starts_with(start)) || name == "OUT_DIR";
    let names: Vec<_> = env::vars_os().map(|(name, _)| name).collect();
    for name in names.iter().filter(|name| name.to_str().is_some_and(is_ours)) {
        // SAFETY: the program calls this before it starts any thread.
        unsafe { env::remove_var(name) };
    }
}

/// The flags with which evcxr calls cargo; anything else would make cargo build all over again.
pub fn rustflags() -> String {
    let found = |tool: &str| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|folder| folder.join(tool).is_file())
    };
    let lld = cfg!(not(target_os = "macos")) && !found("mold") && found("lld");
    let linker = if lld { " -Clink-arg=-fuse-ld=lld" } else { "" };
    format!("-Cprefer-dynamic{linker}")
}

/// The path of `rustc`. It is looked for once, since most cells ask the compiler something.
pub fn rustc() -> &'static Path {
    static RUSTC: LazyLock<PathBuf> = LazyLock::new(|| tool("rustc"));
    &RUSTC
}

/// The path of `cargo` or `rustc` past rustup's proxy, as evcxr finds it.
pub fn tool(name: &str) -> PathBuf {
    let found = Command::new("rustup").args(["which", name]).output().ok();
    let found = found.filter(|output| output.status.success());
    found.map_or(name.into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}

fn ask_rustc(question: &[&str]) -> Result<String> {
    let output = Command::new(rustc()).args(question).output().context(
        "no Rust compiler found: cells are compiled, so install Rust from https://rustup.rs",
    )?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The folder that holds everything; it may not be there yet.
pub fn cache_folder() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("ERM_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("erm")))
        .or_else(|| env::home_dir().map(|home| home.join(".cache/erm")))
        .context("no home folder found: set ERM_CACHE to a folder that can be written")?;
    Ok(std::path::absolute(folder)?)
}

/// The folder of the crate that every cell can use.
pub fn prelude_folder() -> Result<PathBuf> {
    let folder = match env::var_os("ERM_PRELUDE") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("prelude"),
    };
    ensure!(
        folder.join("Cargo.toml").is_file(),
        "the source of the prelude was expected in {}, but there is no Cargo.toml; \
         set ERM_PRELUDE to the prelude folder of a clone of this repository",
        folder.display()
    );
    Ok(folder.canonicalize()?)
}
