//! Closed forms against numbers, numbers against Monte Carlo.

use ndarray::{Array1, Array2, arr1, arr2};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::*;

/// The parameters of the paper's Figure 4, as its fact sheet reads them off the drawing.
fn figure_4() -> Gaussian {
    Gaussian::diagonal(&[-10.0, 1.0], &[25.0, 0.5]).unwrap()
}

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found / expected - 1.0).abs() <= tolerance, "{found} instead of {expected}");
}

/// Orthonormal columns, by Gram and Schmidt on normal numbers.
fn turn(d: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut columns: Vec<Array1<f64>> = Vec::new();
    while columns.len() < d {
        let mut column = Array1::from_shape_simple_fn(d, || rng.sample(StandardNormal));
        // Twice, since once loses digits.
        for other in columns.iter().chain(&columns) {
            let along: f64 = other.dot(&column);
            column.scaled_add(-along, other);
        }
        let length = f64::sqrt(column.dot(&column));
        columns.push(column / length);
    }
    Array2::from_shape_fn((d, d), |(row, column)| columns[column][row])
}

/// A problem with a random spectrum of up to this condition number.
fn spectrum(d: usize, log_condition: f64, log_scale: f64, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut value = || 10f64.powf(log_scale - rng.gen_range(0.0..=1.0) * log_condition);
    (0..d).map(|_| value()).collect()
}

