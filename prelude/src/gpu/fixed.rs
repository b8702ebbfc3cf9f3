//! A net with fixed numbers: asked, and attacked without a picture leaving the machine.

use super::forward::{Passage, Purpose};
use super::machine::{Grid, launch};
use super::memory::{Hands, Memory};
use super::model::Model;
use super::party::Party;
use crate::Result;
use crate::attack::{Decide, Goal, Hill, Loss, Norm, Ready, SMALL, Search, Walk};
use crate::engine::Weights;

/// A net in evaluation mode on a machine.
pub(crate) struct Fixed(Model);

/// A hill whose numbers are on the machine.
pub(super) enum Aim {
    /// The class of each picture.
    Classes(Goal, Memory),
    /// The representation of each picture, `(F, B)`.
    Representations(Memory),
}

impl Fixed {
    pub fn new(hands: &Hands, weights: &Weights) -> Result<Self> {
        Ok(Self(Model::new(hands, weights)?))
    }

    pub(super) fn of(model: Model) -> Self {
        Self(model)
    }

    pub(super) fn hands(&self) -> &Hands {
        &self.0.hands
    }

    /// The classes of pictures, there.
    pub(super) fn classes(&self, classes: &[usize]) -> Result<Memory> {
        self.0.classes(classes)
    }

    fn aim(&self, hill: Hill) -> Result<Aim> {
        let hands = &self.0.hands;
        Ok(match hill {
            Hill::Goal(goal, classes) => Aim::Classes(goal, self.0.classes(classes)?),
            Hill::Toward(aims) => {
                let batch = aims.len() / self.0.start.head.features();
                Aim::Representations(hands.upload(&transposed(aims, batch))?)
            }
        })
    }

    /// What the net says of pictures `(B, pixels)`, and the gradient with respect to them.
    pub(super) fn look_there(&self, pictures: &Memory, aim: &Aim) -> Result<(Passage, Memory)> {
        let passage = self.0.forward(pictures, Purpose::Attack)?;
        let gradient = match aim {
            Aim::Classes(goal, classes) => {
                let slopes = self.0.slopes(&passage, *goal, classes)?;
                self.0.back_to_pictures(&passage, &slopes)?
            }
            Aim::Representations(aims) => {
                let features = &passage.features;
                let (slopes, count) = (self.0.hands.reserve(aims.len())?, aims.len());
                let grid = Grid::Each(count);
                launch!(self.0.hands, toward, grid, features, aims, &slopes, count)?;
                self.0.back_from_features(&passage, &slopes)?
            }
        };
        Ok((passage, gradient))
    }

    /// One step of the walk, there.
    fn step(&self, walk: Walk, x: &Memory, center: &Memory, gradient: &Memory) -> Result<()> {
        let Walk { norm, epsilon, step_size, .. } = walk;
        let (hands, columns) = (&self.0.hands, self.0.start.picture());
        let grid = Grid::Rows { rows: x.len() / columns, columns };
        match norm {
            Norm::L2 => {
                launch!(hands, step_l2, grid, x, center, gradient, columns, epsilon, step_size)
            }
            Norm::Linf => {
                launch!(hands, step_linf, grid, x, center, gradient, columns, epsilon, step_size)
            }
        }
    }

    /// Numbers `(rows, B)`, a row a picture.
    pub(super) fn rows(&self, values: &Memory, batch: usize) -> Result<Vec<f32>> {
        Ok(transposed(&self.0.hands.read(values)?, values.len() / batch))
    }
}

impl Model {
    /// A goal's slopes at the logits, `(classes, B)`.
    fn slopes(&self, passage: &Passage, goal: Goal, classes: &Memory) -> Result<Memory> {
        let (hands, logits, batch) = (&self.hands, &passage.logits, passage.batch);
        let slopes = hands.reserve(logits.len())?;
        let (count, grid) = (logits.len() / batch, Grid::Each(batch));
        match goal {
            Goal::Away(Loss::CrossEntropy) => {
                self.cross_entropy(passage, classes, &slopes, 1.0).map(drop)
            }
            Goal::Toward => self.cross_entropy(passage, classes, &slopes, -1.0).map(drop),
            Goal::Away(Loss::Margin) => {
                launch!(hands, margin, grid, logits, classes, &slopes, count, batch)
            }
            Goal::Away(Loss::Dlr) => {
                launch!(hands, logits_ratio, grid, logits, classes, &slopes, count, batch, SMALL)
            }
        }?;
        Ok(slopes)
    }

    /// Writes the slopes of the cross-entropy times a factor; the losses themselves, one a picture.
    pub(super) fn cross_entropy(
        &self,
        passage: &Passage,
        classes: &Memory,
        slopes: &Memory,
        factor: f32,
    ) -> Result<Memory> {
        let (logits, batch) = (&passage.logits, passage.batch);
        let (losses, count) = (self.hands.reserve(batch)?, logits.len() / batch);
        let grid = Grid::Each(batch);
        launch!(
            self.hands,
            cross_entropy,
            grid,
            logits,
            classes,
            slopes,
            &losses,
            count,
            batch,
            factor,
        )?;
        Ok(losses)
    }
}

impl Ready for Fixed {
    fn logits(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        let passage = self.0.forward(&self.0.hands.upload(pictures)?, Purpose::Answer)?;
        self.rows(&passage.logits, passage.batch)
    }

    fn representations(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        let passage = self.0.forward(&self.0.hands.upload(pictures)?, Purpose::Answer)?;
        self.rows(&passage.features, passage.batch)
    }

    fn look(&self, pictures: &[f32], hill: Hill) -> Result<(Vec<f32>, Vec<f32>)> {
        let (passage, gradient) =
            self.look_there(&self.0.hands.upload(pictures)?, &self.aim(hill)?)?;
        let values = match hill {
            Hill::Goal(..) => &passage.logits,
            Hill::Toward(_) => &passage.features,
        };
        Ok((self.rows(values, passage.batch)?, self.0.hands.read(&gradient)?))
    }

    fn ascend(
        &self,
        walk: Walk,
        center: &[f32],
        x: Vec<f32>,
        hill: Hill,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>> {
        let hands = &self.0.hands;
        let (center, x, aim) = (hands.upload(center)?, hands.upload(&x)?, self.aim(hill)?);
        for _ in 0..walk.steps {
            go_on()?;
            let (_, gradient) = self.look_there(&x, &aim)?;
            self.step(walk, &x, &center, &gradient)?;
        }
        hands.read(&x)
    }

    fn search(&self, search: &Search, decide: &mut Decide) -> Result<Vec<f32>> {
        Party::new(self, search)?.search(decide)
    }
}

/// A matrix of so many rows, column after column.
pub(super) fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    let at = |place: usize| values[place % rows * columns + place / rows];
    (0..values.len()).map(at).collect()
}
