//! Arrays, for processors that nobody has written anything else for.

/// Four floats.
pub(in crate::engine::simd) type Quad = [f32; 4];

pub(in crate::engine::simd) fn splat(x: f32) -> Quad {
    [x; 4]
}

pub(in crate::engine::simd) unsafe fn load(p: *const f32) -> Quad {
    unsafe { p.cast::<Quad>().read_unaligned() }
}

pub(in crate::engine::simd) unsafe fn store(p: *mut f32, v: Quad) {
    unsafe { p.cast::<Quad>().write_unaligned(v) }
}

pub(in crate::engine::simd) fn fma(a: Quad, b: Quad, c: Quad) -> Quad {
    std::array::from_fn(|i| a[i] * b[i] + c[i])
}

pub(in crate::engine::simd) fn add(a: Quad, b: Quad) -> Quad {
    std::array::from_fn(|i| a[i] + b[i])
}

pub(in crate::engine::simd) fn sub(a: Quad, b: Quad) -> Quad {
    std::array::from_fn(|i| a[i] - b[i])
}

/// The lanes of `v` where `by` is above zero; zero elsewhere.
pub(in crate::engine::simd) fn gate(v: Quad, by: Quad) -> Quad {
    std::array::from_fn(|i| if by[i] > 0.0 { v[i] } else { 0.0 })
}

/// One bit a lane: is it above zero?
pub(in crate::engine::simd) fn positive(v: Quad) -> u16 {
    (0..4).fold(0, |mask, i| mask | (u16::from(v[i] > 0.0) << i))
}

/// The lanes whose bit is set; zero elsewhere.
pub(in crate::engine::simd) fn keep(v: Quad, mask: u16) -> Quad {
    std::array::from_fn(|i| if mask >> i & 1 == 1 { v[i] } else { 0.0 })
}

pub(in crate::engine::simd) fn sum(v: Quad) -> f32 {
    v.iter().sum()
}
