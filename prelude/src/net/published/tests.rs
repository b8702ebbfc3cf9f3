//! The published sizes, and that every net runs, there and back, by both ways.

use crate::Result;
use crate::net::{Architecture, Net};

type Make = fn(usize, [usize; 3], usize) -> Result<Architecture>;

/// Torchvision's counts for 1000 classes, less its linear layers, its auxiliary head and what its first
/// convolution of 7×7 has more than one of 3×3, and a linear layer for 10 classes on top:
///
/// ```python
/// import torchvision.models as m
/// count = lambda net: sum(p.numel() for p in net.parameters())
/// stem, fc = 3 * 64 * (49 - 9), lambda features: features * 1000 + 1000 - (features * 10 + 10)
/// print(count(m.resnet18()) - stem - fc(512), count(m.resnet50()) - stem - fc(2048))
/// print(count(m.densenet121()) - stem - fc(1024), count(m.vgg16_bn().features) + 5130)
/// print(count(m.inception_v3(aux_logits=False, init_weights=False)) - fc(2048))
/// ```
const COUNTS: [(Make, usize); 5] = [
    (Architecture::resnet18, 11_173_962),
    (Architecture::resnet50, 23_520_842),
    (Architecture::vgg16, 14_728_266),
    (Architecture::densenet121, 6_956_426),
    (Architecture::inception_v3, 21_806_058),
];

#[test]
fn the_published_nets_have_the_published_parameters() {
    for (make, count) in COUNTS {
        let architecture = make(64, [3, 32, 32], 10).unwrap();
        let net = Net::new(architecture, vec![0.5; 3], vec![0.2; 3], 0).unwrap();
        assert_eq!(net.parameters(), count, "{net}");
    }
}
