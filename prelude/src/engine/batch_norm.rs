//! Batch norm, ReLU and the residual addition, one pass over an image each way.

use super::block::Block;
use super::simd::{LANES, Simd, kernel};

kernel! {
    /// Adds an image's Σ z and Σ z² to `sums`, channel by channel: first all Σ z, then all Σ z².
    ///
    /// # Safety
    /// `z` must be valid for the flat `layout`, `sums` for twice its channels, padded.
    moments = run_moments(layout: Block, z: *const f32, sums: *mut f32)
}

#[inline(always)]
unsafe fn run_moments<S: Simd>(layout: Block, z: *const f32, sums: *mut f32) {
    unsafe {
        for block in 0..layout.blocks() {
            let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
            let mut from = z.add(block * layout.plane());
            for _ in 0..layout.height * layout.width {
                let value = S::load(from);
                first = S::add(first, value);
                second = S::fma(value, value, second);
                from = from.add(LANES);
            }
            add_to::<S>(sums.add(block * LANES), first);
            add_to::<S>(sums.add((layout.blocks() + block) * LANES), second);
        }
    }
}

kernel! {
    /// `max(scale · z + shift, 0) + residual`, from the flat `z` to the bordered `output`.
    ///
    /// # Safety
    /// Pointers must be valid for the images `layout` (flat) describes, with a border for `residual`
    /// (which may be null) and `output`; `scale` and `shift` for its channels, padded.
    activate = run_activate(
        layout: Block, z: *const f32, scale: *const f32, shift: *const f32,
        residual: *const f32, output: *mut f32)
}

#[inline(always)]
unsafe fn run_activate<S: Simd>(
    layout: Block,
    z: *const f32,
    scale: *const f32,
    shift: *const f32,
    residual: *const f32,
    output: *mut f32,
) {
    unsafe {
        let bordered = Block { border: 1, ..layout };
        let mut from = z;
        for block in 0..layout.blocks() {
            let (scale, shift) =
                (S::load(scale.add(block * LANES)), S::load(shift.add(block * LANES)));
            for y in 0..layout.height {
                let mut at = bordered.origin() + block * bordered.plane() + y * bordered.row();
                for _ in 0..layout.width {
                    let mut value = S::relu(S::fma(S::load(from), scale, shift));
                    if !residual.is_null() {
                        value = S::add(value, S::load(residual.add(at)));
                    }
                    S::store(output.add(at), value);
                    (from, at) = (from.add(LANES), at + LANES);
                }
            }
        }
    }
}

kernel! {
    /// Adds an image's Σ g and Σ g·(z − mean) to `sums`, where the ReLU of `scale · z + shift` is open.
    ///
    /// # Safety
    /// Pointers must be valid for the flat `layout`; `scale`, `shift` and `minus_mean` for its channels,
    /// `sums` for twice its channels, padded.
    gated_moments = run_gated_moments(
        layout: Block, gradient: *const f32, z: *const f32, scale: *const f32, shift: *const f32,
        minus_mean: *const f32, sums: *mut f32)
}

#[inline(always)]
unsafe fn run_gated_moments<S: Simd>(
    layout: Block,
    gradient: *const f32,
    z: *const f32,
    scale: *const f32,
    shift: *const f32,
    minus_mean: *const f32,
    sums: *mut f32,
) {
    unsafe {
        let size = layout.height * layout.width;
        for block in 0..layout.blocks() {
            let (scale, shift) =
                (S::load(scale.add(block * LANES)), S::load(shift.add(block * LANES)));
            let minus_mean = S::load(minus_mean.add(block * LANES));
            let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
            for pixel in block * size..(block + 1) * size {
                let z = S::load(z.add(pixel * LANES));
                let open = S::fma(z, scale, shift);
                let gradient = S::gate(S::load(gradient.add(pixel * LANES)), open);
                let centred = S::add(z, minus_mean);
                first = S::add(first, gradient);
                second = S::fma(gradient, centred, second);
            }
            add_to::<S>(sums.add(block * LANES), first);
            add_to::<S>(sums.add((layout.blocks() + block) * LANES), second);
        }
    }
}

/// The gradient at a convolution's output is `of_gradient · g + of_z · z + constant`, a channel each.
pub(crate) struct Slopes {
    pub of_gradient: Vec<f32>,
    pub of_z: Vec<f32>,
    pub constant: Vec<f32>,
}

kernel! {
    /// The gradient before the batch norm, from flat images to the bordered `output`.
    ///
    /// # Safety
    /// As for [`gated_moments`]; `output` must be valid for the bordered image.
    gradient = run_gradient(
        layout: Block, gradient: *const f32, z: *const f32, scale: *const f32, shift: *const f32,
        slopes: &Slopes, output: *mut f32)
}

#[inline(always)]
unsafe fn run_gradient<S: Simd>(
    layout: Block,
    gradient: *const f32,
    z: *const f32,
    scale: *const f32,
    shift: *const f32,
    slopes: &Slopes,
    output: *mut f32,
) {
    unsafe {
        let bordered = Block { border: 1, ..layout };
        let mut pixel = 0;
        for block in 0..layout.blocks() {
            let (scale, shift) =
                (S::load(scale.add(block * LANES)), S::load(shift.add(block * LANES)));
            let of_gradient = S::load(slopes.of_gradient.as_ptr().add(block * LANES));
            let of_z = S::load(slopes.of_z.as_ptr().add(block * LANES));
            let constant = S::load(slopes.constant.as_ptr().add(block * LANES));
            for y in 0..layout.height {
                let mut at = bordered.origin() + block * bordered.plane() + y * bordered.row();
                for _ in 0..layout.width {
                    let z = S::load(z.add(pixel * LANES));
                    let open = S::fma(z, scale, shift);
                    let gated = S::gate(S::load(gradient.add(pixel * LANES)), open);
                    let rest = S::fma(z, of_z, constant);
                    S::store(output.add(at), S::fma(gated, of_gradient, rest));
                    (pixel, at) = (pixel + 1, at + LANES);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn add_to<S: Simd>(place: *mut f32, value: S::V) {
    unsafe { S::store(place, S::add(S::load(place), value)) }
}
