//! What the paper measured with the robust half of its experiments on CIFAR-10 (section 3.1 and the
//! appendices D.1 to D.7).

use super::{Curve, Published};

/// Trained standardly on D_R made from other images, on clean test images.
pub const D_R: Published = Published::percent("trained on D_R", 85.40, "Table 7");

/// The same under an ℓ2 attack of 0.25.
pub const D_R_AT_025: Published = Published::percent("trained on D_R, ε = 0.25", 48.20, "Table 7");

/// The same under an ℓ2 attack of 0.5.
pub const D_R_AT_05: Published = Published::percent("trained on D_R, ε = 0.5", 21.85, "Table 7");

/// Trained standardly on D_R made from noise, on clean test images. Figure 2b shows this one.
pub const D_R_FROM_NOISE: Published =
    Published::percent("trained on D_R from noise", 84.10, "Table 7");

/// The same under an ℓ2 attack of 0.25.
pub const D_R_FROM_NOISE_AT_025: Published =
    Published::percent("trained on D_R from noise, ε = 0.25", 48.27, "Table 7");

/// The same under an ℓ2 attack of 0.5.
pub const D_R_FROM_NOISE_AT_05: Published =
    Published::percent("trained on D_R from noise, ε = 0.5", 29.40, "Table 7");

/// Trained standardly on D_NR made from other images, on clean test images.
pub const D_NR: Published = Published::percent("trained on D_NR", 87.68, "Table 7");

/// The same under an ℓ2 attack of 0.25.
pub const D_NR_AT_025: Published = Published::percent("trained on D_NR, ε = 0.25", 0.82, "Table 7");

/// The same under an ℓ2 attack of 0.5.
pub const D_NR_AT_05: Published = Published::percent("trained on D_NR, ε = 0.5", 0.0, "Table 7");

/// Trained standardly on D_NR made from noise, on clean test images.
pub const D_NR_FROM_NOISE: Published =
    Published::percent("trained on D_NR from noise", 45.60, "Table 7");

/// The same under an ℓ2 attack of 0.25.
pub const D_NR_FROM_NOISE_AT_025: Published =
    Published::percent("trained on D_NR from noise, ε = 0.25", 1.50, "Table 7");

/// The same under an ℓ2 attack of 0.5.
pub const D_NR_FROM_NOISE_AT_05: Published =
    Published::percent("trained on D_NR from noise, ε = 0.5", 0.0, "Table 7");

/// The D_R net under an ℓ2 attack of 0.25 on the set it was trained on (appendix D.3).
pub const D_R_ON_ITS_TRAIN_SET: Published =
    Published::percent("trained on D_R, D_R's training images, ε = 0.25", 77.33, "Table 8");

/// The same on a D_R that was made from the test images (appendix D.3).
pub const D_R_ON_ITS_TEST_SET: Published =
    Published::percent("trained on D_R, D_R of the test images, ε = 0.25", 62.49, "Table 8");

/// The same on the standard test images (appendix D.3).
pub const D_R_ON_TEST: Published =
    Published::percent("trained on D_R, test images, ε = 0.25", 48.27, "Table 8");

/// The D_R net under an ℓ2 attack of 0.25 of so many steps (appendix D.2). The last point is printed,
/// the others were read off the figure, to about half a point.
pub const D_R_AGAINST_STEPS: Curve = Curve {
    what: "trained on D_R, ε = 0.25, against the steps of PGD",
    points: &[(20.0, 49.3), (80.0, 48.3), (640.0, 48.3), (2500.0, 48.27)],
    source: "Figure 8",
};

/// Test accuracy of the D_det student after so many epochs, read off the figure; the end is Table 1's.
pub const D_DET_OVER_EPOCHS: Curve = Curve {
    what: "trained on D_det",
    points: &[
        (1.0, 6.0),
        (11.0, 17.6),
        (21.0, 30.0),
        (31.0, 25.0),
        (41.0, 21.7),
        (51.0, 40.4),
        (200.0, 43.7),
    ],
    source: "Figure 10",
};

/// Test accuracy of the D_rand student after so many epochs, read off the figure; the end is Table 1's.
pub const D_RAND_OVER_EPOCHS: Curve = Curve {
    what: "trained on D_rand",
    points: &[
        (1.0, 8.2),
        (11.0, 5.5),
        (21.0, 13.5),
        (31.0, 13.5),
        (41.0, 48.0),
        (51.0, 62.0),
        (200.0, 63.3),
    ],
    source: "Figure 10",
};

/// Test accuracy of the student of a D_det made with a robust net, read off the figure; it ends at 180.
pub const D_DET_FROM_ROBUST_OVER_EPOCHS: Curve = Curve {
    what: "trained on D_det made with a robust net",
    points: &[
        (1.0, 10.0),
        (11.0, 9.0),
        (21.0, 12.0),
        (31.0, 9.5),
        (41.0, 6.0),
        (51.0, 4.2),
        (180.0, 5.8),
    ],
    source: "Figure 10",
};

/// Test accuracy of the student of a D_rand made with a robust net: its peak, read off the figure, and
/// its end, which is Table 9's.
pub const D_RAND_FROM_ROBUST_OVER_EPOCHS: Curve = Curve {
    what: "trained on D_rand made with a robust net",
    points: &[(31.0, 43.4), (200.0, 25.2)],
    source: "Figure 10",
};

/// The D_det student on CIFAR-10.1, new test images (appendix D.7).
pub const D_DET_ON_CIFAR_10_1: Published =
    Published::percent("trained on D_det, CIFAR-10.1", 44.0, "appendix D.7");

/// The D_rand student on CIFAR-10.1, new test images (appendix D.7).
pub const D_RAND_ON_CIFAR_10_1: Published =
    Published::percent("trained on D_rand, CIFAR-10.1", 55.0, "appendix D.7");
