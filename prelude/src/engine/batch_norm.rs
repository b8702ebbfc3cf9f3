//! Batch norm, ReLU and addition, one pass over an image each way.

use super::block::Block;
use super::simd::{LANES, Simd, kernel};

/// `scale · z + shift` for each channel, padded, and perhaps a ReLU.
#[derive(Clone, Debug)]
pub(crate) struct Scaling {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    /// What centres `z`.
    pub minus_mean: Vec<f32>,
    pub relu: bool,
}

impl Scaling {
    /// What changes nothing, but for a ReLU.
    pub fn identity(channels: usize, relu: bool) -> Self {
        let none = vec![0.0; channels];
        Self { scale: vec![1.0; channels], shift: none.clone(), minus_mean: none, relu }
    }
}

/// Where the first channel of a block's row lies.
#[inline(always)]
fn row(layout: Block, block: usize, y: usize) -> usize {
    layout.origin() + block * layout.plane() + y * layout.row()
}

kernel! {
    /// Adds an image's Σ z and Σ z² to `sums`, channel by channel: first all Σ z, then all Σ z².
    ///
    /// # Safety
    /// `z` must be valid for `layout`, `sums` for its channels, padded, and again `second` floats later.
    moments = run_moments(layout: Block, z: *const f32, sums: *mut f32, second: usize)
}

#[inline(always)]
unsafe fn run_moments<S: Simd>(layout: Block, z: *const f32, sums: *mut f32, second: usize) {
    unsafe {
        for block in 0..layout.blocks() {
            let (mut sum, mut squares) = (S::splat(0.0), S::splat(0.0));
            for y in 0..layout.height {
                let mut from = z.add(row(layout, block, y));
                for _ in 0..layout.width {
                    let value = S::load(from);
                    sum = S::add(sum, value);
                    squares = S::fma(value, value, squares);
                    from = from.add(LANES);
                }
            }
            add_to::<S>(sums.add(block * LANES), sum);
            add_to::<S>(sums.add(second + block * LANES), squares);
        }
    }
}

/// What is added to an activation, and whether a ReLU follows.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    /// Lies as the activation does; null: nothing.
    pub add: *const f32,
    pub relu: bool,
}

kernel! {
    /// `scaling(z) + rest`, from `z` in the layout `from` to `output` in the layout `to`.
    ///
    /// # Safety
    /// Pointers must be valid for their layouts, the scaling for their channels, padded.
    activate = run_activate(
        scaling: &Scaling, from: Block, z: *const f32, rest: Rest, to: Block, output: *mut f32)
}

#[inline(always)]
unsafe fn run_activate<S: Simd>(
    scaling: &Scaling,
    from: Block,
    z: *const f32,
    rest: Rest,
    to: Block,
    output: *mut f32,
) {
    unsafe {
        for block in 0..from.blocks() {
            let scale = S::load(scaling.scale.as_ptr().add(block * LANES));
            let shift = S::load(scaling.shift.as_ptr().add(block * LANES));
            for y in 0..from.height {
                let (mut z, mut at) = (z.add(row(from, block, y)), row(to, block, y));
                for _ in 0..from.width {
                    let mut value = S::fma(S::load(z), scale, shift);
                    if scaling.relu {
                        value = S::relu(value);
                    }
                    if !rest.add.is_null() {
                        value = S::add(value, S::load(rest.add.add(at)));
                    }
                    if rest.relu {
                        value = S::relu(value);
                    }
                    S::store(output.add(at), value);
                    (z, at) = (z.add(LANES), at + LANES);
                }
            }
        }
    }
}

/// An image's gradient behind a scaling, and what went into it.
#[derive(Clone, Copy)]
pub(crate) struct Behind {
    pub layout: Block,
    pub gradient: *const f32,
    pub from: Block,
    pub z: *const f32,
}

kernel! {
    /// Adds an image's Σ g and Σ g·(z − mean) to `sums`, where the scaling's ReLU is open.
    ///
    /// # Safety
    /// Pointers must be valid for their layouts; the scaling for their channels, padded, `sums` for
    /// twice as many.
    gated_moments = run_gated_moments(scaling: &Scaling, behind: Behind, sums: *mut f32)
}

#[inline(always)]
unsafe fn run_gated_moments<S: Simd>(scaling: &Scaling, behind: Behind, sums: *mut f32) {
    let Behind { layout, gradient, from, z } = behind;
    unsafe {
        for block in 0..layout.blocks() {
            let scale = S::load(scaling.scale.as_ptr().add(block * LANES));
            let shift = S::load(scaling.shift.as_ptr().add(block * LANES));
            let minus_mean = S::load(scaling.minus_mean.as_ptr().add(block * LANES));
            let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
            for y in 0..layout.height {
                let (mut g, mut z) =
                    (gradient.add(row(layout, block, y)), z.add(row(from, block, y)));
                for _ in 0..layout.width {
                    let (value, mut slope) = (S::load(z), S::load(g));
                    if scaling.relu {
                        slope = S::gate(slope, S::fma(value, scale, shift));
                    }
                    first = S::add(first, slope);
                    second = S::fma(slope, S::add(value, minus_mean), second);
                    (g, z) = (g.add(LANES), z.add(LANES));
                }
            }
            add_to::<S>(sums.add(block * LANES), first);
            add_to::<S>(sums.add((layout.blocks() + block) * LANES), second);
        }
    }
}

