//! A convolution, by whichever way costs less.

use super::machine::{Keep, Standing, Sums};
use super::memory::{Hands, Memory};
use crate::Result;
use crate::engine::Window;

/// A convolution between two images of a batch, `(C·H·W, B)` each.
#[derive(Clone, Copy)]
pub(super) struct Passing<'a> {
    pub hands: &'a Hands,
    pub window: Window,
    /// Channels, height and width of what comes in.
    pub input: [usize; 3],
    pub output: [usize; 3],
    pub batch: usize,
    /// How many numbers of windows are gathered at once, at most.
    pub workspace: usize,
}

/// Some output pixels, or tiles of them.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub first: usize,
    pub count: usize,
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Its windows are gathered, and multiplied with the weights.
    Windows,
    /// Winograd's.
    Tiles,
}

impl Passing<'_> {
    /// `out = weight · windows`.
    pub fn forward(&self, image: &Memory, weight: &Memory, out: &Memory) -> Result<()> {
        match self.way() {
            Way::Windows => self.forward_in_windows(image, weight, out),
            Way::Tiles => self.forward_in_tiles(image, weight, out),
        }
    }

    /// The weight's gradient, from the slopes at what came out.
    pub fn learn(&self, image: &Memory, slopes: &Memory, gradient: &Memory) -> Result<()> {
        match self.way() {
            Way::Windows => self.learn_in_windows(image, slopes, gradient),
            Way::Tiles => self.learn_in_tiles(image, slopes, gradient),
        }
    }

    /// The gradient of what came in.
    pub fn back(
        &self,
        slopes: &Memory,
        weight: &Memory,
        gradient: &Memory,
        keep: Keep,
    ) -> Result<()> {
        match self.turned() {
            Some(turned) if turned.way() == Way::Tiles => {
                turned.back_in_tiles(slopes, weight, gradient, keep)
            }
            _ => self.back_in_windows(slopes, weight, gradient, keep),
        }
    }

    /// Winograd's way where it costs less. Factors rounded to TF32 are too coarse for its sums, and
    /// products cost least with them anyway.
    fn way(&self) -> Way {
        match self.hands.sums() {
            Sums::Single if self.is_shorter_in_tiles() => Way::Tiles,
            _ => Way::Windows,
        }
    }

    /// The convolution by which slopes come back, with weights turned by half a circle; there is none
    /// where windows lie outside altogether.
    fn turned(&self) -> Option<Self> {
        let Window { kernel, stride, padding } = self.window;
        let turned = |axis: usize| (kernel[axis] - 1).checked_sub(padding[axis]);
        let window = Window { kernel, stride, padding: [turned(0)?, turned(1)?] };
        Some(Self { window, input: self.output, output: self.input, ..*self })
    }

    /// How many pixels come out.
    pub fn places(&self) -> usize {
        self.output[1] * self.output[2]
    }

    /// Where the window stands.
    pub fn standing(&self) -> Standing {
        let Window { kernel, stride, padding } = self.window;
        let whole = |number: usize| number as i32;
        Standing {
            height: whole(self.input[1]),
            width: whole(self.input[2]),
            kernel: kernel.map(whole),
            stride: whole(stride),
            padding: padding.map(whole),
            out_height: whole(self.output[1]),
            out_width: whole(self.output[2]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulated;
    use super::*;

    #[test]
    fn winograds_way_is_taken_where_it_costs_less() {
        let way = |kernel, stride, [inputs, outputs]: [usize; 2], side: usize, sums| {
            let window = Window::square(kernel, stride).padded();
            let (input, output) = ([inputs, side, side], [outputs, side / stride, side / stride]);
            let hands = &simulated::machine(sums);
            Passing { hands, window, input, output, batch: 128, workspace: 1 }.way()
        };
        let single =
            |kernel, stride, channels, side| way(kernel, stride, channels, side, Sums::Single);
        // The stages of a ResNet on pictures of 32 pixels and of 224, and a DenseNet's.
        for (channels, side) in
            [([64, 64], 32), ([512, 512], 4), ([64, 64], 56), ([512, 512], 7), ([128, 32], 32)]
        {
            assert_eq!(single(3, 1, channels, side), Way::Tiles, "{channels:?} {side}");
            assert_eq!(way(3, 1, channels, side, Sums::Tf32), Way::Windows);
        }
        // Other windows, few channels before many, and tiles that are mostly empty.
        assert_eq!(single(3, 2, [64, 128], 32), Way::Windows);
        assert_eq!(single(1, 1, [64, 64], 32), Way::Windows);
        assert_eq!(single(5, 1, [64, 64], 32), Way::Windows);
        assert_eq!(single(3, 1, [3, 64], 32), Way::Windows);
        assert_eq!(single(3, 1, [32, 128], 32), Way::Windows);
        assert_eq!(single(3, 1, [512, 512], 2), Way::Windows);
    }
}
