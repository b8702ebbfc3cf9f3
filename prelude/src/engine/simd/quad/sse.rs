//! SSE2, which every x86-64 has.

use std::arch::x86_64::*;

/// Four floats.
pub(in crate::engine::simd) type Quad = __m128;

// SAFETY, for all of them: this architecture is never without these instructions.

#[inline(always)]
pub(in crate::engine::simd) fn splat(x: f32) -> Quad {
    unsafe { _mm_set1_ps(x) }
}

#[inline(always)]
pub(in crate::engine::simd) unsafe fn load(p: *const f32) -> Quad {
    unsafe { _mm_loadu_ps(p) }
}

#[inline(always)]
pub(in crate::engine::simd) unsafe fn store(p: *mut f32, v: Quad) {
    unsafe { _mm_storeu_ps(p, v) }
}

#[inline(always)]
pub(in crate::engine::simd) fn fma(a: Quad, b: Quad, c: Quad) -> Quad {
    unsafe { _mm_add_ps(_mm_mul_ps(a, b), c) }
}

#[inline(always)]
pub(in crate::engine::simd) fn add(a: Quad, b: Quad) -> Quad {
    unsafe { _mm_add_ps(a, b) }
}

#[inline(always)]
pub(in crate::engine::simd) fn sub(a: Quad, b: Quad) -> Quad {
    unsafe { _mm_sub_ps(a, b) }
}

/// The lanes of `v` where `by` is above zero; zero elsewhere.
#[inline(always)]
pub(in crate::engine::simd) fn gate(v: Quad, by: Quad) -> Quad {
    unsafe { _mm_and_ps(v, _mm_cmpgt_ps(by, _mm_setzero_ps())) }
}

/// One bit a lane: is it above zero?
#[inline(always)]
pub(in crate::engine::simd) fn positive(v: Quad) -> u16 {
    unsafe { _mm_movemask_ps(_mm_cmpgt_ps(v, _mm_setzero_ps())) as u16 }
}

/// The lanes whose bit is set; zero elsewhere.
#[inline(always)]
pub(in crate::engine::simd) fn keep(v: Quad, mask: u16) -> Quad {
    unsafe {
        let lanes = _mm_setr_epi32(1, 2, 4, 8);
        let set = _mm_and_si128(_mm_set1_epi32(i32::from(mask)), lanes);
        _mm_and_ps(v, _mm_castsi128_ps(_mm_cmpeq_epi32(set, lanes)))
    }
}

#[inline(always)]
pub(in crate::engine::simd) fn sum(v: Quad) -> f32 {
    unsafe {
        let two = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}
