//! Section 3.3: trainings such as `vgg16,width=16,images=20000,epochs=3,rate=0.1` on the D_det of a
//! source (`resnet50,width=8,epochs=4`), or on the images as they are with `learns=original`, judged on
//! held-out images as they are and as the source's adversarial examples.

use super::HELD_OUT;
use super::words::Words;
use erm::prelude::*;

/// How many held-out images are made into adversarial examples, in how many steps.
const ATTACKED: (usize, usize) = (500, 20);
/// Their radii.
const EPSILONS: [f32; 3] = [0.5, 1.0, 2.0];

/// Trains a source, and tries every contender.
pub fn search(source: &str, contenders: &[String]) -> Result<()> {
    let search = Search::of(source)?;
    contenders.iter().try_for_each(|contender| search.contender(contender))
}

struct Search {
    named: String,
    source: Net,
    train: Dataset,
    held_out: Dataset,
    /// Of the held-out images, those that are attacked.
    some: Dataset,
    /// What the source's attack made of them, away from their class and toward the next one, at each
    /// radius.
    examples: Vec<[Dataset; 2]>,
}

impl Search {
    fn of(named: &str) -> Result<Self> {
        let (train, held_out) = Data::cifar10()?.train.split(HELD_OUT, 0)?;
        let words = Words::of(named);
        let mut source = net(&words, &train, 0)?;
        let part = train.take(words.number("images", train.len())?)?;
        let log = source.train_once(&part, &words.recipe(Recipe::standard(Scale::Demo))?)?;
        let accuracy = 100.0 * judge::accuracy(&source, &held_out)?;
        println!("{named}: {:.0} s, {accuracy:.2} % of held-out images", log.seconds());
        let some = held_out.take(ATTACKED.0)?;
        let examples = EPSILONS.iter().map(|epsilon| {
            let step = 2.5 * epsilon / ATTACKED.1 as f32;
            let attack = Pgd::l2(*epsilon).steps(ATTACKED.1).step_size(step);
            let away = features::adversarial(&source, &some, &attack)?;
            Ok([away, features::d_det(&source, &some, &attack)?])
        });
        let examples = examples.collect::<Result<_>>()?;
        Ok(Self { named: named.to_owned(), source, train, held_out, some, examples })
    }

    fn contender(&self, named: &str) -> Result<()> {
        let words = Words::of(named);
        let part = self.train.take(words.number("images", 20_000)?)?;
        let (set, recipe) = match words.text("learns") {
            Some("original") => (part, Recipe::standard(Scale::Demo)),
            _ => (self.d_det(&words, &part)?, Recipe::d_det(Scale::Demo)),
        };
        let mut net = net(&words, &set, 100)?;
        let log = net.train_once(&set, &words.recipe(recipe)?)?;
        let reached = judge::accuracy(&self.source, &set)?;
        let truth = judge::accuracy(&net, &self.held_out)?;
        let targets = features::d_det_targets(&self.held_out)?;
        let next = judge::success(&net, &self.held_out.images, &targets)?;
        let right = judge::right(&net, &self.some)?;
        let judged = |set: &Dataset| judge::accuracy(&net, &set.select(&right)?);
        let fooled = self.examples.iter().map(|[away, _]| Ok(1.0 - judged(away)?));
        let fooled = fooled.collect::<Result<Vec<f64>>>()?;
        let hit = self.examples.iter().map(|[_, toward]| judged(toward));
        let hit = hit.collect::<Result<Vec<f64>>>()?;
        println!(
            "{named}: source {reached:.3}, true {truth:.3}, y + 1 {next:.3}, fooled {fooled:.3?}, hit {hit:.3?}, {:.0} s",
            log.seconds()
        );
        log.record("transfer search")
            .with("source", self.named.as_str())
            .with("contender", named)
            .with("images", set.len())
            .with("radii", format!("{EPSILONS:?}"))
            .value("source sees the set as labelled", reached)
            .value("held-out accuracy, true labels", truth)
            .value("held-out accuracy, labels y + 1", next)
            .values("fooled, of those seen rightly", &fooled)
            .values("seen as the target, of those seen rightly", &hit)
            .save()?;
        Ok(())
    }

    fn d_det(&self, words: &Words, part: &Dataset) -> Result<Dataset> {
        let epsilon = words.number("epsilon", 0.5)?;
        let (steps, step) = (words.number("steps", 10)?, words.number("step", epsilon / 5.0)?);
        features::d_det(&self.source, part, &Pgd::l2(epsilon).steps(steps).step_size(step))
    }
}

fn net(words: &Words, data: &Dataset, seed: u64) -> Result<Net> {
    let make = |width, image, classes| Architecture::named(words.kind, width, image, classes);
    Net::of(make, words.number("width", 8)?, data, words.number("init", seed)?)
}
