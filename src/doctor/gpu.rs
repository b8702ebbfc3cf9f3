//! Graphics cards.

use super::ask::{first_line, is_there};
use super::report::Finding;

/// Looks for a card of NVIDIA's, and whether nets can run on it. It is not needed: they run on the CPU.
pub fn examine() -> Vec<Finding> {
    let question = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    let card = first_line("nvidia-smi", &question).filter(|card| !card.is_empty());
    vec![judge(card.as_deref(), cfg!(feature = "cuda"), is_there("nvcc"))]
}

fn judge(card: Option<&str>, is_built: bool, has_compiler: bool) -> Finding {
    match (card, is_built, has_compiler) {
        (None, ..) => Finding::fine("GPU", "none found, none needed: nets run on the CPU"),
        (Some(card), false, _) => Finding::better(
            "GPU",
            format!("{card}; not used, as this program was built without CUDA"),
            "cargo build --release --features cuda",
        ),
        (Some(card), true, false) => Finding::missing(
            "GPU",
            format!(
                "{card}; CUDA's compiler (nvcc) builds for it what cells use, and is not there"
            ),
            "eval \"$(tests/cuda/toolkit target/cuda)\"",
        ),
        (Some(card), true, true) => {
            Finding::fine("GPU", format!("{card}; nets run on it unless ERM_DEVICE says cpu"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    #[test]
    fn a_card_wants_a_build_and_a_compiler() {
        let state = |card, is_built, has_compiler| judge(card, is_built, has_compiler).state;
        assert_eq!(state(None, true, false), State::Fine);
        assert_eq!(state(Some("card"), false, true), State::Better);
        assert_eq!(state(Some("card"), true, false), State::Missing);
        assert_eq!(state(Some("card"), true, true), State::Fine);
    }
}
