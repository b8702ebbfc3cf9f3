//! The variables of the environment by which a user tells the program and its cells what to do.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use super::report::Finding;

/// What a variable may hold.
enum Holds {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Something that is there.
    APath,
    /// A folder, which is made if it is not there.
    AFolder,
    /// Whatever the user likes.
    Text,
    /// Nothing: a session sets it for its own cells.
    Nothing,
}

const KNOWN: &[(&str, Holds)] = &[
    ("ERM_CACHE", Holds::AFolder),
    ("ERM_COMMIT", Holds::Text),
    ("ERM_DATA", Holds::APath),
    ("ERM_DATASET", Holds::OneOf(&["cifar10", "see-far", "restricted-imagenet"])),
    ("ERM_DEVICE", Holds::OneOf(&["cpu", "cuda", "cuda-tf32", "dfdx", "dfdx-cuda", "auto"])),
    ("ERM_FRONT", Holds::Nothing),
    ("ERM_IMAGENET", Holds::APath),
    ("ERM_INTERRUPT", Holds::Nothing),
    ("ERM_PRELUDE", Holds::APath),
    ("ERM_RECORDS", Holds::AFolder),
    ("ERM_SCALE", Holds::OneOf(&["demo", "paper"])),
    ("ERM_TEST_PYTHON", Holds::APath),
];

/// Looks at every variable whose name begins with `ERM_`; an empty one counts as not set.
pub fn examine() -> Vec<Finding> {
    let is_ours = |name: &OsStr| name.to_string_lossy().starts_with("ERM_");
    let mut set: Vec<_> = env::vars_os()
        .filter(|(name, value)| is_ours(name) && !value.is_empty())
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .collect();
    set.sort();
    if set.is_empty() {
        return vec![Finding::fine("variables ERM_…", "none is set")];
    }
    set.iter().map(|(name, value)| judge(name, value)).collect()
}

fn judge(name: &str, value: &OsStr) -> Finding {
    let shown = value.to_string_lossy();
    let unset = format!("unset {name}");
    let Some((_, holds)) = KNOWN.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = KNOWN.iter().map(|(known, _)| *known).collect();
        let found = format!("nothing reads this variable; known are {}", known.join(", "));
        return Finding::better(name, found, unset);
    };
    let path = Path::new(value);
    let wrong = match holds {
        Holds::OneOf(words) if !words.contains(&&*shown) => {
            format!("expected {}, found {shown}", words.join(" or "))
        }
        Holds::APath if !path.exists() => format!("nothing is there: {shown}"),
        Holds::AFolder if path.exists() && !path.is_dir() => format!("no folder: {shown}"),
        Holds::Nothing => "a session sets this for its own cells; it is not for users".to_owned(),
        _ => return Finding::fine(name, shown),
    };
    Finding::missing(name, wrong, unset)
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    fn state(name: &str, value: &str) -> State {
        judge(name, OsStr::new(value)).state
    }

    #[test]
    fn a_value_that_cells_would_refuse_is_wrong() {
        assert_eq!(state("ERM_SCALE", "demo"), State::Fine);
        assert_eq!(state("ERM_SCALE", "huge"), State::Missing);
        assert_eq!(state("ERM_DATA", "/nowhere/at/all"), State::Missing);
        assert_eq!(state("ERM_FRONT", "lines"), State::Missing);
        let wrong = judge("ERM_DATASET", OsStr::new("mnist"));
        assert_eq!(wrong.found, "expected cifar10 or see-far or restricted-imagenet, found mnist");
        assert_eq!(wrong.mend.as_deref(), Some("unset ERM_DATASET"));
    }

    #[test]
    fn a_slip_in_a_name_is_worth_a_word_and_no_more() {
        assert_eq!(state("ERM_CASHE", "/tmp"), State::Better);
    }
}
