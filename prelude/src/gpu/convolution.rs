//! A convolution, by whichever way costs less.

use super::machine::{Keep, Standing, Sums};
use super::memory::{Hands, Memory};
use crate::Result;
use crate::engine::Window;

/// A convolution between two images of a batch, `(C·H·W, B)` each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passing {
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
pub(super) enum Way {
    /// Its windows are gathered, and multiplied with the weights.
    Windows,
    /// Winograd's.
    Tiles,
}

impl Passing {
    /// `out = weight · windows`.
    pub fn forward(
        &self,
        hands: &Hands,
        image: &Memory,
        weight: &Memory,
        out: &Memory,
    ) -> Result<()> {
        match self.way(hands.sums()) {
            Way::Windows => self.forward_in_windows(hands, image, weight, out),
            Way::Tiles => self.forward_in_tiles(hands, image, weight, out),
        }
    }

    /// The weight's gradient, from the slopes at what came out.
    pub fn learn(
        &self,
        hands: &Hands,
        image: &Memory,
        slopes: &Memory,
        gradient: &Memory,
    ) -> Result<()> {
        match self.way(hands.sums()) {
            Way::Windows => self.learn_in_windows(hands, image, slopes, gradient),
            Way::Tiles => self.learn_in_tiles(hands, image, slopes, gradient),
        }
    }

    /// The gradient of what came in.
    pub fn back(
        &self,
        hands: &Hands,
        slopes: &Memory,
        weight: &Memory,
        gradient: &Memory,
        keep: Keep,
    ) -> Result<()> {
        match self.turned().map(|turned| turned.way(hands.sums())) {
            Some(Way::Tiles) => self.back_in_tiles(hands, slopes, weight, gradient, keep),
            _ => self.back_in_windows(hands, slopes, weight, gradient, keep),
        }
    }

    /// Winograd's way has a quarter of the products where tiles are whole. Factors rounded to TF32 are too
    /// coarse for its sums, and products cost least with them anyway.
    pub fn way(&self, sums: Sums) -> Way {
        let Window { kernel, stride, .. } = self.window;
        let is_possible = sums == Sums::Single && kernel == [3, 3] && stride == 1;
        // It shall have half of the products at most,
        let is_shorter = 36 * self.tiles() * 2 <= 9 * self.places();
        // and move fewer numbers: 36 of 16 pixels, there and back, of what comes in and of what goes out;
        // windows move nine times what comes in.
        let [inputs, outputs] = [self.input[0], self.output[0]];
        let moves_less = 9 * (inputs + outputs) <= 36 * inputs;
        if is_possible && is_shorter && moves_less { Way::Tiles } else { Way::Windows }
    }

    /// The convolution by which slopes come back, with weights turned by half a circle; there is none
    /// where windows lie outside altogether.
    pub fn turned(&self) -> Option<Self> {
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
    use super::*;

    #[test]
    fn winograds_way_is_taken_where_it_costs_less() {
        let way = |kernel, stride, [inputs, outputs]: [usize; 2], side: usize, sums| {
            let window = Window::square(kernel, stride).padded();
            let (input, output) = ([inputs, side, side], [outputs, side / stride, side / stride]);
            Passing { window, input, output, batch: 128, workspace: 1 }.way(sums)
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
