//! Intel's and AMD's wide registers.

use super::{Simd, Vector};
use std::arch::x86_64::*;

/// One 512-bit register.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

impl Vector for Avx512 {
    type V = __m512;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m512 {
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m512) {
        unsafe { _mm512_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
}

impl Simd for Avx512 {
    type Half = Self;
    const PIXELS: usize = 16;

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn relu(v: __m512) -> __m512 {
        unsafe { _mm512_max_ps(v, _mm512_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn gate(v: __m512, by: __m512) -> __m512 {
        unsafe { Self::keep(v, Self::positive(by)) }
    }
    #[inline(always)]
    unsafe fn positive(v: __m512) -> u16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(v, _mm512_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn keep(v: __m512, mask: u16) -> __m512 {
        unsafe { _mm512_maskz_mov_ps(mask, v) }
    }
    #[inline(always)]
    unsafe fn sum(v: __m512) -> f32 {
        unsafe { _mm512_reduce_add_ps(v) }
    }
}

/// Two 256-bit registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

impl Avx2 {
    #[inline(always)]
    unsafe fn half_mask(bits: i32) -> __m256 {
        unsafe {
            let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits), lanes);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lanes))
        }
    }
}

/// The lower of them alone.
#[derive(Clone, Copy)]
pub(crate) struct Low;

impl Vector for Low {
    type V = __m256;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m256) {
        unsafe { _mm256_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}

impl Vector for Avx2 {
    type V = (__m256, __m256);

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        unsafe { (_mm256_set1_ps(x), _mm256_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        unsafe { (_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        unsafe {
            _mm256_storeu_ps(p, v.0);
            _mm256_storeu_ps(p.add(8), v.1);
        }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { (_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)) }
    }
}

impl Simd for Avx2 {
    type Half = Low;
    const PIXELS: usize = 6;

    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        unsafe { (_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        unsafe { (_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn relu(v: Self::V) -> Self::V {
        unsafe {
            let zero = _mm256_setzero_ps();
            (_mm256_max_ps(v.0, zero), _mm256_max_ps(v.1, zero))
        }
    }
    #[inline(always)]
    unsafe fn gate(v: Self::V, by: Self::V) -> Self::V {
        unsafe {
            let zero = _mm256_setzero_ps();
            let low = _mm256_cmp_ps::<_CMP_GT_OQ>(by.0, zero);
            let high = _mm256_cmp_ps::<_CMP_GT_OQ>(by.1, zero);
            (_mm256_and_ps(v.0, low), _mm256_and_ps(v.1, high))
        }
    }
    #[inline(always)]
    unsafe fn positive(v: Self::V) -> u16 {
        unsafe {
            let zero = _mm256_setzero_ps();
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(v.0, zero));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(v.1, zero));
            (low | high << 8) as u16
        }
    }
    #[inline(always)]
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V {
        unsafe {
            let (low, high) = (i32::from(mask & 255), i32::from(mask >> 8));
            (_mm256_and_ps(v.0, Self::half_mask(low)), _mm256_and_ps(v.1, Self::half_mask(high)))
        }
    }
    #[inline(always)]
    unsafe fn sum(v: Self::V) -> f32 {
        unsafe {
            let eight = _mm256_add_ps(v.0, v.1);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}
