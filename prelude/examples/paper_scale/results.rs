//! What comes out of each stage.

use super::made::Made;
use super::stage::Stage;
use erm::prelude::*;

/// The radii at which nets are attacked. Paper: Table 7.
pub const EPSILONS: [f32; 2] = [0.25, 0.5];
/// In so many steps of 2.5 · ε / steps, from the picture itself: as the authors judge the nets that they
/// have published. The paper does not say how it was done for its tables.
const STEPS: usize = 100;

/// What nets are attacked with.
pub fn attack(epsilon: f32) -> Pgd {
    Pgd::l2(epsilon).steps(STEPS)
}

impl Made {
    /// The record with the results of a stage.
    ///
    /// # Errors
    /// If the cache folder cannot be written, or if the stage is interrupted.
    pub fn results(&self, stage: Stage, record: Record) -> Result<Record> {
        let sizes = &self.sizes;
        match stage {
            Stage::Standard => self.withstood(self.standard()?, record),
            Stage::Robust => self.withstood(self.robust()?, record),
            Stage::DDet => self.misled(&self.d_det()?, &sizes.d_det, record),
            Stage::DRand => self.misled(&self.d_rand()?, &sizes.d_rand, record),
            Stage::DRandWrong => self.misled(&self.d_rand_wrong()?, &sizes.d_rand, record),
            Stage::DR => self.withstood(self.student(&self.d_r()?, &sizes.d_r)?, record),
            Stage::DNr => self.withstood(self.student(&self.d_nr()?, &sizes.d_r)?, record),
        }
    }

    /// What a student of wrong labels says of the test set.
    fn misled(&self, set: &Dataset, recipe: &Recipe, record: Record) -> Result<Record> {
        let (test, teacher) = (&self.data.test, self.standard()?.0);
        let (student, log) = self.student(set, recipe)?;
        let next = features::d_det_targets(test)?;
        let reached = judge::accuracy(&teacher, set)?;
        let truth = judge::accuracy(&student, test)?;
        let moved_on = judge::success(&student, &test.images, &next)?;
        Ok(learned(record, &log)
            .value("built images that reach their target, %", 100.0 * reached)
            .value("test accuracy, %", 100.0 * truth)
            .value("test accuracy on y + 1, %", 100.0 * moved_on))
    }

    /// How far a net withstands attacks on test images. Their adversarial examples are kept as sets are,
    /// so that a long attack may take more time than there is at once.
    fn withstood(&self, (net, log): (Net, Log), record: Record) -> Result<Record> {
        let test = &self.data.test;
        let untouched = judge::accuracy(&net, test)?;
        let record = learned(record, &log).value("test accuracy, %", 100.0 * untouched);
        let some = test.take(self.sizes.attacked)?;
        EPSILONS.iter().try_fold(record, |record, epsilon| {
            let adversarial = features::adversarial(&net, &some, &attack(*epsilon))?;
            let moved = judge::distance(&some.images, &adversarial.images, Norm::L2)?;
            if !moved.within(*epsilon) {
                let expected = format!("perturbations of at most {epsilon}");
                let remedy = "This is a fault of the attack: please report it.";
                return Err(Error::invalid(expected, moved.to_string(), remedy));
            }
            let accuracy = judge::accuracy(&net, &adversarial)?;
            Ok(record.value(format!("test accuracy at {epsilon}, %"), 100.0 * accuracy))
        })
    }
}

/// The record with every epoch of a training.
fn learned(record: Record, log: &Log) -> Record {
    let Record { values, .. } = log.record("training");
    let record = values.into_iter().fold(record, |record, (name, values)| {
        record.values(format!("{name}, epoch by epoch"), &values)
    });
    record.value("seconds of training", log.seconds())
}
