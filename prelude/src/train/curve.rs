//! The loss as it falls, drawn while a training runs.

use super::Epoch;
use crate::chart::Chart;
use crate::show::Live;

/// How many points the whole curve has at most.
const POINTS: usize = 200;

/// The curve so far, and its picture.
pub(super) struct Curve {
    title: String,
    live: Live,
    /// Epochs and loss.
    points: Vec<(f64, f64)>,
    /// How many steps make a point.
    window: usize,
    /// The losses of the point under way.
    losses: Vec<f64>,
}

impl Curve {
    /// The curve of a training of so many steps, of which the epochs in `log` are done.
    pub fn start(title: &str, steps: usize, log: &[Epoch]) -> Self {
        let middle = |(epoch, row): (usize, &Epoch)| (epoch as f64 + 0.5, row.loss);
        Self {
            title: title.to_owned(),
            live: Live::start(),
            points: log.iter().enumerate().map(middle).collect(),
            window: steps.div_ceil(POINTS),
            losses: Vec::new(),
        }
    }

    /// Adds a step that ended `at` so many epochs with this loss, and draws if it is time to.
    pub fn step(&mut self, at: f64, loss: f32) {
        self.losses.push(f64::from(loss));
        if self.losses.len() >= self.window {
            self.points.push((at, self.losses.iter().sum::<f64>() / self.losses.len() as f64));
            self.losses.clear();
        }
        if !self.points.is_empty() {
            self.live.draw(|| chart(&self.title, &self.points));
        }
    }
}

fn chart(title: &str, points: &[(f64, f64)]) -> Chart {
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    Chart::lines(title).x("epoch").y("loss").series("training images", &xs, &ys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_long_training_has_few_points_and_each_is_a_mean() {
        let mut curve = Curve::start("Training", 1000, &[]);
        (0..1000).for_each(|step| curve.step(f64::from(step + 1) / 100.0, step as f32));
        assert_eq!(curve.points.len(), 200);
        assert_eq!((curve.points[0], curve.points[199]), ((0.05, 2.0), (10.0, 997.0)));
    }

    #[test]
    fn a_short_training_has_a_point_a_step_after_those_of_the_epochs_before() {
        let before = Epoch {
            loss: 3.0,
            accuracy: 0.1,
            validation: None,
            robust: None,
            watched: vec![],
            seconds: 1.0,
        };
        let mut curve = Curve::start("Training", 3, &[before]);
        curve.step(1.5, 2.0);
        assert_eq!(curve.points, [(0.5, 3.0), (1.5, 2.0)]);
        assert!(chart("Training", &curve.points).svg().unwrap().contains("Training"));
    }

    /// A picture a second may cost 10 ms before it takes one percent; [`Live`] then draws more rarely.
    #[test]
    fn a_picture_of_the_whole_curve_is_drawn_in_milliseconds() {
        let points: Vec<_> = (0..POINTS).map(|i| (i as f64, 1.0 / (1.0 + i as f64))).collect();
        let start = Instant::now();
        chart("Training", &points).svg().unwrap();
        assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
    }
}
