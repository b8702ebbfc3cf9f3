//! An axis: the range it covers, where its ticks are, and where a value lies on it.

use std::ops::RangeInclusive;

use super::number;

/// A range with ticks, linear or logarithmic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
    /// Where each tick is and what it says, from low to high.
    pub(super) ticks: Vec<(f64, String)>,
}

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart; for values above 0.
    Logarithmic,
}

impl Axis {
    /// An axis over all `values` with at most about `most` ticks. The values are finite and, on a
    /// logarithmic axis, above 0.
    pub(super) fn covering(values: &[f64], scale: Scale, most: usize) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match scale {
            Scale::Linear => {
                // Between two epochs there is no half.
                let whole = values.iter().all(|value| value.fract() == 0.0);
                Self::linear(low, high, most, if whole { 1.0 } else { 0.0 })
            }
            Scale::Logarithmic => Self::logarithmic(low, high, most),
        }
    }

    /// A linear axis between two numbers, with at most about `most` ticks.
    pub(super) fn between(low: f64, high: f64, most: usize) -> Self {
        Self::linear(low, high, most, 0.0)
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => {
                (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
            }
        }
    }

    fn linear(low: f64, high: f64, most: usize, least_step: f64) -> Self {
        let (low, high) = apart(low, high);
        let step = step((high - low) / most as f64).max(least_step);
        // Whole numbers of steps, so that no rounding adds up along the axis.
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil();
        let places: Vec<f64> = (0..=(last - first) as usize).map(|i| first + i as f64).collect();
        let values: Vec<f64> = places.iter().map(|place| place * step).collect();
        let labels = number::ticks(&values, step);
        let ticks = values.into_iter().zip(labels).collect();
        Self { low: first * step, high: last * step, scale: Scale::Linear, ticks }
    }

    fn logarithmic(low: f64, high: f64, most: usize) -> Self {
        let decades = decade(low, f64::floor)..=decade(high, f64::ceil);
        // Within two or three powers of ten, 2 and 5 times a power of ten are round numbers too.
        let fine = round_numbers(decades.clone());
        let first = fine.iter().rposition(|(value, _)| *value <= low * ALMOST).unwrap_or(0);
        let last = fine.iter().position(|(value, _)| *value >= high / ALMOST);
        let mut ticks = fine[first..=last.unwrap_or(fine.len() - 1).max(first + 1)].to_vec();
        if ticks.len() > most + 2 {
            let every = decades.clone().count().div_ceil(most);
            ticks = decades.step_by(every).map(power_of_ten).collect();
        }
        let ends = ticks.iter().map(|(value, _)| *value).chain([low, high]);
        let (low, high) = ends.fold((low, high), |(a, b), end| (a.min(end), b.max(end)));
        Self { low, high, scale: Scale::Logarithmic, ticks }
    }
}

/// Allows for rounding when a value is compared with a tick.
const ALMOST: f64 = 1.0 + 1e-9;

/// 1, 2 and 5 times every power of ten, and the power after the last.
fn round_numbers(decades: RangeInclusive<i32>) -> Vec<(f64, String)> {
    let end = decades.end() + 1;
    let mut all = Vec::new();
    for exponent in decades {
        for factor in [1.0, 2.0, 5.0] {
            let value = factor * 10f64.powi(exponent);
            all.push((value, number::round(factor, exponent)));
        }
    }
    all.push(power_of_ten(end));
    all
}

fn power_of_ten(exponent: i32) -> (f64, String) {
    (10f64.powi(exponent), number::round(1.0, exponent))
}

/// Two ends that differ, since one value alone spans no axis.
fn apart(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > size * 1e-9 {
        return (low, high);
    }
    let room = if size == 0.0 { 1.0 } else { size * 0.1 };
    (low - room, high + room)
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `least`.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(10.0 * power)
}

/// The power of ten at or beyond `value`; a value that is a power of ten is its own.
fn decade(value: f64, round: fn(f64) -> f64) -> i32 {
    let exponent = value.log10();
    let nearest = exponent.round();
    let exponent = if (exponent - nearest).abs() < 1e-9 { nearest } else { round(exponent) };
    exponent as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], scale: Scale, most: usize) -> Vec<String> {
        Axis::covering(values, scale, most).ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn a_linear_axis_has_round_ticks_around_its_values() {
        assert_eq!(labels(&[4.0, 95.3], Scale::Linear, 5), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&[-0.3, 0.7], Scale::Linear, 4), ["−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(&[1.0, 8.0], Scale::Linear, 8).len(), 8);
    }

    #[test]
    fn a_logarithmic_axis_ticks_at_powers_of_ten_and_skips_some_when_there_are_many() {
        assert_eq!(labels(&[0.02, 30.0], Scale::Logarithmic, 8), ["0.01", "0.1", "1", "10", "100"]);
        let many = labels(&[1e-6, 1e6], Scale::Logarithmic, 7);
        assert_eq!(many.first().unwrap(), "10⁻⁶");
        assert_eq!(many.len(), 7);
    }

    #[test]
    fn a_value_lies_where_its_difference_or_its_ratio_puts_it() {
        let linear = Axis::covering(&[0.0, 100.0], Scale::Linear, 6);
        assert_eq!(linear.position(25.0), 0.25);
        let logarithmic = Axis::covering(&[0.01, 100.0], Scale::Logarithmic, 6);
        assert!((logarithmic.position(0.1) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn a_short_logarithmic_axis_ticks_at_one_two_and_five() {
        let ticks = labels(&[0.05, 1.0], Scale::Logarithmic, 8);
        assert_eq!(ticks, ["0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(labels(&[5.0], Scale::Logarithmic, 7), ["5", "10"]);
        assert_eq!(labels(&[6e9, 7e9], Scale::Logarithmic, 7), ["5×10⁹", "10¹⁰"]);
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        assert_eq!(labels(&[3.0], Scale::Linear, 8), ["2", "3", "4"]);
        assert_eq!(labels(&[1.0, 2.0], Scale::Linear, 8), ["1", "2"]);
    }

    #[test]
    fn every_value_lies_between_the_ends_even_when_there_is_only_one() {
        let sets: [&[f64]; 7] = [
            &[3.0],
            &[0.0],
            &[-1e6, 1e-6],
            &[1e90, 1e91],
            &[1.0, 1.0 + 1e-15],
            &[1e-300, 3e-300],
            &[123_456.0, 123_456.1],
        ];
        for values in sets {
            let axis = Axis::covering(values, Scale::Linear, 6);
            assert!((2..=20).contains(&axis.ticks.len()), "{values:?}: {:?}", axis.ticks);
            for value in values {
                let position = axis.position(*value);
                assert!((-1e-6..=1.0 + 1e-6).contains(&position), "{value} at {position}");
            }
        }
    }
}
