//! What the paper measured on Restricted ImageNet, and with which settings. The names are those of the same
//! figures on CIFAR-10, one room above.

use super::{Published, PublishedAttack, PublishedInversion, PublishedRecipe};

/// Standard training on the unmodified training set.
pub const D: Published = Published::percent("trained on D", 96.6, "Table 1");

/// Training on adversarial examples whose target, and label, is a random class (section 3.2).
pub const D_RAND: Published = Published::percent("trained on D_rand", 87.9, "Table 1");

/// Training on adversarial examples whose target, and label, is the class after the true one
/// (section 3.2).
pub const D_DET: Published = Published::percent("trained on D_det", 64.4, "Table 1");

/// Where the numbers stand that the paper only draws (appendix D.8): they were read off the bars, to about
/// half a point.
const BARS: &str = "Figure 12, read off the bars";

/// Standard training, on clean test images. Table 1 prints 96.6 for what seems to be the same net.
pub const STANDARD_CLEAN: Published = Published::percent("standard training", 98.1, BARS);

/// Standard training, under an ℓ2 attack of 0.5.
pub const STANDARD_AT_05: Published = Published::percent("standard training, ε = 0.5", 18.6, BARS);

/// Adversarial training with ℓ2 3, on clean test images.
pub const ROBUST_CLEAN: Published = Published::percent("adversarial training", 95.8, BARS);

/// Adversarial training with ℓ2 3, under an ℓ2 attack of 0.5.
pub const ROBUST_AT_05: Published = Published::percent("adversarial training, ε = 0.5", 92.9, BARS);

/// Trained standardly on D_R, on clean test images.
pub const D_R: Published = Published::percent("trained on D_R", 86.9, BARS);

/// The same under an ℓ2 attack of 0.5.
pub const D_R_AT_05: Published = Published::percent("trained on D_R, ε = 0.5", 70.7, BARS);

/// The attack behind D_rand and D_det.
pub const ATTACK: PublishedAttack =
    PublishedAttack { epsilon: 3.0, step_size: 0.1, steps: 100, source: "Table 6" };

/// The attack of adversarial training: from the image itself, in steps of a fifth of the radius.
pub const ADVERSARY: PublishedAttack =
    PublishedAttack { epsilon: 3.0, step_size: 0.6, steps: 7, source: "Table 4" };

/// The inversion from other images.
pub const INVERSION: PublishedInversion =
    PublishedInversion { step_size: 1.0, steps: 2000, source: "Table 5" };

/// Training on D_R: with augmentation, at one rate.
pub const D_R_RECIPE: PublishedRecipe = PublishedRecipe {
    learning_rate: 0.01,
    batch: 128,
    drops: false,
    augmented: true,
    momentum: 0.9,
    weight_decay: 5e-4,
    source: "Table 3",
};

/// Training on D_rand: in larger batches, without augmentation.
pub const D_RAND_RECIPE: PublishedRecipe =
    PublishedRecipe { batch: 256, augmented: false, ..D_R_RECIPE };

/// Training on D_det: five times the learning rate of D_rand's.
pub const D_DET_RECIPE: PublishedRecipe = PublishedRecipe { learning_rate: 0.05, ..D_RAND_RECIPE };
