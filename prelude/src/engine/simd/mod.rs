//! Sixteen floats at a time, in three dialects chosen at run time.
//!
//! evcxr compiles for the processor's baseline, so nothing may depend on `target-cpu`: every kernel
//! is written once over [`Simd`] and compiled three times, and [`Isa::detect`] picks one.

mod portable;
mod quad;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use portable::Portable;
#[cfg(test)]
pub(crate) use portable::Wide;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

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
    /// The same in the shape of AVX-512.
    #[cfg(test)]
    Wide,
}

impl Isa {
    /// The best instruction set of this processor.
    pub fn detect() -> Isa {
        Isa::supported()[0]
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
        #[cfg(test)]
        all.push(Isa::Wide);
        all
    }

    /// `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
            #[cfg(test)]
            Isa::Wide => "wide",
        }
    }

    /// How many vectors of output channels a convolution's register tile spans, out of `blocks`.
    pub(crate) fn group(self, blocks: usize) -> usize {
        if self.is_wide() && blocks.is_multiple_of(2) { 2 } else { 1 }
    }

    fn is_wide(self) -> bool {
        match self {
            Isa::Avx512 => true,
            Isa::Avx2 | Isa::Portable => false,
            #[cfg(test)]
            Isa::Wide => true,
        }
    }
}

/// Floats side by side, as many as a dialect chooses, and what a register tile does with them.
///
/// # Safety
/// A method may be called only where the processor has the dialect's instructions, and a pointer
/// must be valid for so many floats (unaligned).
pub(crate) trait Vector: Copy {
    /// The vector.
    type V: Copy;
    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    /// `a * b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
}

/// Sixteen floats and what the kernels do with them.
///
/// # Safety
/// As for [`Vector`].
pub(crate) trait Simd: Vector {
    /// What is enough where only the first eight floats count: fewer registers, or the same.
    type Half: Vector;
    /// How many pixels a register tile holds for one vector of output channels.
    const PIXELS: usize;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// `max(v, 0)`.
    unsafe fn relu(v: Self::V) -> Self::V;
    /// The lanes of `v` where `by` is above zero; zero elsewhere.
    unsafe fn gate(v: Self::V, by: Self::V) -> Self::V;
    /// One bit a lane: is it above zero?
    unsafe fn positive(v: Self::V) -> u16;
    /// The lanes whose bit is set; zero elsewhere.
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V;
    /// The sum of the lanes.
    unsafe fn sum(v: Self::V) -> f32;
}

/// Defines `$name(isa, …)`, which runs the generic kernel `$generic::<S>` in the dialect of `isa`.
///
/// The instruction set is entered once a call: inside, everything is inlined. A kernel's body is
/// unsafe as a whole; the `# Safety` section of its documentation says what it relies on. A caller
/// may name only a dialect of [`Isa::supported`].
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
                #[cfg(test)]
                $crate::engine::simd::Isa::Wide => unsafe {
                    $generic::<$crate::engine::simd::Wide>($($arg),*)
                },
                _ => unsafe { $generic::<$crate::engine::simd::Portable>($($arg),*) },
            }
        }
    };
}
pub(crate) use kernel;
