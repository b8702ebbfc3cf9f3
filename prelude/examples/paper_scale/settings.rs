//! What the results of each stage depend on, as settings of its record.

use super::made::{Made, STUDENT_SEED, TARGET_SEED};
use super::results::{EPSILONS, attack};
use super::stage::Stage;
use erm::prelude::*;

impl Made {
    /// The record with the settings of a stage.
    pub fn settings(&self, stage: Stage, record: Record) -> Record {
        let sizes = &self.sizes;
        let record = self.common(stage, record);
        let by_attack = sizes.attack.to_string();
        match stage {
            Stage::Standard | Stage::Robust => self.attacked(record),
            Stage::DDet => built(record, &sizes.d_det, by_attack, sizes.images),
            Stage::DRand | Stage::DRandWrong => {
                let record = record.with("seed of the targets", TARGET_SEED);
                built(record, &sizes.d_rand, by_attack, sizes.images)
            }
            Stage::DR | Stage::DNr => {
                let by_inversion = sizes.inversion.to_string();
                self.attacked(built(record, &sizes.d_r, by_inversion, sizes.inverted))
            }
        }
    }

    /// The data, the net, and how the net learned that a stage trains or reads.
    fn common(&self, stage: Stage, record: Record) -> Record {
        let Self { data, sizes, fingerprints } = self;
        let recipe = match stage {
            Stage::Robust | Stage::DR => &sizes.robust,
            _ => &sizes.teacher,
        };
        record
            .with("data", data.train.name.as_str())
            .with("data's fingerprints", fingerprints.as_str())
            .with("net", format!("{}, width {}", sizes.architecture, sizes.width))
            .with("recipe", recipe.to_string())
    }

    /// How the stage's net is attacked.
    fn attacked(&self, record: Record) -> Record {
        let attacks = EPSILONS.map(|epsilon| attack(epsilon).to_string());
        record.with("attacks", attacks.join("; ")).with("attacked test images", self.sizes.attacked)
    }
}

/// How the stage's set is built, and its student learns.
fn built(record: Record, student: &Recipe, by: String, images: usize) -> Record {
    record
        .with("built by", by)
        .with("images", images)
        .with("student's recipe", student.to_string())
        .with("student's seed", STUDENT_SEED)
}
