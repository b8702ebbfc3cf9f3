//! Many small matrix products of one shape, as the transformed numbers want them.

// Indices say better than iterators that they will be constants.
#![allow(clippy::needless_range_loop)]

use crate::engine::simd::{LANES, Simd};

/// `c[p][q] = Σ a[p][k] · b[k][q]`, `count` times over, where the `q` lie in panels of vectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub count: usize,
    pub rows: usize,
    pub inner: usize,
    /// How many panels there are, and how many vectors are in each.
    pub panels: usize,
    pub group: usize,
    /// The floats from one product's matrix to the next one's.
    pub next: [usize; 3],
    /// The floats from one `p` and one `k` to the next in `a`.
    pub a: (usize, usize),
    /// The floats from one panel and one `k` to the next in `b`.
    pub b: (usize, usize),
    /// The floats from one `p` to the next in `c`.
    pub c: usize,
    pub start: Start,
}

/// What the sums start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Zero,
    /// What is in `c` already.
    Kept,
}

impl Product {
    /// # Safety
    /// `a`, `b` and `c` must be valid for the matrices described.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, a: *const f32, b: *const f32, c: *mut f32) {
        unsafe {
            match (S::PIXELS, self.group) {
                (16, 1) => self.tiles::<S, 16, 1>(a, b, c),
                (16, 2) => self.tiles::<S, 8, 2>(a, b, c),
                (6, 1) => self.tiles::<S, 6, 1>(a, b, c),
                (_, 1) => self.tiles::<S, 2, 1>(a, b, c),
                (_, group) => unreachable!("no tile for {group} vectors"),
            }
        }
    }

    #[inline(always)]
    unsafe fn tiles<S: Simd, const P: usize, const Q: usize>(
        &self,
        a: *const f32,
        b: *const f32,
        c: *mut f32,
    ) {
        for index in 0..self.count {
            for panel in 0..self.panels {
                unsafe {
                    let a = a.add(index * self.next[0]);
                    let b = b.add(index * self.next[1] + panel * self.b.0);
                    let c = c.add(index * self.next[2] + panel * Q * LANES);
                    let mut row = 0;
                    // Eight rows are two tiles of four sooner than one of six and two of one.
                    while row + P <= self.rows && (P != 6 || self.rows - row != 8) {
                        self.tile::<S, P, Q>(a.add(row * self.a.0), b, c.add(row * self.c));
                        row += P;
                    }
                    while P > 4 && row + 4 <= self.rows {
                        self.tile::<S, 4, Q>(a.add(row * self.a.0), b, c.add(row * self.c));
                        row += 4;
                    }
                    while row < self.rows {
                        self.tile::<S, 1, Q>(a.add(row * self.a.0), b, c.add(row * self.c));
                        row += 1;
                    }
                }
            }
        }
    }

    /// `P` rows of one panel; indices are constants, so that the sums stay in registers.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const Q: usize>(
        &self,
        a: *const f32,
        b: *const f32,
        c: *mut f32,
    ) {
        unsafe {
            let mut sums = [[S::splat(0.0); Q]; P];
            if self.start == Start::Kept {
                for p in 0..P {
                    for q in 0..Q {
                        sums[p][q] = S::load(c.add(p * self.c + q * LANES));
                    }
                }
            }
            let (mut a, mut b) = (a, b);
            for _ in 0..self.inner {
                let mut vectors = [S::splat(0.0); Q];
                for q in 0..Q {
                    vectors[q] = S::load(b.add(q * LANES));
                }
                for p in 0..P {
                    let value = S::splat(*a.add(p * self.a.0));
                    for q in 0..Q {
                        sums[p][q] = S::fma(value, vectors[q], sums[p][q]);
                    }
                }
                (a, b) = (a.add(self.a.1), b.add(self.b.1));
            }
            for p in 0..P {
                for q in 0..Q {
                    S::store(c.add(p * self.c + q * LANES), sums[p][q]);
                }
            }
        }
    }
}
