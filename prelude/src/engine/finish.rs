//! What happens to the sums of a convolution or a pooling before they are written.

use super::simd::{LANES, Simd};

/// What becomes of a finished sum. A null pointer stands for "none".
#[derive(Clone, Copy)]
pub(crate) enum Finish {
    /// Write it.
    Store,
    /// `sum + bias + add`, with a ReLU before the addition where there is an `inner` mask and one behind
    /// it where there is an `outer` one; each notes in its mask what it lets through.
    Activate { bias: *const f32, inner: *mut u16, add: *const f32, outer: *mut u16 },
    /// `sum` and both numbers to `add` go to `open`, and, where `mask` is set, to the output.
    Gate { mask: *const u16, add: [*const f32; 2], open: *mut f32 },
}

/// Finishes one vector: `at` is its place in an image, `word` its place in a mask.
#[inline(always)]
pub(crate) unsafe fn write<S: Simd>(
    sum: S::V,
    to: *mut f32,
    finish: Finish,
    block: usize,
    at: usize,
    word: usize,
) {
    unsafe {
        match finish {
            Finish::Store => S::store(to, sum),
            Finish::Activate { bias, inner, add, outer } => {
                let value = S::add(sum, S::load(bias.add(block * LANES)));
                let value = noted::<S>(value, inner, word);
                S::store(to, noted::<S>(plus::<S>(value, add, at), outer, word));
            }
            Finish::Gate { mask, add, open } => {
                let value = plus::<S>(plus::<S>(sum, add[0], at), add[1], at);
                if !open.is_null() {
                    S::store(open.add(at), value);
                }
                let value = match mask.is_null() {
                    true => value,
                    false => S::keep(value, *mask.add(word)),
                };
                S::store(to, value);
            }
        }
    }
}

/// `value` and what lies at `at`, if anything does.
#[inline(always)]
unsafe fn plus<S: Simd>(value: S::V, add: *const f32, at: usize) -> S::V {
    match add.is_null() {
        true => value,
        false => unsafe { S::add(value, S::load(add.add(at))) },
    }
}

/// `value` behind a ReLU that notes what it lets through, if there is one.
#[inline(always)]
unsafe fn noted<S: Simd>(value: S::V, mask: *mut u16, word: usize) -> S::V {
    if mask.is_null() {
        return value;
    }
    unsafe {
        *mask.add(word) = S::positive(value);
        S::relu(value)
    }
}
