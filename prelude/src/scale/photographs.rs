//! The sizes for photographs, Restricted ImageNet's above all.

use super::{Scale, Sizes};
use crate::attack::Pgd;
use crate::data::{Augment, Data, PHOTOGRAPH};
use crate::features::Inversion;
use crate::train::{Recipe, Schedule};

/// The side of the pictures whose radii the paper gives.
const SIDE: f32 = 224.0;

/// The radius of the attacks that build sets and of adversarial training, for that side. Paper: Tables 4 and 6.
const EPSILON: f32 = 3.0;

/// Whether a data set's pictures are photographs.
pub(super) fn are(data: &Data) -> bool {
    side(data) >= PHOTOGRAPH
}

fn side(data: &Data) -> usize {
    let [_, _, height, width] = data.train.images.shape();
    height.min(width)
}

/// The sizes of a scale for photographs; `usual`: what it would give to smaller pictures, of which the rest
/// is kept.
///
/// Paper scale is the paper's for Restricted ImageNet: students by Table 3, attacks by Table 6, adversarial
/// training by Table 4, inversion by Table 5. How the teacher was trained it does not print; here that is
/// what the authors' library does by default with this data set: 150 epochs in batches of 256, rate 0.1, a
/// tenth every 50, weight decay 1e-4. The epochs of students are not printed either, and these are the
/// teacher's; nor is an inversion from noise, which takes its steps from CIFAR-10's and their length from
/// Table 5. The paper tries adversarial examples of ε = 0.5 on the nets (appendix D.8). No recipe holds
/// images out, since a part of a set is a copy and a set fills the memory.
///
/// Demo scale tries the machinery on a few pictures in minutes, with radii that are as faint a pixel as the
/// paper's. Its nets are far from what such pictures need: what comes out is no result.
pub(super) fn sizes(scale: Scale, data: &Data, usual: Sizes) -> Sizes {
    match scale {
        Scale::Paper => paper(data, usual),
        Scale::Demo => demo(data, Sizes { width: 8, ..usual }),
    }
}

fn paper(data: &Data, usual: Sizes) -> Sizes {
    let teacher = Recipe {
        epochs: 150,
        batch: 256,
        learning_rate: 0.1,
        schedule: Schedule::Step { every: 50, factor: 0.1 },
        weight_decay: 1e-4,
        augment: data.augment,
        validation: 0,
        ..usual.teacher.clone()
    };
    let student = |recipe: Recipe, learning_rate, batch, augment| Recipe {
        epochs: teacher.epochs,
        batch,
        learning_rate,
        schedule: Schedule::Constant,
        weight_decay: 5e-4,
        augment,
        validation: 0,
        ..recipe
    };
    Sizes {
        attack: Pgd::l2(EPSILON).steps(100).step_size(0.1),
        robust: Recipe { name: usual.robust.name.clone(), ..teacher.clone() }
            .adversary(Pgd::l2(EPSILON).steps(7).step_size(EPSILON / 5.0)),
        d_det: student(usual.d_det, 0.05, 256, Augment::none()),
        d_rand: student(usual.d_rand, 0.01, 256, Augment::none()),
        d_r: student(usual.d_r, 0.01, 128, data.augment),
        inversion: usual.inversion.steps(2000).step_size(1.0),
        from_noise: usual.from_noise.step_size(1.0),
        teacher,
        ..usual
    }
}

