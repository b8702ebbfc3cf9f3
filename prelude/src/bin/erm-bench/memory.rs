//! How much memory a process takes.

use std::fs;

/// The memory of one process.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Bytes before it had any net.
    pub before: f64,
    /// The most bytes that it had at once.
    pub peak: f64,
}

/// The bytes that a process has now, as far as the system says it.
pub fn now(process: u32) -> Option<f64> {
    bytes(process, "VmRSS:")
}

/// The memory of a process that had so much before; nothing where the system does not say it.
pub fn since(before: Option<f64>, process: u32) -> Option<Memory> {
    Some(Memory { before: before?, peak: bytes(process, "VmHWM:")? })
}

/// What Linux says of a process, in lines such as `VmRSS:   1234 kB`.
fn bytes(process: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(1024.0 * line.split_whitespace().next()?.parse::<f64>().ok()?)
}
