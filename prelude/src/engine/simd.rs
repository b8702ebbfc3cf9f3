//! Sixteen floats at a time, in three dialects chosen at run time.
//!
//! evcxr compiles for the processor's baseline, so nothing may depend on `target-cpu`: every kernel
//! is written once over [`Simd`] and compiled three times, and [`Isa::detect`] picks one.

use std::sync::OnceLock;

/// How many floats a [`Simd`] vector holds, in every dialect.
pub(crate) const LANES: usize = 16;

/// The instruction set a kernel runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 512-bit registers.
    Avx512,
    /// 256-bit registers with fused multiply-add.
    Avx2,
    /// Whatever the baseline offers.
    Portable,
}

impl Isa {
    /// The best instruction set of this processor; `ERM_ISA=avx2` or `portable` asks for less.
    pub fn detect() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let supported = Isa::supported();
            let wanted = std::env::var("ERM_ISA").unwrap_or_default();
            supported.iter().copied().find(|isa| isa.name() == wanted).unwrap_or(supported[0])
        })
    }

    /// The instruction sets of this processor, best first.
    pub fn supported() -> Vec<Isa> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") {
                all.push(Isa::Avx512);
            }
            if std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
            {
                all.push(Isa::Avx2);
            }
        }
        all.push(Isa::Portable);
        all
    }

    /// `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }

    /// How many vectors of output channels a convolution's register tile spans, out of `blocks`.
    pub(crate) fn group(self, blocks: usize) -> usize {
        if self == Isa::Avx512 && blocks.is_multiple_of(2) { 2 } else { 1 }
    }
}

/// Sixteen floats and what the kernels do with them.
///
/// # Safety
/// A method may be called only where the processor has the dialect's instructions, and a pointer
/// must be valid for sixteen floats (unaligned).
pub(crate) trait Simd: Copy {
    /// The vector.
    type V: Copy;
    /// How many pixels a register tile holds for one vector of output channels.
    const PIXELS: usize;
    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    /// `a * b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// One bit a lane: is it above zero?
    unsafe fn positive(v: Self::V) -> u16;
    /// The lanes whose bit is set; zero elsewhere.
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V;
    /// The sum of the lanes.
    unsafe fn sum(v: Self::V) -> f32;
}

/// The dialect without any assumption.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Simd for Portable {
    type V = [f32; LANES];
    const PIXELS: usize = 2;

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

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Simd;
    use std::arch::x86_64::*;

    /// One 512-bit register.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512;

    impl Simd for Avx512 {
        type V = __m512;
        const PIXELS: usize = 16;

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
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
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

    impl Simd for Avx2 {
        type V = (__m256, __m256);
        const PIXELS: usize = 4;

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
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            unsafe { (_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)) }
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
                (
                    _mm256_and_ps(v.0, Self::half_mask(low)),
                    _mm256_and_ps(v.1, Self::half_mask(high)),
                )
            }
        }
        #[inline(always)]
        unsafe fn sum(v: Self::V) -> f32 {
            unsafe {
                let eight = _mm256_add_ps(v.0, v.1);
                let four =
                    _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
    }
}

/// Defines `$name(isa, …)`, which runs the generic kernel `$generic::<S>` in the dialect of `isa`.
///
/// The instruction set is entered once a call: inside, everything is inlined.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident = $generic:ident($($arg:ident: $ty:ty),* $(,)?)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(crate) unsafe fn $name(isa: $crate::engine::simd::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[allow(clippy::too_many_arguments)]
            #[target_feature(enable = "avx512f,avx2,fma")]
            unsafe fn avx512($($arg: $ty),*) {
                unsafe { $generic::<$crate::engine::simd::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[allow(clippy::too_many_arguments)]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2($($arg: $ty),*) {
                unsafe { $generic::<$crate::engine::simd::Avx2>($($arg),*) }
            }
            match isa {
                #[cfg(target_arch = "x86_64")]
                $crate::engine::simd::Isa::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::engine::simd::Isa::Avx2 => unsafe { avx2($($arg),*) },
                _ => unsafe { $generic::<$crate::engine::simd::Portable>($($arg),*) },
            }
        }
    };
}
pub(crate) use kernel;
