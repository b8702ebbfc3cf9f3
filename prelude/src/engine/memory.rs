//! Memory that is used again at once is better kept.

use std::sync::Once;

/// How much freed memory the process keeps before it gives some back: the buffers of a step.
#[cfg(target_env = "gnu")]
const KEPT: libc::c_int = 1 << 28;

/// Has the allocator keep what a step frees for the next one.
///
/// A step's larger vectors would otherwise go back to the system and come as new pages, which one thread
/// clears while the others wait. It is asked once, of the allocators that can be.
pub(super) fn keep() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        #[cfg(target_env = "gnu")]
        // Both only set a threshold of the allocator.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        }
    });
}
