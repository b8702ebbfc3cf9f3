//! Arrays, which the compiler turns into whatever vectors the baseline has.

use super::{LANES, Simd};

/// A dialect of arrays, with tiles of so many pixels.
#[derive(Clone, Copy)]
pub(crate) struct Arrays<const PIXELS: usize>;

/// The dialect without any assumption.
pub(crate) type Portable = Arrays<2>;

/// The shape of AVX-512 without its instructions: kernels take the ways that they take there also
/// where a test runs on another processor.
#[cfg(test)]
pub(crate) type Wide = Arrays<16>;

impl<const PIXELS: usize> Simd for Arrays<PIXELS> {
    type V = [f32; LANES];
    const PIXELS: usize = PIXELS;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        unsafe { p.cast::<Self::V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        unsafe { p.cast::<Self::V>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn relu(v: Self::V) -> Self::V {
        v.map(|x| if x > 0.0 { x } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn gate(v: Self::V, by: Self::V) -> Self::V {
        std::array::from_fn(|i| if by[i] > 0.0 { v[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn positive(v: Self::V) -> u16 {
        (0..LANES).fold(0, |mask, i| mask | (u16::from(v[i] > 0.0) << i))
    }
    #[inline(always)]
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V {
        std::array::from_fn(|i| if mask >> i & 1 == 1 { v[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn sum(v: Self::V) -> f32 {
        v.iter().sum()
    }
}
