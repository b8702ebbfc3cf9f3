//! NEON, which every 64-bit ARM has.

use std::arch::aarch64::*;

/// Four floats.
pub(in crate::engine::simd) type Quad = float32x4_t;

const LANES: [u32; 4] = [1, 2, 4, 8];

// SAFETY, for all of them: this architecture is never without these instructions.

#[inline(always)]
pub(in crate::engine::simd) fn splat(x: f32) -> Quad {
    unsafe { vdupq_n_f32(x) }
}

#[inline(always)]
pub(in crate::engine::simd) unsafe fn load(p: *const f32) -> Quad {
    unsafe { vld1q_f32(p) }
}

#[inline(always)]
pub(in crate::engine::simd) unsafe fn store(p: *mut f32, v: Quad) {
    unsafe { vst1q_f32(p, v) }
}

#[inline(always)]
pub(in crate::engine::simd) fn fma(a: Quad, b: Quad, c: Quad) -> Quad {
    unsafe { vfmaq_f32(c, a, b) }
}

#[inline(always)]
pub(in crate::engine::simd) fn add(a: Quad, b: Quad) -> Quad {
    unsafe { vaddq_f32(a, b) }
}

#[inline(always)]
pub(in crate::engine::simd) fn sub(a: Quad, b: Quad) -> Quad {
    unsafe { vsubq_f32(a, b) }
}

#[inline(always)]
fn only(v: Quad, lanes: uint32x4_t) -> Quad {
    unsafe { vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), lanes)) }
}

/// The lanes of `v` where `by` is above zero; zero elsewhere.
#[inline(always)]
pub(in crate::engine::simd) fn gate(v: Quad, by: Quad) -> Quad {
    unsafe { only(v, vcgtzq_f32(by)) }
}

/// One bit a lane: is it above zero?
#[inline(always)]
pub(in crate::engine::simd) fn positive(v: Quad) -> u16 {
    unsafe { vaddvq_u32(vandq_u32(vcgtzq_f32(v), vld1q_u32(LANES.as_ptr()))) as u16 }
}

/// The lanes whose bit is set; zero elsewhere.
#[inline(always)]
pub(in crate::engine::simd) fn keep(v: Quad, mask: u16) -> Quad {
    unsafe { only(v, vtstq_u32(vdupq_n_u32(u32::from(mask)), vld1q_u32(LANES.as_ptr()))) }
}

#[inline(always)]
pub(in crate::engine::simd) fn sum(v: Quad) -> f32 {
    unsafe { vaddvq_f32(v) }
}
