//! How an image lies in memory inside the engine: channels in blocks, innermost.

use super::simd::LANES;

/// The channels of a picture that comes in: a block of four, the fourth is zero.
pub(crate) const INPUT_LANES: usize = 4;

/// One image as `[blocks][border + height + border][border + width + border][lanes]`.
///
/// With `lanes` channels side by side a convolution reads its weights as whole vectors, and the
/// distance between neighbouring pixels is known to the compiler. A border of one zero pixel spares
/// the 3×3 window every test for the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub lanes: usize,
    pub border: usize,
}

impl Block {
    /// Activations with a border, ready to be convolved.
    pub fn bordered(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, lanes: LANES, border: 1 }
    }

    /// The same image without a border.
    pub fn flat(self) -> Self {
        Self { border: 0, ..self }
    }

    /// How many blocks the channels fill.
    pub fn blocks(self) -> usize {
        self.channels.div_ceil(self.lanes)
    }

    /// The floats from one row to the next.
    pub fn row(self) -> usize {
        (self.width + 2 * self.border) * self.lanes
    }

    /// The floats from one block to the next.
    pub fn plane(self) -> usize {
        (self.height + 2 * self.border) * self.row()
    }

    /// The floats of the whole image.
    pub fn len(self) -> usize {
        self.blocks() * self.plane()
    }

    /// Where the first channel of pixel (0, 0) lies.
    pub fn origin(self) -> usize {
        self.border * (self.row() + self.lanes)
    }

    /// How many vectors an image has: its mask has as many words.
    pub fn vectors(self) -> usize {
        self.blocks() * self.height * self.width
    }
}
