//! Asks other programs about themselves.

use std::process::{Command, Stdio};

/// The first line that a program prints, if it is there and ends well.
pub fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().next().unwrap_or_default().trim().to_owned();
    output.status.success().then_some(line)
}

/// Whether there is such a program, whatever it says.
pub fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// The command that installs a package of the operating system, by the name that each of the usual
/// package managers has for it.
pub fn install(debian: &str, fedora: &str, arch: &str, homebrew: &str) -> String {
    let managers = [
        ("apt-get", "sudo apt-get install ", debian),
        ("dnf", "sudo dnf install ", fedora),
        ("pacman", "sudo pacman -S ", arch),
        ("brew", "brew install ", homebrew),
    ];
    let found = managers.iter().find(|(manager, ..)| is_there(manager));
    let (_, verb, package) = found.unwrap_or(&managers[0]);
    format!("{verb}{package}")
}
