//! The largest number of a window, channel by channel, and the way back to where it was.

use super::block::Block;
use super::pack::Conv;
use super::simd::{LANES, Simd, kernel};

/// A maximum over windows between two images.
#[derive(Clone, Debug)]
pub(crate) struct MaxPool {
    pub window: Conv,
    pub input: Block,
    pub output: Block,
}

impl MaxPool {
    /// How many words say where each window's largest number was: one a vector and place.
    pub fn words(&self) -> usize {
        self.output.vectors() * self.window.places()
    }

    /// Where in its image a place of an output's window lies; nothing outside.
    #[inline(always)]
    fn pixel(&self, (y, x): (usize, usize), place: usize) -> Option<(usize, usize)> {
        let Conv { kernel, stride, padding, height, width, .. } = self.window;
        let y = (y * stride + place / kernel[1]).wrapping_sub(padding[0]);
        let x = (x * stride + place % kernel[1]).wrapping_sub(padding[1]);
        // A wrapped place lies outside like any other beyond the edge.
        (y < height && x < width).then_some((y, x))
    }
}

/// Where a pixel lies in a block of an image.
#[inline(always)]
fn at(image: Block, block: usize, (y, x): (usize, usize)) -> usize {
    image.origin() + block * image.plane() + y * image.row() + x * LANES
}

kernel! {
    /// Writes each window's largest number, and to `chosen`, a word a place, where it first was.
    ///
    /// # Safety
    /// `input` and `output` must be valid for the pool's images, `chosen` for its words.
    maximum = run_maximum(pool: &MaxPool, input: *const f32, output: *mut f32, chosen: *mut u16)
}

#[inline(always)]
unsafe fn run_maximum<S: Simd>(
    pool: &MaxPool,
    input: *const f32,
    output: *mut f32,
    chosen: *mut u16,
) {
    let (places, mut word) = (pool.window.places(), 0);
    for block in 0..pool.output.blocks() {
        for y in 0..pool.output.height {
            for x in 0..pool.output.width {
                unsafe {
                    let mut most: Option<S::V> = None;
                    for place in 0..places {
                        let Some(pixel) = pool.pixel((y, x), place) else {
                            *chosen.add(word + place) = 0;
                            continue;
                        };
                        let value = S::load(input.add(at(pool.input, block, pixel)));
                        let larger = match most {
                            None => u16::MAX,
                            Some(most) => S::positive(S::sub(value, most)),
                        };
                        for earlier in 0..place {
                            *chosen.add(word + earlier) &= !larger;
                        }
                        *chosen.add(word + place) = larger;
                        most = Some(match most {
                            None => value,
                            // One of both is zero in each lane.
                            Some(most) => S::add(S::keep(value, larger), S::keep(most, !larger)),
                        });
                    }
                    if let Some(most) = most {
                        S::store(output.add(at(pool.output, block, (y, x))), most);
                    }
                    word += places;
                }
            }
        }
    }
}

kernel! {
    /// Adds the gradient at each window's output to that of its largest number.
    ///
    /// # Safety
    /// `slope` must be valid for `layout`, which has the pool's outputs, `gradient` for `to`, which has its
    /// inputs, and `chosen` for its words.
    choose = run_choose(pool: &MaxPool, layout: Block, slope: *const f32, chosen: *const u16,
                        to: Block, gradient: *mut f32)
}

#[inline(always)]
unsafe fn run_choose<S: Simd>(
    pool: &MaxPool,
    layout: Block,
    slope: *const f32,
    chosen: *const u16,
    to: Block,
    gradient: *mut f32,
) {
    let (places, mut word) = (pool.window.places(), 0);
    for block in 0..layout.blocks() {
        for y in 0..layout.height {
            for x in 0..layout.width {
                unsafe {
                    let slope = S::load(slope.add(at(layout, block, (y, x))));
                    for place in 0..places {
                        if let Some(pixel) = pool.pixel((y, x), place) {
                            let to = gradient.add(at(to, block, pixel));
                            let share = S::keep(slope, *chosen.add(word + place));
                            S::store(to, S::add(S::load(to), share));
                        }
                    }
                    word += places;
                }
            }
        }
    }
}
