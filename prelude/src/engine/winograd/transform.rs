//! The transforms of Winograd's F(4×4, 3×3), each a rule for a line, applied to columns and then rows.
//!
//! A 3×3 convolution of a 6×6 window is 36 products of transformed numbers and gives 4×4 outputs, which
//! cost 144 products otherwise. The rules evaluate polynomials at 0, ±a, ±b and infinity with a = 1/√2 and
//! b = √2. As a·b = 1 many constants are 1, and points so close in size round less than the usual 0, ±1
//! and ±2.

// Indices say better than iterators that they will be constants.
#![allow(clippy::needless_range_loop)]

use crate::engine::simd::Simd;
use std::f32::consts::{FRAC_1_SQRT_2 as A, SQRT_2 as B};

/// What becomes of `FROM` numbers in a line: `TO` others.
pub(super) trait Line<S: Simd, const FROM: usize, const TO: usize> {
    unsafe fn of(line: [S::V; FROM]) -> [S::V; TO];
}

/// A window of the input.
pub(super) struct Window;
/// A window of weights.
pub(super) struct Kernel;
/// Products, on their way to outputs.
pub(super) struct Outputs;
/// Slopes of the outputs, on their way to those of the products: [`Outputs`] turned around.
pub(super) struct Slopes;
/// Slopes of the transformed weights, on their way to those of the weights: [`Kernel`] turned around.
pub(super) struct KernelSlopes;

impl<S: Simd> Line<S, 6, 6> for Window {
    #[inline(always)]
    unsafe fn of(d: [S::V; 6]) -> [S::V; 6] {
        unsafe {
            let middle = S::splat(-2.5);
            let (even_a, odd_a) =
                (S::fma(S::splat(-2.0), d[2], d[4]), S::fma(S::splat(-2.0), d[1], d[3]));
            let (even_b, odd_b) =
                (S::fma(S::splat(-0.5), d[2], d[4]), S::fma(S::splat(-0.5), d[1], d[3]));
            [
                S::fma(middle, d[2], S::add(d[0], d[4])),
                S::fma(S::splat(A), odd_a, even_a),
                S::fma(S::splat(-A), odd_a, even_a),
                S::fma(S::splat(B), odd_b, even_b),
                S::fma(S::splat(-B), odd_b, even_b),
                S::fma(middle, d[3], S::add(d[1], d[5])),
            ]
        }
    }
}

impl<S: Simd> Line<S, 3, 6> for Kernel {
    #[inline(always)]
    unsafe fn of(g: [S::V; 3]) -> [S::V; 6] {
        const OF_A: f32 = -2.0 / 3.0;
        const OF_B: f32 = 1.0 / 6.0;
        unsafe {
            let zero = S::splat(0.0);
            let (first_a, first_b) =
                (S::fma(S::splat(OF_A), g[0], zero), S::fma(S::splat(OF_B), g[0], zero));
            let even_a = S::fma(S::splat(0.5 * OF_A), g[2], first_a);
            let even_b = S::fma(S::splat(2.0 * OF_B), g[2], first_b);
            [
                g[0],
                S::fma(S::splat(A * OF_A), g[1], even_a),
                S::fma(S::splat(-A * OF_A), g[1], even_a),
                S::fma(S::splat(B * OF_B), g[1], even_b),
                S::fma(S::splat(-B * OF_B), g[1], even_b),
                g[2],
            ]
        }
    }
}

impl<S: Simd> Line<S, 6, 4> for Outputs {
    #[inline(always)]
    unsafe fn of(m: [S::V; 6]) -> [S::V; 4] {
        unsafe {
            let (sum_a, difference_a) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
            let (sum_b, difference_b) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
            let zero = S::splat(0.0);
            [
                S::add(m[0], S::add(sum_a, sum_b)),
                S::fma(S::splat(A), difference_a, S::fma(S::splat(B), difference_b, zero)),
                S::fma(S::splat(0.5), sum_a, S::add(sum_b, sum_b)),
                S::fma(
                    S::splat(A * A * A),
                    difference_a,
                    S::fma(S::splat(B * B * B), difference_b, m[5]),
                ),
            ]
        }
    }
}

impl<S: Simd> Line<S, 4, 6> for Slopes {
    #[inline(always)]
    unsafe fn of(y: [S::V; 4]) -> [S::V; 6] {
        unsafe {
            let zero = S::splat(0.0);
            let (even_a, even_b) =
                (S::fma(S::splat(0.5), y[2], y[0]), S::fma(S::splat(2.0), y[2], y[0]));
            let odd_a = S::fma(S::splat(A * A * A), y[3], S::fma(S::splat(A), y[1], zero));
            let odd_b = S::fma(S::splat(B * B * B), y[3], S::fma(S::splat(B), y[1], zero));
            [
                y[0],
                S::add(even_a, odd_a),
                S::sub(even_a, odd_a),
                S::add(even_b, odd_b),
                S::sub(even_b, odd_b),
                y[3],
            ]
        }
    }
}

impl<S: Simd> Line<S, 6, 3> for KernelSlopes {
    #[inline(always)]
    unsafe fn of(u: [S::V; 6]) -> [S::V; 3] {
        const OF_A: f32 = -2.0 / 3.0;
        const OF_B: f32 = 1.0 / 6.0;
        unsafe {
            let zero = S::splat(0.0);
            let (sum_a, difference_a) = (S::add(u[1], u[2]), S::sub(u[1], u[2]));
            let (sum_b, difference_b) = (S::add(u[3], u[4]), S::sub(u[3], u[4]));
            let odd_b = S::fma(S::splat(B * OF_B), difference_b, zero);
            [
                S::fma(S::splat(OF_A), sum_a, S::fma(S::splat(OF_B), sum_b, u[0])),
                S::fma(S::splat(A * OF_A), difference_a, odd_b),
                S::fma(S::splat(0.5 * OF_A), sum_a, S::fma(S::splat(2.0 * OF_B), sum_b, u[5])),
            ]
        }
    }
}

/// Where the vectors of a square lie: the first one, and the floats to the next row and column.
#[derive(Clone, Copy)]
pub(super) struct Square<P> {
    pub at: P,
    pub row: usize,
    pub column: usize,
}

/// Applies `L` to the columns of a square of vectors and then to the rows.
///
/// # Safety
/// Every place of both squares must be valid for a vector.
#[inline(always)]
pub(super) unsafe fn square<S: Simd, L: Line<S, FROM, TO>, const FROM: usize, const TO: usize>(
    from: Square<*const f32>,
    to: Square<*mut f32>,
) {
    unsafe {
        let mut half = [[S::splat(0.0); FROM]; TO];
        for x in 0..FROM {
            let mut column = [S::splat(0.0); FROM];
            for y in 0..FROM {
                column[y] = S::load(from.at.add(y * from.row + x * from.column));
            }
            let column = L::of(column);
            for y in 0..TO {
                half[y][x] = column[y];
            }
        }
        for y in 0..TO {
            let row = L::of(half[y]);
            for x in 0..TO {
                S::store(to.at.add(y * to.row + x * to.column), row[x]);
            }
        }
    }
}
