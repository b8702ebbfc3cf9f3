//! Says from the outside whether the template is ready, without asking cargo and without waiting
//! for whoever is building it.

use super::cache::Cache;
use super::stamp;

/// How far the template is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing is built.
    Absent,
    /// The prelude's source was changed since it was built.
    Outdated,
    /// Cells can be built; the first mistake in one has to wait for a check.
    Unchecked,
    /// Cells and their mistakes are fast.
    Warm,
}

/// How far the template of this compiler, these versions and flags is.
pub fn readiness(cache: &Cache) -> Readiness {
    let template = cache.template();
    let state = stamp::of_sources(cache);
    if !stamp::is_noted(&template, "build") {
        Readiness::Absent
    } else if !stamp::is_done(&template, "build", state) {
        Readiness::Outdated
    } else if !stamp::is_done(&template, "check", state) {
        Readiness::Unchecked
    } else {
        Readiness::Warm
    }
}
