//! Four floats, in the instructions that every processor of a kind has, and without them elsewhere.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod plain;
#[cfg(target_arch = "x86_64")]
mod sse;

#[cfg(target_arch = "aarch64")]
pub(super) use neon::*;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) use plain::*;
#[cfg(target_arch = "x86_64")]
pub(super) use sse::*;

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(values: [f32; 4]) -> Quad {
        // The array has four floats.
        unsafe { load(values.as_ptr()) }
    }

    fn stored(quad: Quad) -> [f32; 4] {
        let mut values = [0.0; 4];
        // The array has room for four floats.
        unsafe { store(values.as_mut_ptr(), quad) };
        values
    }

    #[test]
    fn four_floats_are_treated_as_one_by_one() {
        let (a, b) = (loaded([1.0, -2.0, 0.0, 4.0]), loaded([-0.5, 3.0, f32::NAN, -0.0]));
        assert_eq!(stored(splat(7.0)), [7.0; 4]);
        assert_eq!(stored(add(a, a)), [2.0, -4.0, 0.0, 8.0]);
        assert_eq!(stored(sub(a, splat(1.0))), [0.0, -3.0, -1.0, 3.0]);
        assert_eq!(stored(fma(a, splat(2.0), splat(1.0))), [3.0, -3.0, 1.0, 9.0]);
        assert_eq!(stored(gate(a, a)), [1.0, 0.0, 0.0, 4.0]);
        assert_eq!(stored(gate(a, b)), [0.0, -2.0, 0.0, 0.0], "nothing is above zero but 3");
        assert_eq!((positive(a), positive(b)), (0b1001, 0b0010));
        for mask in 0..16 {
            let kept = [0, 1, 2, 3].map(|i| if mask >> i & 1 == 1 { stored(a)[i] } else { 0.0 });
            assert_eq!(stored(keep(a, mask)), kept);
        }
        assert_eq!(sum(a), 3.0);
    }
}
