//! The end of a net: the mean over pixels and the linear layer.

use super::block::Block;
use super::simd::{LANES, Simd, kernel};

/// `logits = weight · features + bias`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    /// `(classes, features)`.
    pub weight: Vec<f32>,
    /// `(classes,)`.
    pub bias: Vec<f32>,
}

impl Head {
    pub fn classes(&self) -> usize {
        self.bias.len()
    }

    pub fn features(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    pub fn logits(&self, features: &[f32], logits: &mut [f32]) {
        let rows = self.weight.chunks(self.features());
        for ((logit, row), bias) in logits.iter_mut().zip(rows).zip(&self.bias) {
            *logit = bias + row.iter().zip(features).map(|(w, f)| w * f).sum::<f32>();
        }
    }

    /// The gradient with respect to the features.
    pub fn backward(&self, logits: &[f32], features: &mut [f32]) {
        features.fill(0.0);
        for (gradient, row) in logits.iter().zip(self.weight.chunks(self.features())) {
            for (feature, weight) in features.iter_mut().zip(row) {
                *feature += gradient * weight;
            }
        }
    }
}

kernel! {
    /// Writes the mean over the pixels of an image, padded channels too.
    ///
    /// # Safety
    /// `image` must be valid for `layout`, `means` for its channels, padded.
    mean = run_mean(layout: Block, image: *const f32, means: *mut f32)
}

#[inline(always)]
unsafe fn run_mean<S: Simd>(layout: Block, image: *const f32, means: *mut f32) {
    unsafe {
        let share = S::splat(1.0 / (layout.height * layout.width) as f32);
        for block in 0..layout.blocks() {
            let mut sum = S::splat(0.0);
            for y in 0..layout.height {
                let row = layout.origin() + block * layout.plane() + y * layout.row();
                for x in 0..layout.width {
                    sum = S::add(sum, S::load(image.add(row + x * LANES)));
                }
            }
            S::store(means.add(block * LANES), S::fma(sum, share, S::splat(0.0)));
        }
    }
}

kernel! {
    /// Spreads the gradient with respect to the means over the pixels: the share goes to `open`, and,
    /// where `mask` is set or there is none, to `gated`; both lie as `layout`, or nowhere if null.
    ///
    /// # Safety
    /// `means` must be valid for the channels, padded, `open` and `gated` for `layout` or null, `mask`
    /// for a word a vector or null.
    spread = run_spread(
        layout: Block, means: *const f32, mask: *const u16, open: *mut f32, gated: *mut f32)
}

#[inline(always)]
unsafe fn run_spread<S: Simd>(
    layout: Block,
    means: *const f32,
    mask: *const u16,
    open: *mut f32,
    gated: *mut f32,
) {
    unsafe {
        let share = S::splat(1.0 / (layout.height * layout.width) as f32);
        let mut word = 0;
        for block in 0..layout.blocks() {
            let value = S::fma(S::load(means.add(block * LANES)), share, S::splat(0.0));
            for y in 0..layout.height {
                let row = layout.origin() + block * layout.plane() + y * layout.row();
                for at in (row..row + layout.width * LANES).step_by(LANES) {
                    if !open.is_null() {
                        S::store(open.add(at), value);
                    }
                    if !gated.is_null() {
                        let kept = if mask.is_null() { u16::MAX } else { *mask.add(word) };
                        S::store(gated.add(at), S::keep(value, kept));
                    }
                    word += 1;
                }
            }
        }
    }
}