fn demo(data: &Data, usual: Sizes) -> Sizes {
    let all = data.train.len();
    let epsilon = EPSILON * side(data) as f32 / SIDE;
    let brief = |recipe: Recipe, epochs| Recipe { epochs, batch: 32, validation: 0, ..recipe };
    let inversion = |usual: Inversion| usual.steps(50).step_size(epsilon / 2.0);
    Sizes {
        images: all.min(1_800),
        attack: Pgd::l2(epsilon).steps(10).step_size(epsilon / 5.0),
        teacher: brief(usual.teacher, 8),
        d_det: brief(usual.d_det, 8),
        d_rand: brief(usual.d_rand, 8),
        robust: brief(usual.robust, 4)
            .adversary(Pgd::l2(epsilon).steps(4).step_size(epsilon / 2.0)),
        inverted: all.min(450),
        inverted_from_noise: all.min(450),
        inversion: inversion(usual.inversion),
        from_noise: inversion(usual.from_noise),
        d_r: brief(usual.d_r, 8),
        attacked: data.test.len().min(100),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::fixture::DATA;
    use crate::paper::restricted_imagenet as published;
    use crate::paper::{PublishedAttack, PublishedInversion, PublishedRecipe};
    use ndarray::Array4;

    /// So many grey photographs of a side.
    fn photographs(n: usize, side: usize) -> Data {
        let set = Dataset {
            name: "grey".into(),
            images: Array4::from_elem((n, 3, side, side), 0.5).into(),
            labels: (0..n).map(|i| i % 9).collect(),
            classes: (0..9).map(|class| class.to_string()).collect(),
            origin: (0..n).collect(),
        };
        Data { train: set.clone(), test: set, augment: Augment::resized_crop() }
    }

    fn attack(paper: PublishedAttack) -> Pgd {
        Pgd::l2(paper.epsilon as f32).steps(paper.steps).step_size(paper.step_size as f32)
    }

    fn agrees(recipe: &Recipe, paper: PublishedRecipe) {
        assert_eq!(recipe.learning_rate, paper.learning_rate as f32, "{recipe}");
        assert_eq!(recipe.batch, paper.batch, "{recipe}");
        assert_eq!(recipe.schedule != Schedule::Constant, paper.drops, "{recipe}");
        assert_eq!(recipe.augment != Augment::none(), paper.augmented, "{recipe}");
        assert_eq!(recipe.momentum, paper.momentum as f32, "{recipe}");
        assert_eq!(recipe.weight_decay, paper.weight_decay as f32, "{recipe}");
        assert_eq!(recipe.adversary, None, "{recipe}");
    }

    #[test]
    fn paper_scale_is_the_papers_for_restricted_imagenet() {
        let data = photographs(9, 224);
        let sizes = Scale::Paper.sizes(&data);
        assert_eq!((sizes.width, sizes.images, sizes.attacked), (64, 9, 9));
        assert_eq!(sizes.attack, attack(published::ATTACK));
        assert_eq!(sizes.robust.adversary, Some(attack(published::ADVERSARY)));
        agrees(&sizes.d_r, published::D_R_RECIPE);
        agrees(&sizes.d_rand, published::D_RAND_RECIPE);
        agrees(&sizes.d_det, published::D_DET_RECIPE);
        let PublishedInversion { step_size, steps, .. } = published::INVERSION;
        let inversion = Inversion::from_images(super::super::INVERSION_SEED);
        assert_eq!(sizes.inversion, inversion.steps(steps).step_size(step_size as f32));
        let teacher = sizes.teacher.to_string();
        assert!(teacher.starts_with("standard: 150 epochs, batch 256, rate 0.1 ("), "{teacher}");
        assert_eq!(sizes.teacher.schedule, Schedule::Step { every: 50, factor: 0.1 });
        let library = "momentum 0.9, weight decay 0.0001, resized crop and flip";
        assert!(teacher.contains(library), "{teacher}");
        let robust = Recipe { name: "standard".into(), adversary: None, ..sizes.robust.clone() };
        assert_eq!(robust, sizes.teacher);
        assert_eq!(sizes.robust.name, "robust");
    }

    #[test]
    fn demo_scale_is_small_and_as_faint_a_pixel_as_the_papers() {
        let data = photographs(2000, 64);
        let sizes = Scale::Demo.sizes(&data);
        assert_eq!((sizes.images, sizes.inverted, sizes.attacked), (1800, 450, 100));
        let epsilon = 3.0 * 64.0 / 224.0;
        assert_eq!(sizes.attack, Pgd::l2(epsilon).steps(10).step_size(epsilon / 5.0));
    }

    #[test]
    fn every_recipe_suits_the_smallest_set() {
        let data = photographs(9, 64);
        for scale in [Scale::Demo, Scale::Paper] {
            let sizes = scale.sizes(&data);
            for recipe in [&sizes.teacher, &sizes.robust, &sizes.d_det, &sizes.d_rand, &sizes.d_r] {
                recipe.check(9).unwrap();
            }
            assert!(sizes.images <= 9 && sizes.inverted <= 9 && sizes.attacked <= 9);
        }
    }

    #[test]
    fn smaller_pictures_keep_their_sizes() {
        let small = Scale::Paper.sizes(&photographs(9, 63));
        assert_eq!(small.attack, Scale::Paper.sizes(&DATA).attack);
        assert_eq!(small.teacher.batch, 128);
    }
}
