//! How far two lists of numbers go together, and the straight line through them.

use crate::show::shows_as_text;
use crate::{Error, Result};
use std::fmt;

shows_as_text!(Correlation);

/// Pearson's r between two lists of numbers, and the line `y = slope · x + intercept` that fits them best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// From −1 to 1.
    pub r: f64,
    /// Where the true r lies with 95 % certainty, by Fisher's transformation, if the points are independent.
    pub interval: [f64; 2],
    /// How much y grows with x.
    pub slope: f64,
    /// y where x is 0.
    pub intercept: f64,
    /// How many points there are.
    pub points: usize,
}

/// How many deviations of a normal distribution hold 95 % of it.
const DEVIATIONS: f64 = 1.959_963_984_540_054;

impl Correlation {
    /// Of the points `(xs[i], ys[i])`.
    ///
    /// # Errors
    /// If the lists differ in length or hold fewer than four points, if a number is not finite, or if one
    /// list is the same number again and again.
    pub fn of(xs: &[f64], ys: &[f64]) -> Result<Self> {
        let finite = xs.iter().chain(ys).all(|value| value.is_finite());
        if xs.len() != ys.len() || xs.len() < 4 || !finite {
            return Err(Error::invalid(
                "two equally long lists of four finite numbers or more",
                format!("{xs:?} and {ys:?}"),
                "Give each point an x and a y.",
            ));
        }
        let count = xs.len() as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
        let (x, y) = (mean(xs), mean(ys));
        let sum = |f: &dyn Fn(f64, f64) -> f64| {
            xs.iter().zip(ys).map(|(a, b)| f(a - x, b - y)).sum::<f64>()
        };
        let (xx, yy, xy) = (sum(&|a, _| a * a), sum(&|_, b| b * b), sum(&|a, b| a * b));
        if xx <= 0.0 || yy <= 0.0 {
            return Err(Error::invalid(
                "numbers that differ in both lists",
                format!("{xs:?} and {ys:?}"),
                "Where nothing varies there is nothing to go together.",
            ));
        }
        let r = (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0);
        let reach = DEVIATIONS / (count - 3.0).sqrt();
        let slope = xy / xx;
        Ok(Self {
            r,
            interval: [(r.atanh() - reach).tanh(), (r.atanh() + reach).tanh()],
            slope,
            intercept: y - slope * x,
            points: xs.len(),
        })
    }

    /// The line's y at some x.
    pub fn at(&self, x: f64) -> f64 {
        self.slope * x + self.intercept
    }
}

/// `r = 0.93 (95 %: 0.26 to 1.00; 5 points)`
impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { r, interval: [low, high], points, .. } = self;
        write!(f, "r = {r:.2} (95 %: {low:.2} to {high:.2}; {points} points)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::says;

    #[test]
    fn five_points_have_the_correlation_and_the_line_of_numpy() {
        // import numpy as np
        // x, y = np.array([28.0, 39.4, 40.9, 41.7, 44.7]), np.array([65.6, 82.8, 92.2, 92.7, 100.0])
        // r, line = np.corrcoef(x, y)[0, 1], np.polyfit(x, y, 1)
        // print(r, line, np.tanh(np.arctanh(r) + np.array([-1, 1]) * 1.959963984540054 / np.sqrt(2)))
        let found =
            Correlation::of(&[28.0, 39.4, 40.9, 41.7, 44.7], &[65.6, 82.8, 92.2, 92.7, 100.0])
                .unwrap();
        let expected = [
            0.9787128570569072,
            2.023849463934065,
            7.851301874407546,
            0.706492183918172,
            0.9986550947497211,
        ];
        let numbers = [found.r, found.slope, found.intercept, found.interval[0], found.interval[1]];
        for (found, expected) in numbers.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9 * expected.abs(), "{numbers:?}");
        }
        assert!((found.at(10.0) - (10.0 * found.slope + found.intercept)).abs() < 1e-12);
    }

    #[test]
    fn points_on_a_line_have_an_r_of_one() {
        let found = Correlation::of(&[1.0, 2.0, 3.0, 4.0], &[-1.0, -3.0, -5.0, -7.0]).unwrap();
        assert_eq!((found.r, found.slope, found.intercept), (-1.0, -2.0, 1.0));
        assert_eq!(found.to_string(), "r = -1.00 (95 %: -1.00 to -1.00; 4 points)");
    }

    #[test]
    fn numbers_that_say_nothing_are_an_error() {
        says(Correlation::of(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), &["four finite numbers"]);
        says(Correlation::of(&[1.0; 5], &[1.0; 4]), &["equally long"]);
        let up = [1.0, 2.0, 3.0, 4.0];
        says(Correlation::of(&up, &[1.0, f64::NAN, 3.0, 4.0]), &["four finite numbers", "NaN"]);
        says(Correlation::of(&up, &[2.0; 4]), &["numbers that differ"]);
        says(Correlation::of(&[0.0; 4], &up), &["numbers that differ"]);
    }
}
