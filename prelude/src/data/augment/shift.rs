//! Whole pixels moved: mirror images, and crops of an image with a black border.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How far a picture moves at most, in pixels: the paper's library pads by 4 before it crops.
const PAD: isize = 4;

/// Moves an image of `[height, width]` by up to four pixels in each direction, and mirrors every second one.
pub(super) fn crop_and_flip(image: &mut [f32], [height, width]: [usize; 2], rng: &mut ChaCha8Rng) {
    let [down, right] = [(); 2].map(|()| rng.gen_range(-PAD..=PAD));
    flip_every_second(image, width, rng);
    image.chunks_mut(height * width).for_each(|channel| shift(channel, width, down, right));
}

/// Mirrors every second image left to right.
pub(super) fn flip_every_second(image: &mut [f32], width: usize, rng: &mut ChaCha8Rng) {
    if rng.gen_bool(0.5) {
        image.chunks_mut(width).for_each(<[f32]>::reverse);
    }
}

/// Moves one channel by whole pixels, and fills with black what comes in from outside.
pub(super) fn shift(channel: &mut [f32], width: usize, down: isize, right: isize) {
    let rows = (channel.len() / width) as isize;
    let whole = down * width as isize + right;
    let distance = whole.unsigned_abs().min(channel.len());
    // One move of everything also wraps row ends onto the next rows; the borders blank them.
    if whole >= 0 {
        channel.copy_within(..channel.len() - distance, distance);
    } else {
        channel.copy_within(distance.., 0);
    }
    let blank = right.unsigned_abs().min(width);
    for (row, values) in channel.chunks_mut(width).enumerate() {
        let from = row as isize - down;
        if !(0..rows).contains(&from) {
            values.fill(0.0);
        } else if right >= 0 {
            values[..blank].fill(0.0);
        } else {
            values[width - blank..].fill(0.0);
        }
    }
}
