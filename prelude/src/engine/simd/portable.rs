//! Four times four floats: what every processor of a kind has.

use super::quad::{self, Quad};
use super::{Simd, Vector};

/// A dialect of the baseline's vectors, with tiles of so many pixels.
#[derive(Clone, Copy)]
pub(crate) struct Baseline<const PIXELS: usize>;

/// The dialect without any assumption.
pub(crate) type Portable = Baseline<2>;

/// The shape of AVX-512 without its instructions: kernels take the ways that they take there also
/// where a test runs on another processor.
#[cfg(test)]
pub(crate) type Wide = Baseline<16>;

impl<const PIXELS: usize> Baseline<PIXELS> {
    #[inline(always)]
    fn each(a: [Quad; 4], b: [Quad; 4], f: impl Fn(Quad, Quad) -> Quad) -> [Quad; 4] {
        [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
    }
}

impl<const PIXELS: usize> Vector for Baseline<PIXELS> {
    type V = [Quad; 4];

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [quad::splat(x); 4]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        unsafe {
            [quad::load(p), quad::load(p.add(4)), quad::load(p.add(8)), quad::load(p.add(12))]
        }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        unsafe {
            quad::store(p, v[0]);
            quad::store(p.add(4), v[1]);
            quad::store(p.add(8), v[2]);
            quad::store(p.add(12), v[3]);
        }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        let products = |i: usize| quad::fma(a[i], b[i], c[i]);
        [products(0), products(1), products(2), products(3)]
    }
}

impl<const PIXELS: usize> Simd for Baseline<PIXELS> {
    type Half = Self;
    const PIXELS: usize = PIXELS;

    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        Self::each(a, b, quad::add)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        Self::each(a, b, quad::sub)
    }
    #[inline(always)]
    unsafe fn relu(v: Self::V) -> Self::V {
        Self::each(v, v, quad::gate)
    }
    #[inline(always)]
    unsafe fn gate(v: Self::V, by: Self::V) -> Self::V {
        Self::each(v, by, quad::gate)
    }
    #[inline(always)]
    unsafe fn positive(v: Self::V) -> u16 {
        let bits = |i: usize| quad::positive(v[i]) << (4 * i);
        bits(0) | bits(1) | bits(2) | bits(3)
    }
    #[inline(always)]
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V {
        let kept = |i: usize| quad::keep(v[i], mask >> (4 * i) & 15);
        [kept(0), kept(1), kept(2), kept(3)]
    }
    #[inline(always)]
    unsafe fn sum(v: Self::V) -> f32 {
        quad::sum(quad::add(quad::add(v[0], v[1]), quad::add(v[2], v[3])))
    }
}
