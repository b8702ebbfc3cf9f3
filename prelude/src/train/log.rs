//! What a training leaves behind: a line an epoch, which shows itself as a chart.

use super::Recipe;
use crate::chart::Chart;
use crate::record::Record;
use crate::show::{Forms, Show, shows};
use serde::{Deserialize, Serialize};
use std::fmt;

shows!(Log);

/// One epoch of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean cross-entropy over the epoch's batches, with augmentation and as the net changed.
    pub loss: f64,
    /// The accuracy over the same batches, in [0, 1].
    pub accuracy: f64,
    /// The accuracy on the held-out images after the epoch, in [0, 1], if any were held out.
    pub validation: Option<f64>,
    /// The accuracy on the held-out images under the recipe's adversary after the epoch, in [0, 1], if
    /// there are both.
    #[serde(default)]
    pub robust: Option<f64>,
    /// The accuracy on each watched set after the epoch, in [0, 1].
    pub watched: Vec<f64>,
    /// How long the epoch's steps took.
    pub seconds: f64,
}

/// Where an interrupt stopped a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruption {
    /// How many epochs the net has seen: 2.25 after a quarter of the third.
    pub epochs: f64,
    /// The epoch that was not finished, over the batches that it came to, if there were any.
    pub unfinished: Option<Epoch>,
}

/// The epochs of one training.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// What was trained on: `CIFAR-10 train`.
    pub set: String,
    /// By which recipe.
    pub recipe: Recipe,
    /// The names of the sets that were watched.
    pub watched: Vec<String>,
    /// What happened, epoch by epoch.
    pub epochs: Vec<Epoch>,
    /// Where an interrupt stopped the training before its recipe was done, if one did.
    pub interrupted: Option<Interruption>,
}

impl Log {
    /// The accuracy on the held-out images at the end, in [0, 1], if any were held out.
    pub fn validation(&self) -> Option<f64> {
        self.epochs.last()?.validation
    }

    /// The accuracy on the held-out images under the recipe's adversary at the end, in [0, 1], if there
    /// are both.
    pub fn robust(&self) -> Option<f64> {
        self.epochs.last()?.robust
    }

    /// How long the training took, without what a checkpoint spared.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().chain(self.unfinished()).map(|epoch| epoch.seconds).sum()
    }

    /// Accuracy against epochs, in training and on the held-out images.
    ///
    /// An epoch that an interrupt cut short has a point where it ended.
    pub fn chart(&self) -> Chart {
        let xs: Vec<f64> = (1..=self.epochs.len()).map(|epoch| epoch as f64).collect();
        let percent = |value: &dyn Fn(&Epoch) -> f64| -> Vec<f64> {
            self.epochs.iter().map(|epoch| 100.0 * value(epoch)).collect()
        };
        let (mut learned_at, mut learned) = (xs.clone(), percent(&|e| e.accuracy));
        if let Some(Interruption { epochs, unfinished: Some(epoch) }) = &self.interrupted {
            learned_at.push(*epochs);
            learned.push(100.0 * epoch.accuracy);
        }
        let chart = Chart::lines(self.title()).x("epoch").y("accuracy, %").series(
            "training images, while they are learned",
            &learned_at,
            &learned,
        );
        if xs.is_empty() {
            return chart;
        }
        let chart = match self.validation() {
            Some(_) => {
                let held_out = percent(&|e| e.validation.unwrap_or(f64::NAN));
                chart.series("held-out images of the same set", &xs, &held_out)
            }
            None => chart,
        };
        let chart = match self.robust() {
            Some(_) => {
                let attacked = percent(&|e| e.robust.unwrap_or(f64::NAN));
                chart.series("held-out images, attacked as in training", &xs, &attacked)
            }
            None => chart,
        };
        self.watched.iter().enumerate().fold(chart, |chart, (index, name)| {
            chart.series(name, &xs, &percent(&|e| e.watched[index]))
        })
    }

    /// The log as a record: the recipe, and every epoch's raw values.
    pub fn record(&self, name: &str) -> Record {
        let every =
            |value: &dyn Fn(&Epoch) -> f64| -> Vec<f64> { self.epochs.iter().map(value).collect() };
        let record = Record::new(name)
            .with("set", self.set.as_str())
            .with("recipe", self.recipe.to_string())
            .seed(self.recipe.seed)
            .seconds(self.seconds());
        let record = match &self.interrupted {
            None => record,
            Some(interruption) => record.with("interrupted after epochs", interruption.epochs),
        };
        let record = record
            .values("loss", &every(&|e| e.loss))
            .values("training accuracy", &every(&|e| e.accuracy));
        let some = |record: Record, name: &str, values: Vec<f64>| match values.is_empty() {
            true => record,
            false => record.values(name, &values),
        };
        let validation = self.epochs.iter().filter_map(|e| e.validation).collect();
        let record = some(record, "validation accuracy", validation);
        let robust = self.epochs.iter().filter_map(|e| e.robust).collect();
        let record = some(record, "validation accuracy under the adversary", robust);
        self.watched.iter().enumerate().fold(record, |record, (index, name)| {
            record.values(format!("accuracy on {name}"), &every(&|e| e.watched[index]))
        })
    }

    fn unfinished(&self) -> Option<&Epoch> {
        self.interrupted.as_ref()?.unfinished.as_ref()
    }

    /// Whether an interrupt came before the first step, so that there is nothing to draw.
    fn is_empty(&self) -> bool {
        self.epochs.is_empty() && self.unfinished().is_none()
    }

    fn title(&self) -> String {
        let mut title = format!("Training on {}", self.set);
        if let Some(Interruption { epochs, .. }) = &self.interrupted {
            title += &format!(", interrupted after {epochs:.2} of {} epochs", self.recipe.epochs);
        }
        title
    }
}

/// The chart of the training.
impl Show for Log {
    fn forms(&self) -> Forms {
        match self.is_empty() {
            true => self.title().forms(),
            false => self.chart().forms(),
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_empty() {
            true => f.write_str(&self.title()),
            false => self.chart().fmt(f),
        }
    }
}
