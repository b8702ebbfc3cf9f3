//! Channels that begin in the middle of a block, copied there and back.

use super::block::Block;
use super::simd::LANES;

/// Channels of one image that lie side by side in both.
struct Run {
    /// Where they begin in an image of their own, and among others.
    own: usize,
    among: usize,
    count: usize,
}

/// The runs of a pixel's channels, which begin at `channel` among others; places are seen from the pixel.
fn runs(own: Block, among: Block, channel: usize) -> Vec<Run> {
    let (mut runs, mut next) = (Vec::new(), 0);
    while next < own.channels {
        let (a, b) = (next % LANES, (channel + next) % LANES);
        let count = (own.channels - next).min(LANES - a).min(LANES - b);
        runs.push(Run {
            own: next / LANES * own.plane() + a,
            among: (channel + next) / LANES * among.plane() + b,
            count,
        });
        next += count;
    }
    runs
}

/// Where a pixel lies in the first block.
fn pixel(image: Block, y: usize, x: usize) -> usize {
    image.origin() + y * image.row() + x * LANES
}

/// Copies the image `values` to where its channels lie among others, from `channel` on.
///
/// # Safety
/// `values` must be valid for `own`, `output` for `among`.
pub(super) unsafe fn pack(
    own: Block,
    values: *const f32,
    among: Block,
    channel: usize,
    output: *mut f32,
) {
    for Run { own: a, among: b, count } in runs(own, among, channel) {
        for y in 0..own.height {
            for x in 0..own.width {
                // Every place lies in an image that the caller vouches for.
                unsafe {
                    let from = values.add(pixel(own, y, x) + a);
                    let to = output.add(pixel(among, y, x) + b);
                    std::ptr::copy_nonoverlapping(from, to, count);
                }
            }
        }
    }
}

/// Copies channels from among others to an image of their own, on top of `add`, which lies there too,
/// unless it is null.
///
/// # Safety
/// `values` must be valid for `among`, `output` and `add` for `own`.
pub(super) unsafe fn unpack(
    among: Block,
    channel: usize,
    values: *const f32,
    own: Block,
    add: *const f32,
    output: *mut f32,
) {
    for Run { own: a, among: b, count } in runs(own, among, channel) {
        for y in 0..own.height {
            for x in 0..own.width {
                let (from, to) = (pixel(among, y, x) + b, pixel(own, y, x) + a);
                for lane in 0..count {
                    // Every place lies in an image that the caller vouches for.
                    unsafe {
                        let others = if add.is_null() { 0.0 } else { *add.add(to + lane) };
                        *output.add(to + lane) = *values.add(from + lane) + others;
                    }
                }
            }
        }
    }
}
