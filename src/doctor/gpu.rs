//! Graphics cards.

use super::ask::first_line;
use super::report::Finding;

/// Looks for a card of NVIDIA's and for its compiler. Neither is needed: nets run on the CPU.
pub fn examine() -> Vec<Finding> {
    let question = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    let Some(card) = first_line("nvidia-smi", &question).filter(|card| !card.is_empty()) else {
        return vec![Finding::fine("GPU", "none found, none needed: nets run on the CPU")];
    };
    let compiler = match first_line("nvcc", &["--version"]) {
        Some(_) => "with CUDA's compiler",
        None => "without CUDA's compiler",
    };
    vec![Finding::fine("GPU", format!("{card}, {compiler}; not used: nets run on the CPU"))]
}
