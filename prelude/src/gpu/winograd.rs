//! Winograd's F(4×4, 3×3): see `kernels/winograd.cu`.

use super::convolution::{Chunk, Passing};
use super::machine::{Argument, Grid, Keep, Matrix, Product, launch};
use super::memory::{Hands, Memory};
use crate::Result;

/// How many outputs a tile has in each direction.
const OUT: usize = 4;
/// How many numbers a tile's window has, each of which has a product of its own.
const PLACES: usize = 36;
/// So many sums side by side keep a GPU busy: as many blocks of 64 by 64 as it has processors, twice.
const SUMS: usize = 256 * 64 * 64;

impl Passing {
    pub(super) fn forward_in_tiles(
        &self,
        hands: &Hands,
        image: &Memory,
        weight: &Memory,
        out: &Memory,
    ) -> Result<()> {
        let (places, count) = (hands.reserve(weight.len() / 9 * PLACES)?, weight.len() / 9);
        launch!(hands, winograd_weights, Grid::Each(count), weight, &places, count)?;
        let weights = Matrix::new(&places, self.input[0]);
        self.through_tiles(hands, image, weights, out, Keep::Nothing)
    }

    pub(super) fn back_in_tiles(
        &self,
        hands: &Hands,
        slopes: &Memory,
        weight: &Memory,
        gradient: &Memory,
        keep: Keep,
    ) -> Result<()> {
        let (places, count) = (hands.reserve(weight.len() / 9 * PLACES)?, weight.len() / 9);
        launch!(hands, winograd_turned_weights, Grid::Each(count), weight, &places, count)?;
        let weights = Matrix::new(&places, self.input[0]).transposed();
        let turned = self.turned().expect("it was asked for its way");
        turned.through_tiles(hands, slopes, weights, gradient, keep)
    }

    pub(super) fn learn_in_tiles(
        &self,
        hands: &Hands,
        image: &Memory,
        slopes: &Memory,
        gradient: &Memory,
    ) -> Result<()> {
        let [inputs, outputs] = [self.input[0], self.output[0]];
        let count = inputs * outputs;
        for chunk in self.tile_chunks() {
            let parts = parts(chunk.count, count);
            let windows = self.places_of("winograd_windows", hands, image, inputs, chunk, parts)?;
            let slopes = self.places_of("winograd_slopes", hands, slopes, outputs, chunk, parts)?;
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

    /// How many tiles cover what comes out.
    pub(super) fn tiles(&self) -> usize {
        self.output[1].div_ceil(OUT) * self.output[2].div_ceil(OUT)
    }

    /// The convolution with transformed weights `(place, outputs, inputs)`.
    fn through_tiles(
        &self,
        hands: &Hands,
        image: &Memory,
        weights: Matrix,
        out: &Memory,
        keep: Keep,
    ) -> Result<()> {
        let [inputs, outputs] = [self.input[0], self.output[0]];
        for chunk in self.tile_chunks() {
            let windows = self.places_of("winograd_windows", hands, image, inputs, chunk, 1)?;
            let columns = chunk.count * self.batch;
            let products = hands.reserve(PLACES * outputs * columns)?;
            hands.multiply_each(
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
            hands.launch("winograd_outputs", grid, &mut arguments)?;
        }
        Ok(())
    }

    /// What a kernel makes of an image's tiles, `(part, place, channel, tile·B)`.
    fn places_of(
        &self,
        kernel: &'static str,
        hands: &Hands,
        image: &Memory,
        channels: usize,
        chunk: Chunk,
        parts: usize,
    ) -> Result<Memory> {
        let columns = chunk.count * self.batch;
        let places = hands.reserve(PLACES * channels * columns)?;
        let grid = Grid::Table { rows: channels, columns };
        hands.launch(kernel, grid, &mut self.tile_arguments([image, &places], chunk, parts))?;
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
