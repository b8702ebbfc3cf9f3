//! A convolution as products of matrices, of as many output pixels at once as there is room for.

use super::convolution::{Chunk, Passing};
use super::machine::{Argument, Grid, Keep, Matrix, Product};
use super::memory::Memory;
use crate::Result;
use crate::engine::Window;

impl Passing<'_> {
    /// `out = weight · windows`.
    pub(super) fn forward_in_windows(
        &self,
        image: &Memory,
        weight: &Memory,
        out: &Memory,
    ) -> Result<()> {
        for chunk in self.chunks() {
            let windows = self.windows(image, chunk)?;
            self.hands.multiply(Product {
                size: [self.output[0], self.columns(chunk), self.rows()],
                a: Matrix::new(weight, self.rows()),
                b: Matrix::new(&windows, self.columns(chunk)),
                c: self.outside(out, chunk),
                keep: Keep::Nothing,
            })?;
        }
        Ok(())
    }

    /// The weight's gradient, from the slopes at what came out: `slopes · windowsᵀ`.
    pub(super) fn learn_in_windows(
        &self,
        image: &Memory,
        slopes: &Memory,
        gradient: &Memory,
    ) -> Result<()> {
        for chunk in self.chunks() {
            let windows = self.windows(image, chunk)?;
            self.hands.multiply(Product {
                size: [self.output[0], self.rows(), self.columns(chunk)],
                a: self.outside(slopes, chunk),
                b: Matrix::new(&windows, self.columns(chunk)).transposed(),
                c: Matrix::new(gradient, self.rows()),
                keep: if chunk.first == 0 { Keep::Nothing } else { Keep::All },
            })?;
        }
        Ok(())
    }

    /// The gradient of what came in: `weightᵀ · slopes`, and from there back to the pixels.
    pub(super) fn back_in_windows(
        &self,
        slopes: &Memory,
        weight: &Memory,
        gradient: &Memory,
        keep: Keep,
    ) -> Result<()> {
        for chunk in self.chunks() {
            if self.is_plain() {
                return self.spread(slopes, weight, gradient, chunk, keep);
            }
            let keep = if chunk.first == 0 { keep } else { Keep::All };
            let windows = self.hands.reserve(self.rows() * self.columns(chunk))?;
            self.spread(slopes, weight, &windows, chunk, Keep::Nothing)?;
            self.collect(&windows, gradient, chunk, keep)?;
        }
        Ok(())
    }

    /// The gradient of what a chunk's windows have read: `weightᵀ · slopes`.
    fn spread(
        &self,
        slopes: &Memory,
        weight: &Memory,
        windows: &Memory,
        chunk: Chunk,
        keep: Keep,
    ) -> Result<()> {
        self.hands.multiply(Product {
            size: [self.rows(), self.columns(chunk), self.output[0]],
            a: Matrix::new(weight, self.rows()).transposed(),
            b: self.outside(slopes, chunk),
            c: Matrix::new(windows, self.columns(chunk)),
            keep,
        })
    }

    /// How many numbers a window has.
    fn rows(&self) -> usize {
        self.input[0] * self.window.kernel[0] * self.window.kernel[1]
    }

    fn columns(&self, chunk: Chunk) -> usize {
        chunk.count * self.batch
    }

    /// Whether the windows are the image itself.
    fn is_plain(&self) -> bool {
        let Window { kernel, stride, padding } = self.window;
        kernel == [1, 1] && stride == 1 && padding == [0, 0]
    }

    /// All output pixels, in pieces whose windows fit into the workspace; in one where they need none.
    fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let (places, pixel) = (self.places(), self.rows() * self.batch);
        let count = match self.is_plain() {
            true => places,
            false => (self.workspace / pixel).clamp(1, places),
        };
        let firsts = (0..places).step_by(count);
        firsts.map(move |first| Chunk { first, count: count.min(places - first) })
    }

    /// A chunk of what comes out, as a matrix.
    fn outside<'a>(&self, image: &'a Memory, chunk: Chunk) -> Matrix<'a> {
        Matrix::new(image, self.places() * self.batch).from(chunk.first * self.batch)
    }

    /// What a chunk's windows read: `(C·kernel, count·B)`.
    fn windows(&self, image: &Memory, chunk: Chunk) -> Result<Memory> {
        if self.is_plain() {
            return Ok(image.clone());
        }
        let (rows, columns) = (self.rows(), self.columns(chunk));
        let windows = self.hands.reserve(rows * columns)?;
        let kernel = self.kernel(["gather_windows", "gather_windows_of_four"]);
        let grid = Grid::Table { rows, columns: columns / self.at_once() };
        self.hands.launch(kernel, grid, &mut self.arguments([image, &windows], chunk))?;
        Ok(windows)
    }

    /// The way back from the windows of a chunk to the pixels.
    fn collect(&self, windows: &Memory, image: &Memory, chunk: Chunk, keep: Keep) -> Result<()> {
        let [channels, height, width] = self.input;
        let kernel = self.kernel(["collect_windows", "collect_windows_of_four"]);
        let columns = height * width * self.batch / self.at_once();
        let mut arguments = self.arguments([windows, image], chunk);
        arguments.push(keep.into());
        self.hands.launch(kernel, Grid::Table { rows: channels, columns }, &mut arguments)
    }

    /// How many pictures' numbers a thread moves at once.
    fn at_once(&self) -> usize {
        if self.batch.is_multiple_of(4) { 4 } else { 1 }
    }

    /// The kernel that moves one number at a time or the one that moves four.
    fn kernel(&self, [one, four]: [&'static str; 2]) -> &'static str {
        if self.at_once() == 4 { four } else { one }
    }

    /// What these kernels take, up to a chunk's size.
    fn arguments(&self, [from, to]: [&Memory; 2], chunk: Chunk) -> Vec<Argument> {
        let sizes = [self.batch, chunk.first, chunk.count].map(Argument::from);
        [from.into(), to.into(), self.standing().into()].into_iter().chain(sizes).collect()
    }
}
