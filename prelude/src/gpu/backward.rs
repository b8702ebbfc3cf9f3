//! From slopes at the logits or features back to pictures or parameters.

use super::forward::Passage;
use super::machine::{Argument, Grid, Keep, Matrix, Product, launch};
use super::memory::Memory;
use super::model::Model;
use crate::Result;
use crate::engine::{Convolution, Kind, Norm, Window};

/// A way back under way.
struct Backward<'a> {
    model: &'a Model,
    passage: &'a Passage,
    /// Where the parameters' gradients go in training.
    learned: Option<&'a Memory>,
    /// The gradient at each node, as far as it is known and not yet passed on.
    gradients: Vec<Option<Memory>>,
}

impl Model {
    /// The pictures' gradient `(B, pixels)`, from the slopes at the logits, `(classes, B)`.
    pub fn back_to_pictures(&self, passage: &Passage, slopes: &Memory) -> Result<Memory> {
        let features = self.back_to_features(passage, slopes)?;
        let last = self.start.nodes.len() - 1;
        self.leave(passage, Backward::new(self, passage, None).run(last, &features)?)
    }

    /// The same from the slopes at the features, `(F, B)`, with the last ReLU taken as open.
    pub fn back_from_features(&self, passage: &Passage, slopes: &Memory) -> Result<Memory> {
        let last = self.start.nodes.len() - 1;
        let end = match self.start.nodes[last].kind {
            Kind::Relu => self.start.nodes[last].inputs[0],
            _ => last,
        };
        self.leave(passage, Backward::new(self, passage, None).run(end, slopes)?)
    }

    /// The gradient of every parameter, in their order, from the slopes at the logits, `(classes, B)`.
    pub fn back_to_parameters(&self, passage: &Passage, slopes: &Memory) -> Result<Memory> {
        let gradient = self.hands.reserve(self.parameters.len())?;
        let (classes, batch) = (self.start.head.classes(), passage.batch);
        let inputs = self.start.head.features();
        let [weight, bias] = self.of_head(&gradient);
        self.hands.multiply(Product {
            size: [classes, inputs, batch],
            a: Matrix::new(slopes, batch),
            b: Matrix::new(&passage.features, batch).transposed(),
            c: Matrix::new(&weight, inputs),
            keep: Keep::Nothing,
        })?;
        let grid = Grid::Rows { rows: classes, columns: batch };
        launch!(self.hands, row_sums, grid, slopes, &bias, batch)?;
        let features = self.back_to_features(passage, slopes)?;
        let last = self.start.nodes.len() - 1;
        Backward::new(self, passage, Some(&gradient)).run(last, &features)?;
        Ok(gradient)
    }

    /// The slopes at the features.
    fn back_to_features(&self, passage: &Passage, slopes: &Memory) -> Result<Memory> {
        let (classes, batch) = (self.start.head.classes(), passage.batch);
        let features = self.hands.reserve(passage.features.len())?;
        let inputs = self.start.head.features();
        let [weight, _] = self.of_head(&self.parameters);
        self.hands.multiply(Product {
            size: [inputs, batch, classes],
            a: Matrix::new(&weight, inputs).transposed(),
            b: Matrix::new(slopes, batch),
            c: Matrix::new(&features, batch),
            keep: Keep::Nothing,
        })?;
        if let Some(factors) = &passage.dropout {
            let grid = Grid::Each(features.len());
            launch!(self.hands, multiply, grid, factors, &features, features.len())?;
        }
        Ok(features)
    }

    /// The gradient at the normalised image, `(pixels, B)`, as that of the pictures, `(B, pixels)`.
    fn leave(&self, passage: &Passage, image: Option<Memory>) -> Result<Memory> {
        let image = image.expect("the first convolution reads the pictures");
        let pictures = self.hands.reserve(image.len())?;
        let [channels, height, width] = self.start.nodes[0].shape;
        let (plane, batch) = (height * width, passage.batch);
        let [_, deviations] = &self.colours;
        let grid = Grid::Table { rows: channels, columns: plane * batch };
        let pixels = channels * plane;
        launch!(self.hands, leave, grid, &image, &pictures, deviations, plane, pixels, batch)?;
        Ok(pictures)
    }
}

impl<'a> Backward<'a> {
    fn new(model: &'a Model, passage: &'a Passage, learned: Option<&'a Memory>) -> Self {
        let gradients = vec![None; model.start.nodes.len()];
        Self { model, passage, learned, gradients }
    }

    /// From slopes at the features back through node `end` and all before it; the gradient at the
    /// normalised image, unless only parameters are wanted.
    fn run(mut self, end: usize, features: &Memory) -> Result<Option<Memory>> {
        let [channels, height, width] = self.model.start.nodes[end].shape;
        let (pixels, batch) = (height * width, self.passage.batch);
        let slopes = self.reserve(end)?;
        let grid = Grid::Table { rows: channels, columns: pixels * batch };
        launch!(self.model.hands, mean_of_pixels_back, grid, features, &slopes, pixels, batch)?;
        self.gradients[end] = Some(slopes);
        for node in (1..=end).rev() {
            if let Some(slopes) = self.gradients[node].take() {
                self.node(node, slopes)?;
            }
        }
        Ok(self.gradients[0].take())
    }

