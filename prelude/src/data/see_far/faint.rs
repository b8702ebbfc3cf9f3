//! What only the TOOGITs and GABs of this world give away: textures of 4×4 colour tiles.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::pattern::{Pattern, SIDE, orthogonal};

/// The side of a tile. It divides the image, and a net with two strides of 2 sees every tile at
/// the same place of its grid, so that it can add their traces up.
const TILE: usize = 4;

/// `n` orthogonal textures: one random tile each, the same all over the image, and mean 0 in each
/// colour channel.
///
/// A texture repeats every 4 pixels, so its waves have 8 or 16 cycles an image in some direction:
/// none of them is in a visible pattern, and so the two kinds are orthogonal too.
pub(super) fn patterns(n: usize, norm: f64, rng: &mut ChaCha8Rng) -> Vec<Pattern> {
    orthogonal((0..n).map(|_| texture(rng)).collect(), norm)
}

fn texture(rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut texture = Vec::with_capacity(3 * SIDE * SIDE);
    for _ in 0..3 {
        let mut tile = [(); TILE * TILE].map(|()| rng.sample::<f64, _>(StandardNormal));
        let mean = tile.iter().sum::<f64>() / tile.len() as f64;
        tile.iter_mut().for_each(|v| *v -= mean);
        let at = |i: usize| tile[(i / SIDE % TILE) * TILE + i % TILE];
        texture.extend((0..SIDE * SIDE).map(at));
    }
    texture
}
