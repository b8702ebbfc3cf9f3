//! How the demo recipes were found: teachers, built sets and students, judged on held-out training
//! images alone. Each student leaves a record; the test set is never read.
//!
//! ```text
//! recipe_search TEACHER STUDENT…
//! recipe_search inversion STUDENT…
//! recipe_search transfer SOURCE CONTENDER…
//! ```
//! A TEACHER is `teacher` with what differs from the demo recipe, such as `teacher,seed=2,epochs=8`;
//! a STUDENT is likewise `d_det`, `d_rand`, `d_other` or `noise` (the control), such as
//! `d_det,images=30000,steps=20,epochs=14,decay=1e-3,seed=3,init=103`, where `seed` is of the order of
//! the images and `init` of the first weights. `ERM_CACHE` keeps teachers and sets. The other forms are
//! told in `inversions.rs` and `transfer.rs`.

mod inversions;
mod transfer;
mod words;

use erm::prelude::*;
use words::Words;

/// Images of the training set that neither teacher nor student sees.
const HELD_OUT: usize = 5000;
/// Of the targets of D_rand and D_other.
const TARGET_SEED: u64 = 7;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, students @ ..] = &arguments[..] else {
        return Err(Error::invalid("a teacher and students", "nothing", "See the file's top."));
    };
    match (first.as_str(), students) {
        ("inversion", _) => return inversions::search(students),
        ("transfer", [source, contenders @ ..]) => return transfer::search(source, contenders),
        ("transfer", []) => {
            return Err(Error::invalid(
                "a source and contenders",
                "nothing",
                "See the file's top.",
            ));
        }
        _ => {}
    }
    let search = Search::with_teacher(first)?;
    students.iter().try_for_each(|student| search.student(student))
}

/// A teacher, what it was trained on and what judges its students.
struct Search {
    named: String,
    teacher: Net,
    /// Of the teacher, on held-out images.
    accuracy: f64,
    train: Dataset,
    held_out: Dataset,
}

impl Search {
    fn with_teacher(named: &str) -> Result<Self> {
        let (train, held_out) = Data::cifar10()?.train.split(HELD_OUT, 0)?;
        let words = Words::of(named);
        let recipe = words.recipe(Recipe::standard(Scale::Demo))?;
        let mut teacher = Net::resnet(16, &train, words.number("init", recipe.seed)?)?;
        let folder = std::path::PathBuf::from(std::env::var("ERM_CACHE").unwrap_or_default());
        let file = folder.join(format!("{}.safetensors", named.replace([',', '='], "-")));
        if teacher.load(&file).is_err() {
            let log = teacher.train(&train, &recipe)?;
            teacher.save(&file)?;
            println!("{named}: {:.0} s", log.seconds());
        }
        let accuracy = judge::accuracy(&teacher, &held_out)?;
        println!("{named}: {:.2} % of held-out images", 100.0 * accuracy);
        Ok(Self { named: named.to_owned(), teacher, accuracy, train, held_out })
    }

    fn student(&self, named: &str) -> Result<()> {
        let words = Words::of(named);
        let part = self.train.take(words.number("images", 20_000)?)?;
        let attack = Pgd::l2(0.5).steps(words.number("steps", 30)?).step_size(0.1);
        let demo = Scale::Demo;
        let (built, recipe) = match words.kind {
            "d_rand" => (
                features::d_rand(&self.teacher, &part, &attack, TARGET_SEED)?,
                Recipe::d_rand(demo),
            ),
            "d_other" => (
                features::d_other(&self.teacher, &part, &attack, TARGET_SEED)?,
                Recipe::d_rand(demo),
            ),
            "noise" => (class_noise(&part)?, Recipe::d_rand(demo)),
            "d_det" => (features::d_det(&self.teacher, &part, &attack)?, Recipe::d_det(demo)),
            other => {
                let expected = "d_det, d_rand, d_other or noise";
                return Err(Error::invalid(expected, other, "Correct it."));
            }
        };
        let reached = judge::accuracy(&self.teacher, &built)?;
        let recipe = words.recipe(recipe)?;
        let mut net = Net::resnet(16, &part, words.number("init", 100 + recipe.seed)?)?;
        let log = net.train(&built, &recipe)?;
        let targets = features::d_det_targets(&self.held_out)?;
        let truth = judge::accuracy(&net, &self.held_out)?;
        let next = judge::success(&net, &self.held_out.images, &targets)?;
        println!(
            "{} | {named}: reached {:.1} %, true {:.2} %, y + 1 {:.2} %, {:.0} s",
            self.named,
            100.0 * reached,
            100.0 * truth,
            100.0 * next,
            log.seconds(),
        );
        log.record("recipe search")
            .with("teacher", self.named.as_str())
            .with("student", named)
            .with("attack", attack.to_string())
            .with("images", part.len())
            .value("teacher's held-out accuracy", self.accuracy)
            .value("attack reached its target", reached)
            .value("held-out accuracy, true labels", truth)
            .value("held-out accuracy, labels y + 1", next)
            .save()?;
        Ok(())
    }
}

/// The control without features: the targets of D_rand, and noise in place of an attack.
fn class_noise(part: &Dataset) -> Result<Dataset> {
    let targets = features::d_rand_targets(part, TARGET_SEED)?;
    let spared: Vec<bool> = part.labels.iter().zip(&targets).map(|(y, t)| y == t).collect();
    features::class_noise(part, &targets, &spared, 0.5, 11)
}
