//! The settings that the paper prints: how the data sets were made, how nets were trained on them.

/// An ℓ2 PGD from the image itself, as in adversarial training and, targeted, for D_rand and D_det.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedAttack {
    /// The radius of the ℓ2 ball, for images in [0, 1].
    pub epsilon: f64,
    /// The length of a step, in the same unit.
    pub step_size: f64,
    /// How many steps.
    pub steps: usize,
    /// Where it stands.
    pub source: &'static str,
}

/// How a net was trained. The number of epochs is not printed; the curves of Figure 10 reach 200.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedRecipe {
    /// The learning rate at the start.
    pub learning_rate: f64,
    /// Images a step.
    pub batch: usize,
    /// Whether the learning rate drops to a tenth on the way.
    pub drops: bool,
    /// Whether training images are changed at random: cropped, flipped, and in the authors' library
    /// also turned a little and given other colours.
    pub augmented: bool,
    /// The momentum of gradient descent.
    pub momentum: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// Where it stands.
    pub source: &'static str,
}

/// The attack behind D_rand and D_det.
pub const ATTACK: PublishedAttack =
    PublishedAttack { epsilon: 0.5, step_size: 0.1, steps: 100, source: "Table 6" };

/// The attack of adversarial training: from the image itself.
pub const ADVERSARY: PublishedAttack =
    PublishedAttack { epsilon: 0.5, step_size: 0.1, steps: 7, source: "Table 4" };

/// How D_R was made: descent on the distance of representations (section 3.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedInversion {
    /// The length of a step, for images in [0, 1].
    pub step_size: f64,
    /// How many steps.
    pub steps: usize,
    /// Where it stands.
    pub source: &'static str,
}

/// The inversion from other images.
pub const INVERSION: PublishedInversion =
    PublishedInversion { step_size: 0.1, steps: 1000, source: "Table 5" };

/// The inversion from noise.
pub const INVERSION_FROM_NOISE: PublishedInversion =
    PublishedInversion { steps: 10_000, source: "appendix D.1", ..INVERSION };

/// Training on D_rand: a small learning rate, with augmentation.
pub const D_RAND_RECIPE: PublishedRecipe = PublishedRecipe {
    learning_rate: 0.01,
    batch: 128,
    drops: true,
    augmented: true,
    momentum: 0.9,
    weight_decay: 5e-4,
    source: "Table 3",
};

/// Training on D_det: ten times the learning rate, without augmentation.
pub const D_DET_RECIPE: PublishedRecipe =
    PublishedRecipe { learning_rate: 0.1, augmented: false, ..D_RAND_RECIPE };
