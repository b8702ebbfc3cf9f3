//! The students of D_R and D_NR, such as `d_r,images=10000,steps=100,step=0.5,start=noise,epochs=15`,
//! `d_nr,…` or `original,images=10000`, of the nets of notebook 02, which it trains where the cache
//! folder has none. Judged on the images that those nets held out.

use super::words::Words;
use erm::attack::Apgd;
use erm::features::Inversion;
use erm::prelude::*;

/// How many held-out images are attacked, and with how many steps.
const ATTACKED: (usize, usize) = (500, 40);
/// Of the starts of the inversions.
const START_SEED: u64 = 3;

/// Tries every student.
pub fn search(students: &[String]) -> Result<()> {
    let data = Data::chosen()?;
    let sizes = Scale::Demo.sizes(&data);
    let (train, held_out) = data.train.split(sizes.robust.validation, sizes.robust.seed)?;
    let mut standard = Net::resnet(sizes.width, &data.train, 1)?;
    standard.train_once(&data.train, &sizes.teacher)?;
    let mut robust = Net::resnet(sizes.width, &data.train, 1)?;
    robust.train_once(&data.train, &sizes.robust)?;
    let usual = Recipe::d_r(Scale::Demo).augment(data.augment);
    let search = Search { standard, robust, train, held_out, usual, width: sizes.width };
    students.iter().try_for_each(|student| search.student(student))
}

struct Search {
    standard: Net,
    robust: Net,
    train: Dataset,
    held_out: Dataset,
    usual: Recipe,
    width: usize,
}

impl Search {
    fn student(&self, named: &str) -> Result<()> {
        let words = Words::of(named);
        let part = self.train.take(words.number("images", 10_000)?)?;
        let inversion = inversion(&words)?;
        let (built, reader) = match words.kind {
            "original" => (part.clone(), &self.standard),
            "d_r" => (features::d_r(&self.robust, &part, &inversion)?, &self.robust),
            "d_nr" => (features::d_nr(&self.standard, &part, &inversion)?, &self.standard),
            other => {
                return Err(Error::invalid("original, d_r or d_nr", other, "Correct it."));
            }
        };
        let apart = judge::representation_distance(reader, &part.images, &built.images)?;
        let recipe = words.recipe(self.usual.clone())?;
        let mut net = Net::resnet(self.width, &part, words.number("init", 100 + recipe.seed)?)?;
        let log = net.train(&built, &recipe)?;
        let record = log
            .record("inversion search")
            .with("student", named)
            .with("inversion", inversion.to_string())
            .with("images", part.len())
            .value("distance of the representations", apart);
        self.judged(&net, record)?.save()?;
        Ok(())
    }

    /// The record with what the net says of the held-out images.
    fn judged(&self, net: &Net, record: Record) -> Result<Record> {
        let some = self.held_out.take(ATTACKED.0.min(self.held_out.len()))?;
        let attack = |epsilon| Apgd::l2(epsilon).steps(ATTACKED.1).restarts(1);
        let truth = judge::accuracy(net, &self.held_out)?;
        let quarter = judge::robust_accuracy(net, &some, &attack(0.25))?;
        let half = judge::robust_accuracy(net, &some, &attack(0.5))?;
        let record = record
            .with("attack", attack(0.25).to_string())
            .with("attacked held-out images", some.len())
            .value("held-out accuracy", truth)
            .value("held-out accuracy at 0.25", quarter)
            .value("held-out accuracy at 0.5", half);
        println!("{record}");
        Ok(record)
    }
}

fn inversion(words: &Words) -> Result<Inversion> {
    let inversion = match words.text("start") {
        Some("noise") => Inversion::from_noise(START_SEED),
        _ => Inversion::from_images(START_SEED),
    };
    Ok(inversion.steps(words.number("steps", 100)?).step_size(words.number("step", 0.2)?))
}
