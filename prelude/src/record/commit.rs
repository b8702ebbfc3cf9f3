//! Which commit is checked out, read from git's own files, since git itself may not be there.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// `$ERM_COMMIT`, else the commit checked out around the working folder, else "unknown".
pub(super) fn here() -> String {
    let given = env::var("ERM_COMMIT").ok().filter(|commit| !commit.is_empty());
    let found = || checked_out(&env::current_dir().ok()?);
    given.or_else(found).unwrap_or_else(|| "unknown".to_owned())
}

/// The commit checked out in `folder` or in the nearest folder above it that git knows.
fn checked_out(folder: &Path) -> Option<String> {
    let mark = folder.ancestors().map(|above| above.join(".git")).find(|mark| mark.exists())?;
    let git = git_folder(&mark)?;
    let head = read(&git.join("HEAD"))?;
    match head.strip_prefix("ref: ") {
        None => Some(head),
        Some(branch) => {
            // A second working tree shares its branches with the first.
            let shared = read(&git.join("commondir")).map_or(git.clone(), |path| git.join(path));
            read(&git.join(branch))
                .or_else(|| read(&shared.join(branch)))
                .or_else(|| packed(&shared, branch))
        }
    }
}

/// `.git` is the folder itself, or a file that says where the folder is.
fn git_folder(mark: &Path) -> Option<PathBuf> {
    if mark.is_dir() {
        return Some(mark.to_owned());
    }
    let place = read(mark)?;
    Some(mark.parent()?.join(place.strip_prefix("gitdir: ")?))
}

/// The commit of a branch that git has moved into one file with all others.
fn packed(git: &Path, branch: &str) -> Option<String> {
    let all = fs::read_to_string(git.join("packed-refs")).ok()?;
    let mut lines = all.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(_, name)| *name == branch).map(|(commit, _)| commit.to_owned())
}

fn read(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Scratch;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_branch_is_followed_to_its_commit_from_any_folder_below() {
        let scratch = Scratch::new("commit-branch");
        let root = scratch.path();
        write(root.join(".git/HEAD"), "ref: refs/heads/main\n");
        write(root.join(".git/refs/heads/main"), "0123abc\n");
        fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(checked_out(&root.join("a/b")).as_deref(), Some("0123abc"));
        fs::remove_file(root.join(".git/refs/heads/main")).unwrap();
        assert_eq!(checked_out(root), None);
        write(root.join(".git/packed-refs"), "# pack\n4567def refs/heads/main\n");
        assert_eq!(checked_out(root).as_deref(), Some("4567def"));
    }

    #[test]
    fn a_second_working_tree_finds_the_branches_of_the_first() {
        let scratch = Scratch::new("commit-tree");
        let root = scratch.path();
        write(root.join("tree/.git"), "gitdir: ../first/.git/worktrees/tree\n");
        write(root.join("first/.git/worktrees/tree/HEAD"), "ref: refs/heads/side\n");
        write(root.join("first/.git/worktrees/tree/commondir"), "../..\n");
        write(root.join("first/.git/refs/heads/side"), "89ab\n");
        assert_eq!(checked_out(&root.join("tree")).as_deref(), Some("89ab"));
    }

    #[test]
    fn a_detached_head_is_its_own_commit() {
        let scratch = Scratch::new("commit-detached");
        write(scratch.path().join(".git/HEAD"), "cdef\n");
        assert_eq!(checked_out(scratch.path()).as_deref(), Some("cdef"));
    }
}
