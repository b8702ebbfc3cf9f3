//! How large the comparison of five architectures is.

use super::{LARGE, Scale};
use crate::attack::Pgd;
use crate::data::{Data, Dataset};
use crate::net::{Architecture, Net};
use crate::paper::{TRANSFER, Transferred};
use crate::train::{Recipe, Schedule};
use crate::{Result, show};
use std::fmt;

/// An architecture at the width that a scale gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contender {
    /// What the paper found with it.
    pub paper: Transferred,
    /// The function's name among [`Architecture::NAMES`].
    pub architecture: &'static str,
    /// The width, of which 64 is the published one.
    pub width: usize,
}

show::shows_as_text!(Contender);

impl Contender {
    /// A fresh net for a data set.
    ///
    /// # Errors
    /// As for [`Net::of`].
    pub fn net(&self, data: &Dataset, seed: u64) -> Result<Net> {
        let make =
            |width, image, classes| Architecture::named(self.architecture, width, image, classes);
        Net::of(make, self.width, data, seed)
    }
}

/// `VGG-16, width 16`
impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, width {}", self.paper.name, self.width)
    }
}

/// The sizes and recipes of section 3.3.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferSizes {
    /// The five, in the order of Figure 3. The last is also the source.
    pub contenders: [Contender; 5],
    /// Of the initial weights: each contender is trained with each of them.
    pub seeds: Vec<u64>,
    /// Of the source, which learns all training images.
    pub source: Recipe,
    /// Of a standard net, which learns them too.
    pub standard: Recipe,
    /// How many training images D_det starts from.
    pub images: usize,
    /// Of a student of D_det.
    pub student: Recipe,
    /// What builds D_det.
    pub attack: Pgd,
    /// The radii of the adversarial examples that are tried on other nets, in pixel units of [0, 1].
    pub epsilons: Vec<f32>,
    /// Their steps. The paper does not say how many there were.
    pub steps: usize,
    /// How many test images are attacked.
    pub attacked: usize,
}

/// The names of the functions, in the order of [`TRANSFER`].
const NAMES: [&str; 5] = ["vgg16", "inception_v3", "resnet18", "densenet121", "resnet50"];

impl Scale {
    /// The sizes and recipes of the comparison of architectures for a data set.
    ///
    /// At demo scale the nets learn briefly, and each has a width at which its training costs about what
    /// that of the others does. Standard nets learn like the source, but in small batches, in which deep
    /// ones get about as far in two epochs as in three of large ones. This choice matters: at half the
    /// rate, with a shorter warm-up and without crops, a ResNet-50 is as accurate, but fooled less than a
    /// VGG-16. Students learn in smaller batches still and with little weight decay, so that deep ones get
    /// far enough, and from a D_det of a radius at which they come to read the perturbation at all. All
    /// this was found on held-out training images, see `prelude/examples/recipe_search/transfer.rs`.
    pub fn transfer(self, data: &Data) -> TransferSizes {
        let all = data.train.len();
        let sizes = self.sizes(data);
        let paper = TransferSizes {
            contenders: contenders([64; 5]),
            seeds: vec![1],
            source: sizes.teacher.clone(),
            images: all,
            standard: sizes.teacher,
            student: Recipe::d_det(self),
            attack: sizes.attack,
            epsilons: vec![0.25, 0.5, 1.0],
            steps: 100,
            attacked: data.test.len(),
        };
        let demo = |widths, epochs: [usize; 3]| TransferSizes {
            contenders: contenders(widths),
            source: Recipe { epochs: epochs[0], validation: 0, ..paper.source.clone() },
            standard: Recipe {
                epochs: epochs[1],
                batch: 32,
                learning_rate: 0.1,
                validation: 0,
                ..paper.standard.clone()
            },
            student: Recipe {
                epochs: epochs[2],
                batch: 16,
                learning_rate: 0.05,
                schedule: Schedule::OneCycle { warm_up: 0.1 },
                weight_decay: 1e-4,
                validation: 0,
                ..paper.student.clone()
            },
            attack: Pgd::l2(2.0).steps(7).step_size(0.4),
            epsilons: vec![0.5, 1.0, 2.0],
            steps: 20,
            ..paper.clone()
        };
        match self {
            Self::Demo if all < LARGE => TransferSizes {
                images: all.min(800),
                attacked: data.test.len().min(200),
                ..demo([8, 4, 8, 8, 4], [2, 1, 6])
            },
            Self::Demo => TransferSizes {
                seeds: vec![1, 2, 3],
                images: 20_000,
                attacked: data.test.len().min(1_000),
                ..demo([16, 4, 16, 8, 8], [4, 2, 2])
            },
            Self::Paper => paper,
        }
    }
}

fn contenders(widths: [usize; 5]) -> [Contender; 5] {
    [0, 1, 2, 3, 4].map(|index| Contender {
        paper: TRANSFER[index],
        architecture: NAMES[index],
        width: widths[index],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::DATA;

    #[test]
    fn every_contender_has_a_net_at_every_scale() {
        for scale in [Scale::Demo, Scale::Paper] {
            let sizes = scale.transfer(&DATA);
            for contender in &sizes.contenders {
                let net = contender.net(&DATA.train, 1).unwrap().to_string();
                let name = contender.paper.name.split('-').next().unwrap_or_default();
                let size = format!("of width {}", contender.width);
                assert!(net.starts_with(name) && net.contains(&size), "{contender}: {net}");
            }
            assert!(sizes.images <= DATA.train.len() && sizes.attacked <= DATA.test.len());
        }
    }
}