    /// From the slopes at what came out of a node to what went in.
    fn node(&mut self, node: usize, slopes: Memory) -> Result<()> {
        let model = self.model;
        let inputs = &model.start.nodes[node].inputs;
        match &model.start.nodes[node].kind {
            Kind::Picture => Ok(()),
            Kind::Conv(conv) => self.conv(node, conv, &slopes),
            Kind::Norm(norm) => self.norm(node, norm, &slopes),
            Kind::Relu => {
                let (gradient, keep) = self.over(inputs[0], &slopes);
                let (out, count) = (self.value(node), slopes.len());
                let grid = Grid::Each(count);
                launch!(model.hands, relu_back, grid, &out, &slopes, &gradient, count, keep)
            }
            Kind::Max(window) => {
                let read = [self.value(inputs[0]), self.value(node)];
                self.pool("largest_back", node, *window, &read, &slopes)
            }
            Kind::Mean(window) => self.pool("mean_back", node, *window, &[], &slopes),
            Kind::Sum => {
                let (last, others) = inputs.split_last().expect("a sum has terms");
                others.iter().try_for_each(|input| self.add(*input, &slopes))?;
                self.pass_on(*last, slopes)
            }
            Kind::Concat => {
                let mut start = 0;
                for input in inputs {
                    let len = model.size(*input, self.passage.batch);
                    self.pass_on(*input, slopes.part(start, len))?;
                    start += len;
                }
                Ok(())
            }
        }
    }

    fn conv(&mut self, node: usize, conv: &Convolution, slopes: &Memory) -> Result<()> {
        let (model, input) = (self.model, self.model.start.nodes[node].inputs[0]);
        let passing = model.passing(node, conv.window, self.passage.batch);
        if let Some(learned) = self.learned {
            let gradient = model.of_node(learned, node, 0);
            passing.learn(&self.value(input), slopes, &gradient)?;
            if conv.bias.is_some() {
                let gradient = model.of_node(learned, node, 1);
                let (rows, columns) = (gradient.len(), slopes.len() / gradient.len());
                let grid = Grid::Rows { rows, columns };
                launch!(model.hands, row_sums, grid, slopes, &gradient, columns)?;
            }
            // Nobody learns from the pictures' gradient.
            if input == 0 {
                return Ok(());
            }
        }
        let (gradient, keep) = self.anew(input)?;
        let weight = model.of_node(&model.parameters, node, 0);
        passing.back(slopes, &weight, &gradient, keep)
    }

    fn norm(&mut self, node: usize, norm: &Norm, slopes: &Memory) -> Result<()> {
        let (model, input) = (self.model, self.model.start.nodes[node].inputs[0]);
        let (gradient, keep) = self.over(input, slopes);
        let channels = norm.weight.len();
        let columns = slopes.len() / channels;
        let Some(learned) = self.learned else {
            let running = model.statistics[node].as_ref().expect("every batch norm has them");
            let [scale, _] = model.factors(node, norm, running)?;
            let grid = Grid::Table { rows: channels, columns };
            return launch!(
                model.hands,
                scale_back,
                grid,
                slopes,
                &gradient,
                &scale,
                columns,
                keep,
            );
        };
        let seen = self.passage.moments[node].as_ref().expect("it has been trained");
        let [to_weight, to_bias] = [0, 1].map(|index| model.of_node(learned, node, index));
        let weight = model.of_node(&model.parameters, node, 0);
        let grid = Grid::Rows { rows: channels, columns };
        launch!(
            model.hands,
            norm_back,
            grid,
            &self.value(input),
            slopes,
            &gradient,
            &weight,
            &seen.mean,
            &seen.var,
            &to_weight,
            &to_bias,
            columns,
            norm.epsilon,
            keep,
        )
    }

    fn pool(
        &mut self,
        kernel: &'static str,
        node: usize,
        window: Window,
        read: &[Memory],
        slopes: &Memory,
    ) -> Result<()> {
        let model = self.model;
        let (gradient, keep) = self.anew(model.start.nodes[node].inputs[0])?;
        let passing = model.passing(node, window, self.passage.batch);
        let memories = read.iter().chain([slopes, &gradient]).map(Into::into);
        let sizes = [passing.standing().into(), passing.batch.into(), keep.into()];
        let mut arguments: Vec<Argument> = memories.chain(sizes).collect();
        let [rows, height, width] = passing.input;
        let grid = Grid::Table { rows, columns: height * width * passing.batch };
        model.hands.launch(kernel, grid, &mut arguments)
    }

    /// Where the gradient at a node goes, for an operation that may write over the slopes that it reads.
    fn over(&mut self, node: usize, slopes: &Memory) -> (Memory, Keep) {
        match &self.gradients[node] {
            Some(gradient) => (gradient.clone(), Keep::All),
            None => {
                self.gradients[node] = Some(slopes.clone());
                (slopes.clone(), Keep::Nothing)
            }
        }
    }

    /// The same for one that may not.
    fn anew(&mut self, node: usize) -> Result<(Memory, Keep)> {
        if let Some(gradient) = &self.gradients[node] {
            return Ok((gradient.clone(), Keep::All));
        }
        let gradient = self.reserve(node)?;
        self.gradients[node] = Some(gradient.clone());
        Ok((gradient, Keep::Nothing))
    }

    /// Slopes that become the gradient at a node, or part of it.
    fn pass_on(&mut self, node: usize, slopes: Memory) -> Result<()> {
        match self.gradients[node] {
            Some(_) => self.add(node, &slopes),
            None => {
                self.gradients[node] = Some(slopes);
                Ok(())
            }
        }
    }

    /// Slopes that become part of the gradient at a node, and are read by others too.
    fn add(&mut self, node: usize, slopes: &Memory) -> Result<()> {
        let (gradient, keep) = self.anew(node)?;
        let grid = Grid::Each(slopes.len());
        launch!(self.model.hands, add, grid, slopes, &gradient, slopes.len(), keep)
    }

    fn reserve(&self, node: usize) -> Result<Memory> {
        self.model.hands.reserve(self.model.size(node, self.passage.batch))
    }

    fn value(&self, node: usize) -> Memory {
        self.passage.values[node].clone().expect("the way there has kept it")
    }
}
