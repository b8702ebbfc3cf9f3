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
    /// Cells can be built at once.
    Warm,
}

/// How far the template of this compiler, these versions and flags is.
pub fn readiness(cache: &Cache) -> Readiness {
    let template = cache.template();
    let state = stamp::of_sources(cache);
    if !stamp::is_noted(&template) {
        Readiness::Absent
    } else if !stamp::is_done(&template, state) {
        Readiness::Outdated
    } else {
        Readiness::Warm
    }
}
