//! How an image lies in memory inside the engine: channels in blocks, innermost.

use super::simd::LANES;

/// The channels of a picture that comes in: a block of four, the fourth is zero.
pub(crate) const INPUT_LANES: usize = 4;

/// One image as `[blocks][border + height + border][border + width + border][lanes]`.
///
/// With `lanes` channels side by side a convolution reads its weights as whole vectors, and the
/// distance between neighbouring pixels is known to the compiler. A border of zero pixels spares
/// a window every test for the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub lanes: usize,
    /// Zero pixels above and below, and at both sides.
    pub border: [usize; 2],
}

impl Block {
    /// An image without a border, in whole vectors.
    pub fn flat(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, lanes: LANES, border: [0, 0] }
    }

    /// The same image with another border.
    pub fn bordered(self, border: [usize; 2]) -> Self {
        Self { border, ..self }
    }

    /// How many blocks the channels fill.
    pub fn blocks(self) -> usize {
        self.channels.div_ceil(self.lanes)
    }

    /// How many channels a block holds: the last one may hold fewer than it has lanes.
    ///
    /// Kernels ask inside their register tiles, where a call would send every vector to memory and back.
    #[inline(always)]
    pub fn channels_in(self, block: usize) -> usize {
        self.lanes.min(self.channels - block * self.lanes)
    }

    /// The floats from one row to the next.
    pub fn row(self) -> usize {
        (self.width + 2 * self.border[1]) * self.lanes
    }

    /// The floats from one block to the next.
    pub fn plane(self) -> usize {
        (self.height + 2 * self.border[0]) * self.row()
    }

    /// The floats of the whole image.
    pub fn len(self) -> usize {
        self.blocks() * self.plane()
    }

    /// Where the first channel of pixel (0, 0) lies.
    pub fn origin(self) -> usize {
        self.border[0] * self.row() + self.border[1] * self.lanes
    }

    /// How many vectors an image has: its mask has as many words.
    pub fn vectors(self) -> usize {
        self.blocks() * self.height * self.width
    }
}
