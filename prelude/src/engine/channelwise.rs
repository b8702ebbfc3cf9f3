//! Sums over windows in which each channel stays by itself: means over a window, and scaling.

use super::conv::Sweep;
use super::finish::{Finish, write};
use super::simd::{LANES, Simd, kernel};

kernel! {
    /// Runs `sweep` from `input` to `output` with one weight a channel.
    ///
    /// # Safety
    /// `input`, `output` and the pointers of `finish` must be valid for the images the sweep names,
    /// `weights` for its channels, padded.
    channelwise = run(sweep: &Sweep, input: *const f32, weights: *const f32, output: *mut f32,
                      finish: Finish)
}

#[inline(always)]
unsafe fn run<S: Simd>(
    sweep: &Sweep,
    input: *const f32,
    weights: *const f32,
    output: *mut f32,
    finish: Finish,
) {
    unsafe {
        for block in 0..sweep.output.blocks() {
            let weight = S::load(weights.add(block * LANES));
            let input = input.add(block * sweep.input.plane());
            for y in 0..sweep.height {
                for x in 0..sweep.width {
                    let from = input.add(sweep.input_at((y, x)));
                    let mut sum = S::splat(0.0);
                    for tap in &sweep.taps {
                        sum = S::fma(S::load(from.offset(tap.input)), weight, sum);
                    }
                    let (at, word) = sweep.output_at(block, (y, x));
                    write::<S>(sum, output.add(at), finish, block, at, word);
                }
            }
        }
    }
}
