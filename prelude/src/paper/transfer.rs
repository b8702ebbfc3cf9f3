//! Figures 3 and 13: five architectures that learned D_det of a ResNet-50, and how well adversarial
//! examples of the ResNet-50 work on standardly trained nets of each (section 3.3, appendix D.9). Read
//! off the drawings; the attack's parameters are not printed.

/// What the paper has of one architecture, all in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transferred {
    /// What the paper calls it.
    pub name: &'static str,
    /// Trained on D_det, accuracy on the test set with true labels. Figure 3.
    pub d_det: f64,
    /// Share of adversarial examples that a standard net gets wrong. Figure 3.
    pub fooled: f64,
    /// Share that it sees as the attack's target. Figure 13.
    pub targeted: f64,
}

/// The five points of Figures 3 and 13, from the lowest accuracy to the highest. The last is the source
/// itself, or a net like it: the paper does not say.
pub const TRANSFER: [Transferred; 5] = [
    Transferred { name: "VGG-16", d_det: 28.0, fooled: 65.6, targeted: 9.2 },
    Transferred { name: "Inception-v3", d_det: 39.4, fooled: 82.8, targeted: 23.1 },
    Transferred { name: "ResNet-18", d_det: 40.9, fooled: 92.2, targeted: 32.5 },
    Transferred { name: "DenseNet", d_det: 41.7, fooled: 92.7, targeted: 36.6 },
    Transferred { name: "ResNet-50", d_det: 44.7, fooled: 100.0, targeted: 71.8 },
];
