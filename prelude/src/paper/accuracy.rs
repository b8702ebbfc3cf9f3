//! What the paper measured on the CIFAR-10 test set.

use super::Published;

/// Standard training on the unmodified training set.
pub const D: Published = Published::percent("trained on D", 95.3, "Table 1");

/// Training on adversarial examples whose target, and label, is a random class (section 3.2).
///
/// The target is drawn among all ten classes, so one image in ten keeps its true label.
pub const D_RAND: Published = Published::percent("trained on D_rand", 63.3, "Table 1");

/// Training on adversarial examples whose target, and label, is the class after the true one
/// (section 3.2).
pub const D_DET: Published = Published::percent("trained on D_det", 43.7, "Table 1");

/// The D_det net of [`D_DET`] scored against the test labels moved on by one (appendix D.6).
pub const D_DET_ON_NEXT: Published =
    Published::percent("trained on D_det, test labels y + 1", 16.2, "Table 10");

/// Training on a D_rand whose examples were made against a robust net (appendix D.4).
pub const D_RAND_FROM_ROBUST: Published =
    Published::percent("trained on D_rand made with a robust net", 25.2, "Table 9");

/// Training on a D_det whose examples were made against a robust net (appendix D.4).
pub const D_DET_FROM_ROBUST: Published =
    Published::percent("trained on D_det made with a robust net", 5.8, "Table 9");

/// The net of [`D_DET_FROM_ROBUST`] scored against the test labels moved on by one: robust
/// features have won (appendix D.6).
pub const D_DET_FROM_ROBUST_ON_NEXT: Published = Published::percent(
    "trained on D_det made with a robust net, test labels y + 1",
    65.5,
    "Table 10",
);

/// Standard training, on clean test images.
pub const STANDARD_CLEAN: Published = Published::percent("standard training", 95.25, "Table 7");

/// Standard training, under an ℓ2 attack of 0.25.
pub const STANDARD_AT_025: Published =
    Published::percent("standard training, ε = 0.25", 4.49, "Table 7");

/// Standard training, under an ℓ2 attack of 0.5.
pub const STANDARD_AT_05: Published =
    Published::percent("standard training, ε = 0.5", 0.0, "Table 7");

/// Adversarial training with ℓ2 0.5, on clean test images.
pub const ROBUST_CLEAN: Published = Published::percent("adversarial training", 90.83, "Table 7");

/// Adversarial training with ℓ2 0.5, under an ℓ2 attack of 0.25.
pub const ROBUST_AT_025: Published =
    Published::percent("adversarial training, ε = 0.25", 82.48, "Table 7");

/// Adversarial training with ℓ2 0.5, under an ℓ2 attack of 0.5.
pub const ROBUST_AT_05: Published =
    Published::percent("adversarial training, ε = 0.5", 70.90, "Table 7");
