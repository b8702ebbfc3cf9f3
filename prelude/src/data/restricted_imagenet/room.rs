//! Whether pictures fit into memory, said before any is decoded.

use std::fs;

use crate::{Error, Result};

/// Errors unless so many pictures of 3×side×side bytes fit into so many free bytes, if those are known.
pub(super) fn check(images: usize, side: usize, free: Option<u64>) -> Result<()> {
    let needed = (images * 3 * side * side) as u64;
    let Some(free) = free.filter(|free| *free < needed) else { return Ok(()) };
    let share = free as f64 / needed as f64;
    let (fewer, smaller) =
        ((images as f64 * share) as usize, (side as f64 * share.sqrt()) as usize);
    Err(Error::invalid(
        format!(
            "{} of free memory for {images} pictures of 3×{side}×{side} bytes",
            gigabytes(needed)
        ),
        gigabytes(free),
        format!(
            "Take fewer with `per_class` (up to {fewer} pictures in all fit), or smaller ones with \
             `side` (up to {smaller})"
        ),
    ))
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.2} GB", bytes as f64 / 1e9)
}

/// How many bytes of memory are free; nothing where the system does not say (it is Linux that does).
pub(super) fn free() -> Option<u64> {
    let system = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let group = |file: &str| {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/memory.{file}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    // A container may have been given less than its machine has; its limit is no number where it has none.
    let allowed = group("max").zip(group("current")).map(|(most, now)| most.saturating_sub(now));
    Some(allowed.map_or(system, |allowed| allowed.min(system)))
}

/// The bytes that `/proc/meminfo` says are available.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::says;

    #[test]
    fn too_many_pictures_are_an_error_that_says_what_would_fit() {
        // 257 748 · 3 · 224² bytes are 38.8 GB; a quarter of the memory holds a quarter of the
        // pictures, or pictures of half the side.
        let needed = 257_748_u64 * 150_528;
        check(257_748, 224, Some(needed)).unwrap();
        check(257_748, 224, None).unwrap();
        let parts =
            ["38.80 GB", "257748 pictures of 3×224×224", "9.70 GB", "`per_class`", "64437", "112"];
        says(check(257_748, 224, Some(needed / 4)), &parts);
        says(check(1, 1, Some(0)), &["0.00 GB"]);
    }

    #[test]
    fn free_memory_is_what_the_system_says_is_available() {
        let text = "MemTotal:       24000000 kB\nMemFree:  1 kB\nMemAvailable:   1000 kB\n";
        assert_eq!(available(text), Some(1_024_000));
        assert_eq!(available("MemTotal: 5 kB\n"), None);
        assert_eq!(available("MemAvailable: much\n"), None);
    }
}
