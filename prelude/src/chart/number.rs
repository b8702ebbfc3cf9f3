//! Numbers as a reader wants them: few digits, and powers of ten where zeros would have to be
//! counted.

/// A measured value with three or four digits: `0.293`, `1.53`, `43.7`, `50000`, `2.0×10⁻⁶`.
pub(super) fn value(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        value.to_string()
    } else if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        scientific(value, 1)
    } else if size >= 100.0 && value.fract() == 0.0 {
        decimals(value, 0)
    } else if size >= 9.995 {
        decimals(value, 1)
    } else if size >= 0.9995 {
        decimals(value, 2)
    } else {
        decimals(value, 3)
    }
}

/// A published value with the digits that were printed: `95.25`, `43.7`.
pub(super) fn printed(number: f64) -> String {
    let text = number.to_string();
    if text.len() <= 6 { text.replace('-', "−") } else { value(number) }
}

/// A mean and its spread with the same decimal places: `27.1 ± 1.0`.
pub(super) fn with_spread(mean: f64, spread: f64) -> String {
    let text = value(mean);
    match text.split_once('.') {
        Some((_, digits)) if !digits.contains('×') => {
            format!("{text} ± {}", decimals(spread, digits.len()))
        }
        _ => format!("{text} ± {}", value(spread)),
    }
}

/// A number with its unit, if it has one.
pub(super) fn with_unit(number: String, unit: &str) -> String {
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

/// The labels of ticks `step` apart, with just the digits that tell them apart.
pub(super) fn ticks(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let digits = places(step);
    if (1e-3..1e6).contains(&largest) && digits <= 6 {
        return values.iter().map(|value| decimals(*value, digits)).collect();
    }
    let digits = (largest.log10().floor() - step.log10().floor()).clamp(0.0, 12.0) as usize;
    values.iter().map(|value| scientific(*value, digits)).collect()
}

/// `factor` times a power of ten: `10⁻⁶`, `5×10⁹`, or `0.05`, `1`, `2000` while that is as easy to
/// read. `factor` is a whole number below 10.
pub(super) fn round(factor: f64, exponent: i32) -> String {
    match exponent {
        -2..=4 => decimals(factor * 10f64.powi(exponent), (-exponent).max(0) as usize),
        _ if factor == 1.0 => format!("10{}", superscript(exponent)),
        _ => format!("{factor}×10{}", superscript(exponent)),
    }
}

/// The decimal places that a multiple of `step` needs; `step` is 1, 2 or 5 times a power of ten.
fn places(step: f64) -> usize {
    (-(step * 1.000_001).log10().floor()).max(0.0) as usize
}

/// With a true minus sign, which is as wide as a plus.
fn decimals(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| byte == b'0' || byte == b'.') => {
            digits.to_owned()
        }
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

fn scientific(value: f64, places: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.places$e}");
    let (mantissa, exponent) = text.split_once('e').expect("an exponent was asked for");
    let exponent = exponent.parse().expect("an exponent is a whole number");
    format!("{}×10{}", mantissa.replace('-', "−"), superscript(exponent))
}

fn superscript(number: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |character: char| match character.to_digit(10) {
        Some(digit) => RAISED[digit as usize],
        None => '⁻',
    };
    number.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_the_digits_that_matter() {
        let cases = [
            (43.7, "43.7"),
            (9.999, "10.0"),
            (1.534, "1.53"),
            (0.2931, "0.293"),
            (-0.5, "−0.500"),
            (50_000.0, "50000"),
            (0.000_002, "2.0×10⁻⁶"),
            (-3e12, "−3.0×10¹²"),
            (0.0, "0"),
        ];
        for (number, text) in cases {
            assert_eq!(value(number), text);
        }
    }

    #[test]
    fn a_published_value_keeps_its_digits() {
        assert_eq!(printed(95.25), "95.25");
        assert_eq!(printed(-4.0), "−4");
        assert_eq!(printed(1.0 / 3.0), "0.333");
    }

    #[test]
    fn a_spread_has_the_decimal_places_of_its_mean() {
        assert_eq!(with_spread(27.12, 0.96), "27.1 ± 1.0");
        assert_eq!(with_spread(50_000.0, 12.5), "50000 ± 12.5");
    }

    #[test]
    fn ticks_share_their_digits_and_zero_has_no_sign() {
        assert_eq!(ticks(&[-0.5, -0.0, 0.5], 0.5), ["−0.5", "0.0", "0.5"]);
        assert_eq!(ticks(&[0.0, 20.0], 20.0), ["0", "20"]);
        assert_eq!(ticks(&[0.0, 5e5, 1e6], 5e5), ["0", "5.0×10⁵", "1.0×10⁶"]);
        assert_eq!(ticks(&[0.0, 2e-7], 2e-7), ["0", "2×10⁻⁷"]);
    }

    #[test]
    fn near_powers_of_ten_are_written_out() {
        assert_eq!(
            [-6, -2, 0, 4, 5].map(|exponent| round(1.0, exponent)),
            ["10⁻⁶", "0.01", "1", "10000", "10⁵"]
        );
    }
}
