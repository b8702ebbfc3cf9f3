//! Registers our kernel with Jupyter and takes it away again.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::json;

/// The name by which notebooks ask for the kernel.
const NAME: &str = "erm";

/// Registers the kernel, for this user or under a prefix such as a Python environment, and says
/// where.
pub fn install(prefix: Option<&Path>) -> Result<PathBuf> {
    let folder = folder(prefix)?;
    let program = env::current_exe()?;
    let program = program.to_str().context("the path of this program is not UTF-8")?;
    let spec = json!({
        "argv": [program, "kernel", "--connection", "{connection_file}"],
        "display_name": "Erm (Rust)",
        "language": "rust",
        "interrupt_mode": "message",
        "kernel_protocol_version": "5.5",
    });
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("kernel.json"), format!("{spec:#}\n")))
        .with_context(|| format!("cannot register the kernel in {}", folder.display()))?;
    Ok(folder)
}

/// Takes away what [`install`] has registered with the same prefix, and says where it was.
pub fn uninstall(prefix: Option<&Path>) -> Result<PathBuf> {
    let folder = folder(prefix)?;
    ensure!(
        folder.join("kernel.json").is_file(),
        "no kernel is registered in {}, so there is none to take away",
        folder.display()
    );
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(folder)
}

/// The folder of the registration that Jupyter finds first, and the program that it starts.
pub fn registered() -> Option<(PathBuf, PathBuf)> {
    let mut folders = data_folders().into_iter().map(|data| data.join("kernels").join(NAME));
    folders.find_map(|folder| {
        let text = fs::read_to_string(folder.join("kernel.json")).ok()?;
        let spec: serde_json::Value = serde_json::from_str(&text).ok()?;
        let program = PathBuf::from(spec["argv"][0].as_str().unwrap_or_default());
        Some((folder, program))
    })
}

/// Where Jupyter looks for kernels, in its order.
fn data_folders() -> Vec<PathBuf> {
    let named = env::var_os("JUPYTER_PATH").unwrap_or_default();
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].map(env::var_os).into_iter().flatten();
    let prefixes = environments.map(PathBuf::from).chain(["/usr/local".into(), "/usr".into()]);
    let shared = prefixes.map(|prefix| prefix.join("share/jupyter"));
    env::split_paths(&named).chain(user_data()).chain(shared).collect()
}

fn folder(prefix: Option<&Path>) -> Result<PathBuf> {
    let data = match prefix {
        Some(prefix) => prefix.join("share/jupyter"),
        None => user_data().context("no home folder found: name a place with --prefix")?,
    };
    Ok(data.join("kernels").join(NAME))
}

/// Where Jupyter looks for what belongs to a user.
fn user_data() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let by_default = || {
        let home = env::home_dir()?;
        let mac = cfg!(target_os = "macos");
        Some(home.join(if mac { "Library/Jupyter" } else { ".local/share/jupyter" }))
    };
    set("JUPYTER_DATA_DIR")
        .or_else(|| set("XDG_DATA_HOME").map(|data| data.join("jupyter")))
        .or_else(by_default)
}
