//! The work of building a set: shard by shard, each kept as soon as it is finished.

use super::store::Store;
use crate::attack::{Goal, Pgd, Ready};
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::show::Progress;
use crate::{Result, cache};
use ndarray::Array4;
use std::fmt::{self, Display};
use std::path::Path;
use std::time::{Duration, Instant};

/// How many images a shard holds.
pub(super) const SHARD: usize = 1000;

/// How many images go through the net at once: what an interruption can lose at most. A GPU moves four
/// at a time.
const BATCH: usize = 200;

const REMEDY: &str = "What is done is kept: run the cell again to go on there.";

/// Makes new pictures of those of a set; it names every number that it depends on.
pub(super) trait Maker: Display {
    /// Errors unless its own numbers are in their ranges, and of use with this net.
    fn check(&self, net: &Net) -> Result<()>;

    /// The new pictures `(n, pixels)` of those at `indices`, given their new labels. An error of
    /// `go_on`, which is asked again and again, ends it.
    fn make(
        &self,
        net: &dyn Ready,
        set: &Dataset,
        indices: &[usize],
        labels: &[usize],
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>>;
}

/// An attack that moves pictures by their labels.
pub(super) struct Aimed<'a> {
    attack: &'a Pgd,
    goal: Goal,
}

impl<'a> Aimed<'a> {
    /// Toward the new labels.
    pub fn toward(attack: &'a Pgd) -> Self {
        Self { attack, goal: Goal::Toward }
    }

    /// Away from the labels.
    pub fn away(attack: &'a Pgd) -> Self {
        Self { attack, goal: attack.goal() }
    }
}

impl Display for Aimed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.goal {
            Goal::Toward => write!(f, "{}", self.attack),
            Goal::Away(_) => write!(f, "{}, away from the labels", self.attack),
        }
    }
}

impl Maker for Aimed<'_> {
    fn check(&self, net: &Net) -> Result<()> {
        if let Goal::Away(loss) = self.goal {
            loss.check(net.architecture().classes)?;
        }
        self.attack.check()
    }

    fn make(
        &self,
        net: &dyn Ready,
        set: &Dataset,
        indices: &[usize],
        labels: &[usize],
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>> {
        let pictures = set.images.batch(indices);
        let pictures = pictures.as_slice().expect("a batch is contiguous");
        self.attack.batch(net, pictures, labels, self.goal, indices[0] as u64, go_on)
    }
}

/// A set to be built: a new picture of every image of `set`, with a new label.
pub(super) struct Work<'a> {
    pub net: &'a Net,
    pub set: &'a Dataset,
    pub maker: &'a dyn Maker,
    pub labels: &'a [usize],
}

impl Work<'_> {
    /// Errors unless net, set, maker and labels fit together.
    pub fn check(&self) -> Result<()> {
        self.set.check()?;
        self.maker.check(self.net)?;
        self.net.check(&self.set.images, Some(self.labels))
    }

    /// The built set, from the shards in a folder below `sets` and from new work where they are missing.
    pub fn build(&self, name: &str, sets: &Path) -> Result<Dataset> {
        self.build_keeping(name, sets, cache::KEPT_EVERY)
    }

    /// [`Work::build`] that keeps what it has of a shard so often, besides at its end.
    pub(super) fn build_keeping(
        &self,
        name: &str,
        sets: &Path,
        every: Duration,
    ) -> Result<Dataset> {
        self.check()?;
        let labelled = self.set.relabelled(self.labels.to_vec(), name)?;
        let store = Store::new(name, self, sets);
        store.begin()?;
        let progress = Progress::start(&format!("building {name}"), "images", self.set.len());
        let indices: Vec<usize> = (0..self.set.len()).collect();
        let mut values = Vec::with_capacity(self.set.len() * self.set.images.pixels());
        for (number, indices) in indices.chunks(SHARD).enumerate() {
            values.extend(self.shard(number, indices, &store, every, &progress)?);
        }
        let [n, channels, height, width] = self.set.images.shape();
        let array = Array4::from_shape_vec((n, channels, height, width), values);
        let images = Images::Floats(array.expect("every image is in one shard"));
        Ok(Dataset { images, ..labelled })
    }

    /// New pictures of those at `indices`: what the store has of the shard, and what is missing of it.
    fn shard(
        &self,
        number: usize,
        indices: &[usize],
        store: &Store,
        every: Duration,
        progress: &Progress,
    ) -> Result<Vec<f32>> {
        let pixels = self.set.images.pixels();
        let mut values = store.load(number, indices.len());
        let done = values.len() / pixels;
        progress.skip(done);
        if done == indices.len() {
            return Ok(values);
        }
        let (ready, mut kept) = (self.net.ready()?, Instant::now());
        let go_on = || progress.stop_if_interrupted(REMEDY);
        for batch in indices[done..].chunks(BATCH) {
            let labels: Vec<usize> = batch.iter().map(|index| self.labels[*index]).collect();
            let made = self.maker.make(&*ready, self.set, batch, &labels, &go_on);
            if made.is_err() && values.len() > done * pixels {
                store.save(number, &values)?;
            }
            values.extend(made?);
            progress.advance(batch.len());
            if kept.elapsed() >= every {
                store.save(number, &values)?;
                kept = Instant::now();
            }
        }
        store.save(number, &values)?;
        Ok(values)
    }
}
