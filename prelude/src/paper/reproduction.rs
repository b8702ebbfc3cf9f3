//! What others measured: the leakage controls of the Distill discussion, and reproductions.
//!
//! None of these numbers is the paper's. Each names who measured it and how it differs.

use super::Published;

const GOH: &str = "Goh, \"Robust Feature Leakage\", Distill 2019";
const NAKKIRAN: &str = "Nakkiran, \"Adversarial Examples are Just Bugs, Too\", Distill 2019";
const RESNET_9: &str = "KellerJordan/features-not-bugs, ResNet-9, 64 epochs";
const SAMPLE: &str = "sample output in a public program without a named author";

/// A linear net that sees only ten robust linear features, trained on D_rand: at least this much
/// of D_rand's accuracy can leak through robust features.
pub const LEAKAGE_D_RAND: Published =
    Published::percent("robust features alone, trained on D_rand", 23.5, GOH);

/// The same on D_det: below chance, so nothing leaks.
pub const LEAKAGE_D_DET: Published =
    Published::percent("robust features alone, trained on D_det", 6.81, GOH);

/// D_det from a ResNet-18 with ℓ2 PGD of 2.5 in ten steps, on the true test labels.
pub const NAKKIRAN_D_DET: Published =
    Published::percent("trained on D_det (ResNet-18, ε = 2.5)", 33.2, NAKKIRAN);

/// The net of [`NAKKIRAN_D_DET`] scored against the test labels moved on by one.
pub const NAKKIRAN_D_DET_ON_NEXT: Published =
    Published::percent("trained on D_det (ResNet-18, ε = 2.5), test labels y + 1", 27.3, NAKKIRAN);

/// D_rand with a small net: far above the paper's.
pub const RESNET_9_D_RAND: Published =
    Published::percent("trained on D_rand (ResNet-9)", 81.06, RESNET_9);

/// D_det from a ResNet-18, learning rate 0.2.
pub const RESNET_18_D_DET: Published =
    Published::percent("trained on D_det (ResNet-18)", 35.1, SAMPLE);

/// D_rand from the same ResNet-18 at the same learning rate: nothing is learned, since D_rand
/// wants a small one.
pub const RESNET_18_D_RAND: Published =
    Published::percent("trained on D_rand (ResNet-18, learning rate 0.2)", 10.4, SAMPLE);

/// D_other: the target is drawn among the nine wrong classes.
pub const D_OTHER: Published = Published::percent("trained on D_other", 67.3, SAMPLE);

/// Fixed synthetic noise for each class in place of the attack, on all images except those that
/// keep their true label: no features at all, and yet more than the paper's D_rand.
pub const NOISE_D_RAND: Published =
    Published::percent("class noise in place of features, labels of D_rand", 79.5, SAMPLE);

/// The same with the labels of D_det; left clean are the images that a weak net takes for their
/// target anyway.
pub const NOISE_D_DET: Published =
    Published::percent("class noise in place of features, labels of D_det", 32.3, SAMPLE);

/// The same with the labels of D_other.
pub const NOISE_D_OTHER: Published =
    Published::percent("class noise in place of features, labels of D_other", 47.3, SAMPLE);