/// The theorem and the steps agree, and the adversary's mean square move is what it may be.
fn theorem_2_holds(variances: &[f64], epsilon: f64) {
    let truth = Gaussian::diagonal(&vec![1.0; variances.len()], variances).unwrap();
    let closed = closed_form(&truth, epsilon).unwrap();
    let steps = by_steps(&truth, epsilon).unwrap();
    for (one, other) in closed.gaussian.eigenvalues().iter().zip(steps.eigenvalues()) {
        assert!((one / other - 1.0).abs() < 1e-6, "{one} and {other}");
    }
    let moved = |(value, robust): (&f64, &f64)| value / (closed.lambda * robust - 1.0).powi(2);
    let budget: f64 =
        truth.eigenvalues().iter().zip(closed.gaussian.eigenvalues()).map(moved).sum();
    assert!((budget / epsilon.powi(2) - 1.0).abs() < 1e-4, "{budget}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Along the axes, where no rounding of a rotation comes between the two.
    #[test]
    fn theorem_2_is_where_the_steps_end(
        d in 1usize..=50,
        log_condition in 0.0..6.0,
        log_scale in -2.0..2.0,
        log_epsilon in -3.0..3.0,
        seed: u64,
    ) {
        theorem_2_holds(&spectrum(d, log_condition, log_scale, seed), 10f64.powf(log_epsilon));
    }

    /// A turned problem has the turned solution.
    #[test]
    fn axes_do_not_matter(d in 2usize..=12, log_epsilon in -2.0..2.0, seed: u64) {
        let variances = spectrum(d, 3.0, 0.0, seed);
        let epsilon = 10f64.powf(log_epsilon);
        let turn = turn(d, seed);
        let turned = |gaussian: &Gaussian| turn.dot(&gaussian.covariance()).dot(&turn.t());
        let straight = Gaussian::diagonal(&vec![1.0; d], &variances).unwrap();
        let covariance = turned(&straight);
        let covariance = (&covariance + &covariance.t()) / 2.0;
        let truth = Gaussian::new(turn.dot(straight.mean()), covariance).unwrap();
        let found = closed_form(&truth, epsilon).unwrap().gaussian;
        let expected = turned(&closed_form(&straight, epsilon).unwrap().gaussian);
        let largest = found.eigenvalues()[d - 1];
        for (one, other) in found.covariance().iter().zip(&expected) {
            prop_assert!((one - other).abs() < 1e-9 * largest, "{one} and {other}");
        }
        prop_assert!((found.cosine().unwrap()
            - closed_form(&straight, epsilon).unwrap().gaussian.cosine().unwrap()).abs() < 1e-8);
    }
}

/// Here rounding leaves a step's promise at 2e-21 for ever.
#[test]
fn the_steps_end_where_rounding_is_all_that_is_left() {
    let variances =
        spectrum(19, 1.3769243855710647, 0.11476359174443944, 18_014_324_703_139_226_569);
    theorem_2_holds(&variances, 10f64.powf(-1.5316473083441644));
}

#[test]
fn theorem_2_gives_the_numbers_of_the_fact_sheet() {
    // λ, Σ_r, their ratio and the cosine, each to the digits given.
    let cases = [
        (1.0, 0.6308, [28.08, 2.76], 10.17, 0.769),
        (10.0, 0.0147, [123.7, 74.2], 1.667, 0.998),
        (10f64.sqrt(), 0.1028, [42.21, 12.20], 3.46, 0.973),
    ];
    for (epsilon, lambda, variances, ratio, cosine) in cases {
        let robust = closed_form(&figure_4(), epsilon).unwrap();
        close(robust.lambda, lambda, 4e-3);
        let values = robust.gaussian.eigenvalues();
        close(values[1], variances[0], 1e-3);
        close(values[0], variances[1], 1e-3);
        close(robust.gaussian.condition(), ratio, 1e-3);
        close(robust.gaussian.cosine().unwrap(), cosine, 1e-3);
    }
    assert_eq!(closed_form(&figure_4(), 0.0).unwrap().gaussian, figure_4());
    close(figure_4().cosine().unwrap(), 0.293, 2e-3);
    close(figure_4().worst_cosine(), 0.277, 2e-3);
}

#[test]
fn in_one_dimension_everything_is_known() {
    let truth = Gaussian::diagonal(&[3.0], &[4.0]).unwrap();
    for epsilon in [1e-3, 0.5, 20.0] {
        // The relaxed adversary adds ε to the standard deviation.
        let expected = (2.0 + epsilon) * (2.0 + epsilon);
        close(closed_form(&truth, epsilon).unwrap().gaussian.eigenvalues()[0], expected, 1e-12);
        close(by_steps(&truth, epsilon).unwrap().eigenvalues()[0], expected, 1e-9);
    }
    // The other one adds it to every deviation: E(|v| + ε)², whose standard error over n samples is
    // √((Var v² + 4ε² Var |v| + 4ε Cov(v², |v|)) / n) = 0.046 here.
    let (epsilon, n) = (0.5, 20_000);
    let expected = 4.0 + 2.0 * epsilon * (8.0 / std::f64::consts::PI).sqrt() + epsilon * epsilon;
    let found = against_every_point(&truth, epsilon, n, 1).unwrap().eigenvalues()[0];
    assert!((found - expected).abs() < 3.0 * 0.065, "{found} instead of {expected}");
}

#[test]
fn against_every_point_a_new_sample_agrees_with_what_was_learned() {
    // Learned of one sample, the variances are the mean squares of what the adversary makes of
    // another, within three standard errors of both samples together.
    let (truth, epsilon, n) = (figure_4(), 1.0, 20_000);
    let learned = against_every_point(&truth, epsilon, n, 1).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let points = truth.deviations(n, &mut rng);
    let moved = minmax::moved(learned.eigenvalues(), &points, epsilon);
    let lengths = (&moved - &points).mapv(|v| v * v).sum_axis(ndarray::Axis(1));
    assert!(lengths.iter().all(|length| (length - epsilon * epsilon).abs() < 1e-9));
    for axis in 0..2 {
        let squares = moved.column(axis).mapv(|v| v * v);
        let mean = squares.sum() / n as f64;
        let variance = squares.mapv(|s| (s - mean).powi(2)).sum() / n as f64;
        let error = (2.0 * variance / n as f64).sqrt();
        assert!((mean - learned.eigenvalues()[axis]).abs() < 3.0 * error, "{mean}: {learned}");
    }
    // The fact sheet's fixed points, with their own noise.
    for (epsilon, ratio) in [(1.0, 10.96), (2.0, 5.50), (10.0, 1.594)] {
        let learned = against_every_point(&truth, epsilon, n, 1).unwrap();
        close(learned.condition(), ratio, 0.05);
    }
}

#[test]
fn nothing_that_the_adversary_could_do_is_worse() {
    let truth = Gaussian::diagonal(&[1.0, 1.0, 1.0], &[25.0, 0.5, 2.0]).unwrap();
    let points = truth.deviations(50, &mut ChaCha8Rng::seed_from_u64(3));
    let moved = minmax::moved(truth.eigenvalues(), &points, 0.7);
    let badness = |row: ndarray::ArrayView1<f64>| (&row * &row / truth.eigenvalues()).sum();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for (point, best) in points.rows().into_iter().zip(moved.rows()) {
        for _ in 0..200 {
            let direction = Array1::from_shape_simple_fn(3, || rng.sample(StandardNormal));
            let length = f64::sqrt(direction.dot(&direction));
            let other = &point + &(direction * (0.7 / length));
            assert!(badness(other.view()) <= badness(best) * (1.0 + 1e-12));
        }
    }
}

#[test]
fn theorem_1_is_what_monte_carlo_finds() {
    let cases = [(vec![25.0, 0.5], 1.794), (vec![12.75, 12.75], 0.064)];
    for (variances, expected) in cases {
        let truth = Gaussian::diagonal(&[0.0, 0.0], &variances).unwrap();
        close(vulnerability(&truth, 5.0).unwrap(), expected, 2e-2);
        let (mean, error) = measured_vulnerability(&truth, 5.0, 100_000, 5).unwrap();
        assert!(
            (mean - vulnerability(&truth, 5.0).unwrap()).abs() < 3.0 * error,
            "{mean} ± {error}"
        );
    }
}

#[test]
fn no_spread_of_the_same_trace_is_less_vulnerable_than_none() {
    let at = |spread: f64| {
        let truth = Gaussian::diagonal(&[0.0; 3], &[1.0 - spread, 1.0, 1.0 + spread]).unwrap();
        vulnerability(&truth, 10.0).unwrap()
    };
    let all: Vec<f64> = (0..9).map(|step| at(f64::from(step) / 10.0)).collect();
    assert!(all.is_sorted(), "{all:?}");
}

#[test]
fn no_mean_has_a_worse_angle_than_theorem_3_says_and_one_has_this() {
    let truth = Gaussian::new(arr1(&[1.0, 0.0, 0.0]), {
        let turn = turn(3, 6);
        let covariance = (&turn * &arr1(&[0.5, 3.0, 25.0])).dot(&turn.t());
        (&covariance + &covariance.t()) / 2.0
    })
    .unwrap();
    close(truth.with_worst_mean().unwrap().cosine().unwrap(), truth.worst_cosine(), 1e-12);
    let least = truth.least_cosine(1000, 7).unwrap();
    assert!(least >= truth.worst_cosine() - 1e-12 && least < 0.5, "{least}");
    // The more an adversary may do, the better the worst angle (Theorem 3).
    let worst = |epsilon| closed_form(&truth, epsilon).unwrap().gaussian.worst_cosine();
    let all: Vec<f64> = [0.0, 0.1, 1.0, 10.0, 100.0].map(worst).to_vec();
    assert!(all.is_sorted() && all[0] < all[1], "{all:?}");
}

#[test]
fn maximum_likelihood_finds_the_truth_again() {
    let truth = Gaussian::new(arr1(&[1.0, -2.0]), arr2(&[[2.0, 0.6], [0.6, 0.5]])).unwrap();
    let n = 40_000;
    let (xs, ys) = truth.sample(n, 8);
    let learned = Gaussian::fit(&xs, &ys).unwrap();
    for ((row, column), value) in truth.covariance().indexed_iter() {
        let of = |at: (usize, usize)| truth.covariance()[at];
        // The variance of a product of two centred normal numbers.
        let variance = of((row, row)) * of((column, column)) + value * value;
        let apart = (learned.covariance()[[row, column]] - value).abs();
        assert!(apart < 4.0 * (variance / n as f64).sqrt(), "{learned}");
    }
    // The share that is right is a share, and the exact one is within three standard errors.
    for epsilon in [0.0, 0.5] {
        let exact = truth.accuracy(&truth, epsilon).unwrap();
        let gradient = truth.gradient();
        let length = gradient.dot(&gradient).sqrt();
        let right =
            |(x, y): (ndarray::ArrayView1<f64>, &f64)| y * x.dot(&gradient) > epsilon * length;
        let share = xs.rows().into_iter().zip(&ys).filter(|pair| right((pair.0, pair.1))).count();
        let error = (exact * (1.0 - exact) / n as f64).sqrt();
        assert!((share as f64 / n as f64 - exact).abs() < 3.0 * error, "{share} of {n}, {exact}");
    }
}

#[test]
fn a_sample_has_both_classes_around_their_means() {
    let (xs, ys) = figure_4().sample(2000, 9);
    let mean = |class: f64, axis: usize| {
        let all = Gaussian::coordinates(&xs, &ys, class, axis);
        assert!((900..1100).contains(&all.len()), "{} of 2000", all.len());
        all.iter().sum::<f64>() / all.len() as f64
    };
    // Standard errors of a thousand numbers: 5 / √1000 = 0.16 and 0.7 / √1000 = 0.022.
    assert!((mean(1.0, 0) + 10.0).abs() < 0.5 && (mean(-1.0, 0) - 10.0).abs() < 0.5);
    assert!((mean(1.0, 1) - 1.0).abs() < 0.07 && (mean(-1.0, 1) + 1.0).abs() < 0.07);
    assert!(Gaussian::coordinates(&xs, &ys, 1.0, 2).is_empty());
    assert_eq!(*figure_4().mirrored().mean(), arr1(&[10.0, -1.0]));
    assert_eq!(figure_4().determinant(), 12.5);
}

#[test]
fn a_density_is_that_of_the_normal_distribution() {
    let one = Gaussian::diagonal(&[0.0], &[1.0]).unwrap();
    close(one.density(&[1.0]).unwrap(), 0.241_970_724_519_143_37, 1e-14);
    close(figure_4().density(&[-10.0, 1.0]).unwrap(), 0.045_015_815_807_855_3, 1e-13);
}

#[test]
fn what_makes_no_sense_is_said() {
    let truth = figure_4();
    let cases: [(Result<()>, &str); 13] = [
        (Gaussian::new(arr1(&[0.0]), arr2(&[[1.0, 0.0]])).map(drop), "1 rows and 2 columns"),
        (Gaussian::new(arr1(&[]), Array2::zeros((0, 0))).map(drop), "0 rows"),
        (
            Gaussian::new(arr1(&[0.0; 2]), arr2(&[[1.0, 0.5], [0.4, 1.0]])).map(drop),
            "other entries",
        ),
        (Gaussian::new(arr1(&[0.0; 2]), arr2(&[[1.0, 2.0], [2.0, 1.0]])).map(drop), "-1.000e0"),
        (Gaussian::new(arr1(&[0.0]), arr2(&[[f64::NAN]])).map(drop), "no finite number"),
        (Gaussian::new(arr1(&[0.0; 3]), arr2(&[[1.0]])).map(drop), "a mean of 1"),
        (Gaussian::diagonal(&[0.0], &[0.0]).map(drop), "above 0"),
        (closed_form(&truth, -1.0).map(drop), "epsilon"),
        (by_steps(&truth, f64::NAN).map(drop), "epsilon"),
        (against_every_point(&truth, 1.0, 0, 1).map(drop), "sample"),
        (vulnerability(&truth, 2.0).map(drop), "a price above 2.0000"),
        (measured_vulnerability(&truth, 5.0, 1, 1).map(drop), "2 samples or more, found 1"),
        (truth.accuracy(&Gaussian::diagonal(&[1.0], &[1.0]).unwrap(), 0.0).map(drop), "dimensions"),
    ];
    for (result, part) in cases {
        let problem = result.unwrap_err().to_string();
        assert!(problem.contains(part), "{problem} does not say {part}");
    }
    let (xs, _) = truth.sample(10, 1);
    assert!(Gaussian::fit(&xs, &[1.0; 9]).is_err() && Gaussian::fit(&xs, &[0.5; 10]).is_err());
    assert!(Gaussian::fit(&Array2::zeros((0, 2)), &[]).is_err());
    assert!(
        Gaussian::fit(&xs.slice_move(ndarray::s![..1, ..]), &[1.0]).is_err(),
        "one point has no spread"
    );
    assert!(truth.density(&[1.0]).is_err() && truth.with_mean(arr1(&[1.0])).is_err());
    assert!(truth.with_mean(arr1(&[0.0, 0.0])).unwrap().cosine().is_err());
}
