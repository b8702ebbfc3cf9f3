//! From pictures to logits.

use super::convolution::Passing;
use super::machine::{Grid, Keep, Matrix, Product, launch};
use super::memory::Memory;
use super::model::{Model, Moments};
use crate::Result;
use crate::engine::{Convolution, Dropout, Kind, Norm, Window};

/// What a pass is for, which decides whose statistics a batch norm uses and what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The logits alone.
    Answer,
    /// The way back to the pictures.
    Attack,
    /// The way back to the parameters.
    Training,
}

/// What a pass has left behind for the way back.
pub(super) struct Passage {
    pub batch: usize,
    /// What came out of each node, `(C·H·W, B)`, as far as it is still needed.
    pub values: Vec<Option<Memory>>,
    /// What the batch norms saw of a batch in training.
    pub moments: Vec<Option<Moments>>,
    /// What the linear layer reads, `(F, B)`, and the factors of dropout.
    pub features: Memory,
    pub dropout: Option<Memory>,
    /// `(classes, B)`.
    pub logits: Memory,
}

/// A pass under way.
struct Forward<'a> {
    model: &'a Model,
    purpose: Purpose,
    batch: usize,
    values: Vec<Option<Memory>>,
    moments: Vec<Option<Moments>>,
    /// By how many nodes each one will still be used.
    uses: Vec<usize>,
}

impl Model {
    /// From pictures `(B, pixels)` to logits.
    pub fn forward(&self, pictures: &Memory, purpose: Purpose) -> Result<Passage> {
        let batch = pictures.len() / self.start.picture();
        let nodes = self.start.nodes.len();
        let mut pass = Forward {
            model: self,
            purpose,
            batch,
            values: vec![None; nodes],
            moments: vec![None; nodes],
            uses: self.uses.clone(),
        };
        pass.values[0] = Some(pass.enter(pictures)?);
        for node in 1..nodes {
            pass.values[node] = Some(pass.node(node)?);
            pass.forget(node);
        }
        let features = pass.features()?;
        let dropout = match purpose {
            Purpose::Training => pass.dropout(&features)?,
            _ => None,
        };
        let logits = pass.logits(&features)?;
        let Forward { values, moments, .. } = pass;
        Ok(Passage { batch, values, moments, features, dropout, logits })
    }

    /// A convolution between two nodes of a batch.
    pub fn passing(&self, node: usize, window: Window, batch: usize) -> Passing<'_> {
        let nodes = &self.start.nodes;
        let (input, output) = (nodes[nodes[node].inputs[0]].shape, nodes[node].shape);
        let (hands, workspace) = (&self.hands, self.workspace);
        Passing { hands, window, input, output, batch, workspace }
    }

    /// Whether a node may write over what comes in: nobody else reads it, not on the way back either.
    fn is_last_reader(&self, node: usize) -> bool {
        let input = self.start.nodes[node].inputs[0];
        let kind = &self.start.nodes[input].kind;
        self.uses[input] == 1 && matches!(kind, Kind::Conv(_) | Kind::Norm(_) | Kind::Sum)
    }
}