/// The gradient before a scaling is `of_gradient · g + of_z · z + constant`, a channel each, padded.
#[derive(Clone, Debug)]
pub(crate) struct Slopes {
    pub of_gradient: Vec<f32>,
    pub of_z: Vec<f32>,
    pub constant: Vec<f32>,
}

impl Slopes {
    /// What changes nothing.
    pub fn identity(channels: usize) -> Self {
        let none = vec![0.0; channels];
        Self { of_gradient: vec![1.0; channels], of_z: none.clone(), constant: none }
    }
}

kernel! {
    /// Writes the gradient before a scaling to `output` in the layout `to`, on top of `add`, which lies
    /// there too, unless it is null.
    ///
    /// # Safety
    /// Pointers must be valid for their layouts, the scaling and the slopes for their channels, padded.
    before = run_before(
        scaling: &Scaling, slopes: &Slopes, behind: Behind, to: Block, add: *const f32,
        output: *mut f32)
}

#[inline(always)]
unsafe fn run_before<S: Simd>(
    scaling: &Scaling,
    slopes: &Slopes,
    behind: Behind,
    to: Block,
    add: *const f32,
    output: *mut f32,
) {
    let Behind { layout, gradient, from, z } = behind;
    unsafe {
        for block in 0..layout.blocks() {
            let scale = S::load(scaling.scale.as_ptr().add(block * LANES));
            let shift = S::load(scaling.shift.as_ptr().add(block * LANES));
            let of_gradient = S::load(slopes.of_gradient.as_ptr().add(block * LANES));
            let of_z = S::load(slopes.of_z.as_ptr().add(block * LANES));
            let constant = S::load(slopes.constant.as_ptr().add(block * LANES));
            for y in 0..layout.height {
                let (mut g, mut z) =
                    (gradient.add(row(layout, block, y)), z.add(row(from, block, y)));
                let mut at = row(to, block, y);
                for _ in 0..layout.width {
                    let (value, mut slope) = (S::load(z), S::load(g));
                    if scaling.relu {
                        slope = S::gate(slope, S::fma(value, scale, shift));
                    }
                    let mut sum = S::fma(slope, of_gradient, S::fma(value, of_z, constant));
                    if !add.is_null() {
                        sum = S::add(sum, S::load(add.add(at)));
                    }
                    S::store(output.add(at), sum);
                    (g, z, at) = (g.add(LANES), z.add(LANES), at + LANES);
                }
            }
        }
    }
}

kernel! {
    /// Copies an image from the layout `from` to `to`, on top of `add`, which lies there too, unless it is
    /// null.
    ///
    /// # Safety
    /// Pointers must be valid for their layouts.
    copy = run_copy(from: Block, values: *const f32, to: Block, add: *const f32, output: *mut f32)
}

#[inline(always)]
unsafe fn run_copy<S: Simd>(
    from: Block,
    values: *const f32,
    to: Block,
    add: *const f32,
    output: *mut f32,
) {
    unsafe {
        for block in 0..from.blocks() {
            for y in 0..from.height {
                let (mut value, mut at) = (values.add(row(from, block, y)), row(to, block, y));
                for _ in 0..from.width {
                    let mut sum = S::load(value);
                    if !add.is_null() {
                        sum = S::add(sum, S::load(add.add(at)));
                    }
                    S::store(output.add(at), sum);
                    (value, at) = (value.add(LANES), at + LANES);
                }
            }
        }
    }
}

kernel! {
    /// Closes a gradient, in place, where what it belongs to is not above zero.
    ///
    /// # Safety
    /// Pointers must be valid for their layouts.
    gate = run_gate(layout: Block, gradient: *mut f32, of: Block, values: *const f32)
}

#[inline(always)]
unsafe fn run_gate<S: Simd>(layout: Block, gradient: *mut f32, of: Block, values: *const f32) {
    unsafe {
        for block in 0..layout.blocks() {
            for y in 0..layout.height {
                let (mut g, mut value) =
                    (gradient.add(row(layout, block, y)), values.add(row(of, block, y)));
                for _ in 0..layout.width {
                    S::store(g, S::gate(S::load(g), S::load(value)));
                    (g, value) = (g.add(LANES), value.add(LANES));
                }
            }
        }
    }
}

kernel! {
    /// Closes a gradient where `mask`, a word a vector, is not set; what it was goes to `open`, which lies
    /// as it does, unless that is null.
    ///
    /// # Safety
    /// Pointers must be valid for `layout`, the mask for a word a vector.
    mask = run_mask(layout: Block, gradient: *mut f32, mask: *const u16, open: *mut f32)
}

#[inline(always)]
unsafe fn run_mask<S: Simd>(layout: Block, gradient: *mut f32, mask: *const u16, open: *mut f32) {
    let mut word = 0;
    unsafe {
        for block in 0..layout.blocks() {
            for y in 0..layout.height {
                let start = row(layout, block, y);
                for at in (start..start + layout.width * LANES).step_by(LANES) {
                    let value = S::load(gradient.add(at));
                    if !open.is_null() {
                        S::store(open.add(at), value);
                    }
                    S::store(gradient.add(at), S::keep(value, *mask.add(word)));
                    word += 1;
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn add_to<S: Simd>(place: *mut f32, value: S::V) {
    unsafe { S::store(place, S::add(S::load(place), value)) }
}
