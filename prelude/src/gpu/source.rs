//! The kernels' source, and what they are called.

/// One file after the other.
const FILES: [&str; 8] = [
    include_str!("kernels/block.cu"),
    include_str!("kernels/numbers.cu"),
    include_str!("kernels/windows.cu"),
    include_str!("kernels/norms.cu"),
    include_str!("kernels/pools.cu"),
    include_str!("kernels/goals.cu"),
    include_str!("kernels/walks.cu"),
    include_str!("kernels/winograd.cu"),
];

/// Every kernel.
pub(crate) const NAMES: [&str; 40] = [
    "add",
    "multiply",
    "add_to_rows",
    "take_rows",
    "relu",
    "relu_back",
    "enter",
    "leave",
    "descend",
    "gather_windows",
    "gather_windows_of_four",
    "collect_windows",
    "collect_windows_of_four",
    "moments",
    "norm_factors",
    "learn_moments",
    "scale_and_shift",
    "scale_back",
    "norm_back",
    "row_sums",
    "largest",
    "largest_back",
    "mean",
    "mean_back",
    "mean_of_pixels",
    "mean_of_pixels_back",
    "cross_entropy",
    "margin",
    "logits_ratio",
    "toward",
    "step_l2",
    "step_linf",
    "move_l2",
    "move_linf",
    "winograd_windows",
    "winograd_outputs",
    "winograd_slopes",
    "winograd_weights",
    "winograd_turned_weights",
    "winograd_learned",
];

/// All of it.
pub(crate) fn text() -> String {
    FILES.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_has_its_name_in_the_list() {
        let text = text();
        let names = text.split("__global__ void ").skip(1).map(|rest| rest.split('(').next());
        let mut found: Vec<&str> = names.flatten().collect();
        let mut listed = NAMES.to_vec();
        found.sort_unstable();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }
}
