//! Winograd's F(4×4, 3×3): see `kernels/winograd.cu`.

use super::convolution::{Chunk, Passing};
use super::machine::{Argument, Grid, Keep, Matrix, Product, launch};
use super::memory::Memory;
use crate::Result;
use crate::engine::Window;

/// How many outputs a tile has in each direction.
const OUT: usize = 4;
/// How many weights a window has.
const WEIGHTS: usize = 9;
/// How many numbers a tile's window has, each of which has a product of its own.
const PLACES: usize = 36;
/// So many sums side by side keep a GPU busy: as many blocks of 64 by 64 as it has processors, twice.
const SUMS: usize = 256 * 64 * 64;

impl Passing<'_> {
    pub(super) fn forward_in_tiles(
        &self,
        image: &Memory,
        weight: &Memory,
        out: &Memory,
    ) -> Result<()> {
        let places = self.weight_places("winograd_weights", weight)?;
        let weights = Matrix::new(&places, self.input[0]);
        self.through_tiles(image, weights, out, Keep::Nothing)
    }

    /// Of the convolution that is turned: slopes are what comes in.
    pub(super) fn back_in_tiles(
        &self,
        slopes: &Memory,
        weight: &Memory,
        gradient: &Memory,
        keep: Keep,
    ) -> Result<()> {
        let places = self.weight_places("winograd_turned_weights", weight)?;
        let weights = Matrix::new(&places, self.output[0]).transposed();
        self.through_tiles(slopes, weights, gradient, keep)
    }

    pub(super) fn learn_in_tiles(
        &self,
        image: &Memory,
        slopes: &Memory,
        gradient: &Memory,
    ) -> Result<()> {
        let (hands, [inputs, outputs]) = (self.hands, [self.input[0], self.output[0]]);
        let count = inputs * outputs;
        for chunk in self.tile_chunks() {
            let parts = parts(chunk.count, count);
            let windows = self.places_of("winograd_windows", image, inputs, chunk, parts)?;
            let slopes = self.places_of("winograd_slopes", slopes, outputs, chunk, parts)?;
            let columns = chunk.count / parts * self.batch;
            let sums = hands.reserve(parts * PLACES * count)?;
            hands.multiply_each(
                parts * PLACES,
                Product {
                    size: [outputs, inputs, columns],
                    a: Matrix::new(&slopes, columns),
                    b: Matrix::new(&windows, columns).transposed(),
                    c: Matrix::new(&sums, inputs),
                    keep: Keep::Nothing,
                },
            )?;
            let keep = if chunk.first == 0 { Keep::Nothing } else { Keep::All };
            let grid = Grid::Each(count);
            launch!(hands, winograd_learned, grid, &sums, gradient, count, parts, keep)?;
        }
        Ok(())
    }

    /// Whether the way is possible and costs less: a quarter of the products where tiles are whole.
    pub(super) fn is_shorter_in_tiles(&self) -> bool {
        let Window { kernel, stride, .. } = self.window;
        let is_possible = kernel == [3, 3] && stride == 1;
        // It shall have half of the products at most,
        let has_fewer_products = 2 * PLACES * self.tiles() <= WEIGHTS * self.places();
        // and move fewer numbers: 36 for each tile of 16 pixels, of what comes in and of what goes out, where
        // windows are nine times what comes in.
        let [inputs, outputs] = [self.input[0], self.output[0]];
        let moves_fewer = PLACES * (inputs + outputs) <= OUT * OUT * WEIGHTS * inputs;
        is_possible && has_fewer_products && moves_fewer
    }

    /// What a kernel makes of weights, `(place, weight)`.
    fn weight_places(&self, kernel: &'static str, weight: &Memory) -> Result<Memory> {
        let count = weight.len() / WEIGHTS;
        let places = self.hands.reserve(PLACES * count)?;
        let mut arguments = [weight.into(), (&places).into(), count.into()];
        self.hands.launch(kernel, Grid::Each(count), &mut arguments)?;
        Ok(places)
    }

    /// How many tiles cover what comes out.
    fn tiles(&self) -> usize {
        self.output[1].div_ceil(OUT) * self.output[2].div_ceil(OUT)
    }

    /// The convolution with transformed weights `(place, outputs, inputs)`.
    fn through_tiles(
        &self,
        image: &Memory,
        weights: Matrix,
        out: &Memory,
        keep: Keep,
    ) -> Result<()> {
        let [inputs, outputs] = [self.input[0], self.output[0]];
        for chunk in self.tile_chunks() {
            let windows = self.places_of("winograd_windows", image, inputs, chunk, 1)?;
            let columns = chunk.count * self.batch;
            let products = self.hands.reserve(PLACES * outputs * columns)?;
            self.hands.multiply_each(
                PLACES,
                Product {
                    size: [outputs, columns, inputs],
                    a: weights,
                    b: Matrix::new(&windows, columns),
                    c: Matrix::new(&products, columns),
                    keep: Keep::Nothing,
                },
            )?;
            let mut arguments = self.tile_arguments([&products, out], chunk, 1);
            arguments.push(keep.into());
            let grid = Grid::Table { rows: outputs, columns };
            self.hands.launch("winograd_outputs", grid, &mut arguments)?;
        }
        Ok(())
    }

    /// What a kernel makes of an image's tiles, `(part, place, channel, tile·B)`.
    fn places_of(
        &self,
        kernel: &'static str,
        image: &Memory,
        channels: usize,
        chunk: Chunk,
        parts: usize,
    ) -> Result<Memory> {
        let columns = chunk.count * self.batch;
        let places = self.hands.reserve(PLACES * channels * columns)?;
        let grid = Grid::Table { rows: channels, columns };
        self.hands.launch(
            kernel,
            grid,
            &mut self.tile_arguments([image, &places], chunk, parts),
        )?;
        Ok(places)
    }

    /// What kernels of tiles take.
    fn tile_arguments(
        &self,
        [from, to]: [&Memory; 2],
        chunk: Chunk,
        parts: usize,
    ) -> Vec<Argument> {
        let Chunk { first, count } = chunk;
        let sizes = [self.batch, first, count, count / parts].map(Argument::from);
        [from.into(), to.into(), self.standing().into()].into_iter().chain(sizes).collect()
    }

    /// All tiles, in pieces that fit into the workspace once they are transformed.
    fn tile_chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let tiles = self.tiles();
        let tile = PLACES * (self.input[0] + self.output[0]) * self.batch;
        let count = (self.workspace / tile).clamp(1, tiles);
        let firsts = (0..tiles).step_by(count);
        firsts.map(move |first| Chunk { first, count: count.min(tiles - first) })
    }
}

/// Into how many parts the sums over tiles are split, so that there are enough of them side by side.
fn parts(tiles: usize, weights: usize) -> usize {
    let wanted = SUMS.div_ceil(PLACES * weights);
    let divides = |parts: &usize| tiles.is_multiple_of(*parts);
    (1..=wanted.min(tiles)).rev().find(divides).expect("one divides every number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_split_evenly_and_no_more_than_it_takes() {
        // ResNet-18's four stages on pictures of 32 pixels.
        assert_eq!(parts(64, 64 * 64), 8);
        assert_eq!(parts(16, 128 * 128), 2);
        assert_eq!(parts(4, 256 * 256), 1);
        assert_eq!(parts(1, 512 * 512), 1);
        // Tiles that do not divide by four, and fewer of them than parts.
        assert_eq!(parts(49, 64 * 64), 7);
        assert_eq!(parts(4, 16 * 16), 4);
    }
}
