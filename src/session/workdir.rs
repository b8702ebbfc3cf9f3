//! A session's own work folder: a clone of the template, so that several sessions can run at once
//! and none has to build what the template has.

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use super::cache::Cache;
use super::template::LOCK_FILE;

/// The work folder of one session, removed when it is dropped.
pub struct WorkDir {
    /// Where it is.
    pub path: PathBuf,
    /// Held for as long as the session lives: a folder whose lock is free belongs to a dead one.
    _in_use: File,
}

impl WorkDir {
    /// Clones the template, which must not change meanwhile.
    pub fn clone_of(cache: &Cache) -> Result<WorkDir> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let sessions = cache.sessions();
        fs::create_dir_all(&sessions)?;
        remove_leftovers(&sessions);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = sessions.join(format!("{}-{number}", std::process::id()));
        fs::create_dir(&path)?;
        let in_use = File::create(path.join(LOCK_FILE))?;
        in_use.lock()?;
        let work = WorkDir { path, _in_use: in_use };
        clone(&cache.template(), &work.path)
            .with_context(|| format!("cannot make the work folder {}", work.path.display()))?;
        Ok(work)
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        // If it fails, the next start removes what is left.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the work folders of sessions that ended without a chance to clean up. The template's
/// lock, which the caller holds, keeps a folder that is just being made from being taken for one.
fn remove_leftovers(sessions: &Path) {
    for entry in fs::read_dir(sessions).into_iter().flatten().flatten() {
        let lock = File::open(entry.path().join(LOCK_FILE));
        if lock.map_or(true, |lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the work folders of this process, for an end that cannot wait for its sessions.
pub fn abandon(sessions: &Path) {
    let ours = format!("{}-", std::process::id());
    for entry in fs::read_dir(sessions).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&ours) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn clone(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, source) = (entry.file_name(), entry.path());
        let target = to.join(&name);
        if is_of_one_cell(&name) {
            continue;
        } else if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            clone(&source, &target)?;
        } else if !is_artifact(&source) || fs::hard_link(&source, &target).is_err() {
            copy(&source, &target)?;
        }
    }
    Ok(())
}

/// What belongs to the one cell that was built in the template, not to its dependencies.
fn is_of_one_cell(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == LOCK_FILE || name == "incremental" || name.starts_with("libctx") || {
        name.starts_with("ctx-") || name.starts_with("ctx.")
    }
}

/// Compilers replace these files and never write into them, so that two folders can share one
/// copy; everything else, cargo's notes above all, is written in place.
fn is_artifact(path: &Path) -> bool {
    let kind = path.extension().and_then(OsStr::to_str);
    matches!(kind, Some("rlib" | "rmeta" | "so" | "dylib" | "a" | "o"))
}

/// Copies with the time of the last change, by which cargo knows what is up to date.
fn copy(source: &Path, target: &Path) -> io::Result<()> {
    fs::copy(source, target)?;
    let changed = fs::metadata(source)?.modified()?;
    File::open(target)?.set_times(FileTimes::new().set_modified(changed))
}
