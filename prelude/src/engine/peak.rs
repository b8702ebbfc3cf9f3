//! How fast the processor multiplies and adds when it does nothing else.

use super::simd::{Isa, LANES, Simd, kernel};
use std::hint::black_box;
use std::time::Instant;

/// Chains of multiply-adds that do not wait for each other: enough to hide an instruction's latency,
/// few enough for the registers.
const CHAINS: usize = 16;

/// Multiply-adds a chain in one timing: about a millisecond.
const LENGTH: usize = 1 << 18;

/// How many timings there are. The best counts: whatever disturbs a timing only makes it longer.
const TIMINGS: usize = 20;

kernel! {
    /// Runs the chains from `from`, and leaves their sum in `to`.
    ///
    /// # Safety
    /// Both must be valid for one vector.
    chains = run_chains(from: *const f32, to: *mut f32)
}

#[inline(always)]
unsafe fn run_chains<S: Simd>(from: *const f32, to: *mut f32) {
    unsafe {
        let (factor, summand) = (S::splat(*from), S::load(from));
        let mut values = [summand; CHAINS];
        for _ in 0..LENGTH {
            // A tile of pixels is as many vectors as the dialect's registers hold.
            for value in values.iter_mut().take(S::PIXELS) {
                *value = S::fma(*value, factor, summand);
            }
        }
        let sum = values.into_iter().reduce(|a, b| S::add(a, b));
        S::store(to, sum.expect("there are chains"));
    }
}

/// The most multiply-adds a second, of all threads of rayon's pool together: no load, no store.
pub(crate) fn multiply_adds_a_second(isa: Isa) -> f64 {
    let done = rayon::current_num_threads() * LENGTH * chains_of(isa) * LANES;
    let seconds = (0..TIMINGS).map(|_| {
        let start = Instant::now();
        rayon::broadcast(|_| {
            let (from, mut to) = (black_box([0.5; LANES]), [0.0; LANES]);
            // Both arrays are one vector long.
            unsafe { chains(isa, from.as_ptr(), to.as_mut_ptr()) };
            black_box(to)
        });
        start.elapsed().as_secs_f64()
    });
    done as f64 / seconds.fold(f64::INFINITY, f64::min)
}

/// As many as [`run_chains`] runs in that dialect.
fn chains_of(isa: Isa) -> usize {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => super::simd::Avx512::PIXELS,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => super::simd::Avx2::PIXELS,
        _ => super::simd::Portable::PIXELS,
    }
}