impl Forward<'_> {
    /// What comes out of a node.
    fn node(&mut self, node: usize) -> Result<Memory> {
        let model = self.model;
        let inputs = &model.start.nodes[node].inputs;
        let first = self.value(inputs[0]);
        match &model.start.nodes[node].kind {
            Kind::Picture => Ok(first),
            Kind::Conv(conv) => self.conv(node, conv, &first),
            Kind::Norm(norm) => self.norm(node, norm, &first),
            Kind::Relu => {
                let out = self.over(node, &first)?;
                launch!(model.hands, relu, Grid::Each(out.len()), &first, &out, out.len())?;
                Ok(out)
            }
            Kind::Max(window) => self.pool("largest", node, *window, &first),
            Kind::Mean(window) => self.pool("mean", node, *window, &first),
            Kind::Sum => {
                let out = model.hands.copy(&first)?;
                for other in &inputs[1..] {
                    self.add(&self.value(*other), &out, Keep::All)?;
                }
                Ok(out)
            }
            Kind::Concat => {
                let out = self.reserve(node)?;
                let mut start = 0;
                for input in inputs {
                    let value = self.value(*input);
                    self.add(&value, &out.part(start, value.len()), Keep::Nothing)?;
                    start += value.len();
                }
                Ok(out)
            }
        }
    }

    fn conv(&self, node: usize, conv: &Convolution, image: &Memory) -> Result<Memory> {
        let (model, out) = (self.model, self.reserve(node)?);
        let weight = model.of_node(&model.parameters, node, 0);
        model.passing(node, conv.window, self.batch).forward(image, &weight, &out)?;
        if conv.bias.is_some() {
            self.add_bias(&model.of_node(&model.parameters, node, 1), &out)?;
        }
        Ok(out)
    }

    /// With the batch's own statistics, which the running ones learn from, or with the latter.
    fn norm(&mut self, node: usize, norm: &Norm, x: &Memory) -> Result<Memory> {
        let (hands, channels) = (&self.model.hands, norm.weight.len());
        let columns = x.len() / channels;
        let running = self.model.statistics[node].clone().expect("every batch norm has them");
        let (moments, out) = match self.purpose {
            Purpose::Training => {
                let seen =
                    Moments { mean: hands.reserve(channels)?, var: hands.reserve(channels)? };
                let grid = Grid::Rows { rows: channels, columns };
                launch!(hands, moments, grid, x, &seen.mean, &seen.var, columns)?;
                self.moments[node] = Some(seen.clone());
                (seen, self.reserve(node)?)
            }
            _ => (running, self.over(node, x)?),
        };
        let [scale, shift] = self.model.factors(node, norm, &moments)?;
        let grid = Grid::Table { rows: channels, columns };
        launch!(hands, scale_and_shift, grid, x, &out, &scale, &shift, columns)?;
        Ok(out)
    }

    fn pool(
        &self,
        kernel: &'static str,
        node: usize,
        window: Window,
        image: &Memory,
    ) -> Result<Memory> {
        let (out, passing) = (self.reserve(node)?, self.model.passing(node, window, self.batch));
        let [rows, height, width] = passing.output;
        let grid = Grid::Table { rows, columns: height * width * self.batch };
        let window = passing.standing().into();
        let mut arguments = [image.into(), (&out).into(), window, self.batch.into()];
        self.model.hands.launch(kernel, grid, &mut arguments)?;
        Ok(out)
    }

    /// Normalised pictures, `(pixels, B)`.
    fn enter(&self, pictures: &Memory) -> Result<Memory> {
        let (hands, image) = (&self.model.hands, self.reserve(0)?);
        let [channels, height, width] = self.model.start.nodes[0].shape;
        let plane = height * width;
        let [means, deviations] = &self.model.colours;
        let grid = Grid::Table { rows: channels, columns: plane * self.batch };
        launch!(
            hands,
            enter,
            grid,
            pictures,
            &image,
            means,
            deviations,
            plane,
            channels * plane,
            self.batch,
        )?;
        Ok(image)
    }

    /// The means over the pixels of the last image.
    fn features(&self) -> Result<Memory> {
        let (model, last) = (self.model, self.model.start.nodes.len() - 1);
        let [channels, height, width] = model.start.nodes[last].shape;
        let features = model.hands.reserve(channels * self.batch)?;
        let grid = Grid::Table { rows: channels, columns: self.batch };
        let (image, pixels) = (self.value(last), height * width);
        launch!(model.hands, mean_of_pixels, grid, &image, &features, pixels, self.batch)?;
        Ok(features)
    }

    /// Leaves some features out, those that the engine would leave out.
    fn dropout(&self, features: &Memory) -> Result<Option<Memory>> {
        let model = self.model;
        if model.start.dropout == 0.0 {
            return Ok(None);
        }
        let [_, bias] = model.of_head(&model.parameters);
        let dropout = Dropout::new(model.start.dropout, &model.hands.read(&bias)?);
        let factors = dropout.of_batch(features.len() / self.batch, self.batch);
        let factors = model.hands.upload(&factors)?;
        let grid = Grid::Each(features.len());
        launch!(model.hands, multiply, grid, &factors, features, features.len())?;
        Ok(Some(factors))
    }

    /// `(classes, B)`.
    fn logits(&self, features: &Memory) -> Result<Memory> {
        let (model, inputs) = (self.model, self.model.start.head.features());
        let classes = model.start.head.classes();
        let [weight, bias] = model.of_head(&model.parameters);
        let logits = model.hands.reserve(classes * self.batch)?;
        model.hands.multiply(Product {
            size: [classes, self.batch, inputs],
            a: Matrix::new(&weight, inputs),
            b: Matrix::new(features, self.batch),
            c: Matrix::new(&logits, self.batch),
            keep: Keep::Nothing,
        })?;
        self.add_bias(&bias, &logits)?;
        Ok(logits)
    }

    /// Each row plus its number.
    fn add_bias(&self, bias: &Memory, out: &Memory) -> Result<()> {
        let (rows, columns) = (bias.len(), out.len() / bias.len());
        launch!(self.model.hands, add_to_rows, Grid::Table { rows, columns }, bias, out, columns)
    }

    fn add(&self, x: &Memory, y: &Memory, keep: Keep) -> Result<()> {
        launch!(self.model.hands, add, Grid::Each(y.len()), x, y, y.len(), keep)
    }

    fn reserve(&self, node: usize) -> Result<Memory> {
        self.model.hands.reserve(self.model.size(node, self.batch))
    }

    /// Where a node writes that can do so in place.
    fn over(&self, node: usize, input: &Memory) -> Result<Memory> {
        match self.model.is_last_reader(node) {
            true => Ok(input.clone()),
            false => self.reserve(node),
        }
    }

    fn value(&self, node: usize) -> Memory {
        self.values[node].clone().expect("a node comes after what goes into it")
    }

    /// Lets go of what nobody will read any more.
    fn forget(&mut self, node: usize) {
        for input in &self.model.start.nodes[node].inputs {
            self.uses[*input] -= 1;
            if self.purpose == Purpose::Answer && self.uses[*input] == 0 {
                self.values[*input] = None;
            }
        }
    }
}

impl Model {
    /// A batch norm with these statistics as one factor and one summand a channel.
    pub fn factors(&self, node: usize, norm: &Norm, moments: &Moments) -> Result<[Memory; 2]> {
        let (hands, channels) = (&self.hands, norm.weight.len());
        let [scale, shift] = [hands.reserve(channels)?, hands.reserve(channels)?];
        let [weight, bias] = [0, 1].map(|index| self.of_node(&self.parameters, node, index));
        launch!(
            hands,
            norm_factors,
            Grid::Each(channels),
            &weight,
            &bias,
            &moments.mean,
            &moments.var,
            &scale,
            &shift,
            channels,
            norm.epsilon,
        )?;
        Ok([scale, shift])
    }
}
