//! A cell's `:dep` lines, which run before the cell itself.
//!
//! evcxr tries each dependency in a manifest that names nothing else, and cargo then drops every
//! other crate from the lock file. A build after that takes the newest versions of all of them, and
//! with them rebuilds the prelude under the cells that have it loaded. So the lock file is put back
//! between the trial and the build.

use std::path::{Path, PathBuf};
use std::{fs, io};

use evcxr::{CommandContext, Error};

/// Remembers the versions with which the session in the folder `work` was last built.
pub fn keep(work: &Path) -> io::Result<()> {
    fs::copy(lock(work), kept(work)).map(|_| ())
}

/// Adds the crates that `code` asks for to the session in the folder `work`.
pub fn add(context: &mut CommandContext, work: &Path, code: &str) -> Result<(), Error> {
    // Whoever asked what a half-written cell could mean may have tried its crates, too.
    restore(work)?;
    let Some(lines) = dep_lines(code) else { return Ok(()) };
    let copy = format!("!cp {} {}", quoted(&kept(work)), quoted(&lock(work)));
    match context.execute(&format!("{lines}{copy}")) {
        Ok(_) => Ok(keep(work)?),
        Err(error) => restore(work).map_or_else(|failed| Err(failed.into()), |()| Err(error)),
    }
}

fn restore(work: &Path) -> io::Result<()> {
    if fs::read(lock(work)).ok() != Some(fs::read(kept(work))?) {
        fs::copy(kept(work), lock(work))?;
    }
    Ok(())
}

fn lock(work: &Path) -> PathBuf {
    work.join("Cargo.lock")
}

fn kept(work: &Path) -> PathBuf {
    work.join("Cargo.lock.kept")
}

/// The `:dep` lines of a cell, each on the line that it has there; `None` where it has none.
///
/// Commands come before all code, and evcxr passes over blank lines and comments among them.
fn dep_lines(code: &str) -> Option<String> {
    let is_command = |line: &&str| {
        let line = line.trim_start();
        line.is_empty() || [":", "!", "//"].iter().any(|start| line.starts_with(start))
    };
    let is_dep = |line: &str| line.trim_start().starts_with(":dep ");
    let head: Vec<&str> = code.lines().take_while(is_command).collect();
    let last = head.iter().rposition(|line| is_dep(line))?;
    let line = |line: &&str| if is_dep(line) { format!("{line}\n") } else { "\n".to_owned() };
    Some(head[..=last].iter().map(line).collect())
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_lines_keep_their_places_and_leave_other_commands_out() {
        let code = "// crates\n:vars\n:dep itoa\n\n :dep rand = \"0.8\"\nlet x = 1;\n:dep no";
        assert_eq!(dep_lines(code).unwrap(), "\n\n:dep itoa\n\n :dep rand = \"0.8\"\n");
        assert_eq!(dep_lines("let x = \"\n:dep no\";"), None);
    }

    #[test]
    fn a_lock_that_a_trial_has_spoilt_is_put_back() {
        let work = std::env::temp_dir().join(format!("erm-lock-{}", std::process::id()));
        fs::create_dir_all(&work).unwrap();
        fs::write(lock(&work), "rand 0.8.5").unwrap();
        keep(&work).unwrap();
        // As a half-written `:dep` does whose completion somebody has asked for.
        fs::write(lock(&work), "").unwrap();
        restore(&work).unwrap();
        assert_eq!(fs::read_to_string(lock(&work)).unwrap(), "rand 0.8.5");
        fs::remove_dir_all(&work).unwrap();
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(quoted(Path::new("a 'b'")), r"'a '\''b'\'''");
    }
}
