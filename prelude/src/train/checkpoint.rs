//! The state of a training between two batches, in one file, so that a broken run can go on.

use super::sets::Sets;
use super::sgd::Sgd;
use super::tally::Tally;
use super::{Epoch, Recipe};
use crate::net::Net;
use crate::{Error, Result, cache};
use md5::{Digest, Md5};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where a training keeps its state, and how often.
pub(super) struct Checkpoint {
    path: PathBuf,
    every: Duration,
    last: Instant,
    owner: Owner,
}

/// A training between two batches.
pub(super) struct State {
    pub net: Net,
    pub sgd: Sgd,
    /// The epochs that are done.
    pub log: Vec<Epoch>,
    /// Of the next one.
    pub tally: Tally,
}

/// The training to which a file belongs.
#[derive(Clone, Serialize, Deserialize)]
struct Owner {
    /// Tells it from every other.
    key: String,
    /// The key that the same training has for the net which an interrupt left half trained.
    #[serde(default)]
    left: Option<String>,
}

/// What the file says beside its numbers.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    owner: Owner,
    log: Vec<Epoch>,
    /// Nothing in files from before a state was kept within an epoch.
    #[serde(default)]
    tally: Tally,
}

const REMEDY: &str = "Delete the file to start anew, or give the recipe another checkpoint.";

impl State {
    /// A training of `net` that has not begun.
    pub fn new(net: &Net) -> Self {
        let sgd = Sgd::new(&net.weights.parameters());
        Self { net: net.clone(), sgd, log: Vec::new(), tally: Tally::default() }
    }
}

impl Checkpoint {
    /// The checkpoint at `path` of a training that begins with `start`, and the state to go on from:
    /// what lies there, else `start`, which is written at once, to learn early whether it can be.
    pub fn open(
        path: &Path,
        every: Duration,
        start: State,
        sets: &Sets,
        recipe: &Recipe,
    ) -> Result<(Self, State)> {
        let owner = Owner { key: key(&start.net, sets, recipe), left: None };
        let mut checkpoint = Self { path: path.to_owned(), every, last: Instant::now(), owner };
        if !path.exists() {
            checkpoint.save(&start)?;
            return Ok((checkpoint, start));
        }
        let (owner, state) = checkpoint.read(&start.net)?;
        checkpoint.owner = owner;
        Ok((checkpoint, state))
    }

    /// Whether the last one is so old that it is time for the next.
    pub fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Writes the state where an interrupt stopped the training, which then also goes on from the net
    /// that this left.
    pub fn leave(&mut self, state: &State, sets: &Sets, recipe: &Recipe) -> Result<()> {
        self.owner.left = Some(key(&state.net, sets, recipe));
        self.save(state)
    }

    /// The training to which the file belongs, which must be this one, and its state.
    fn read(&self, net: &Net) -> Result<(Owner, State)> {
        let damaged =
            |e: String| Error::file(&self.path, format!("no whole checkpoint ({e})"), REMEDY);
        let bytes = std::fs::read(&self.path).map_err(|e| Error::file(&self.path, e, REMEDY))?;
        let (_, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get("training"));
        let header = header.ok_or_else(|| damaged("it does not say of which training".into()))?;
        let header: Header = serde_json::from_str(header).map_err(|e| damaged(e.to_string()))?;
        let Header { owner, log, tally } = header;
        if owner.key != self.owner.key && owner.left.as_ref() != Some(&self.owner.key) {
            let problem =
                "it belongs to another training (net, set, recipe or watched sets differ)";
            return Err(Error::file(&self.path, problem, REMEDY));
        }
        let mut net = net.clone();
        net.read_weights(&bytes, &self.path)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let velocity = |(index, parameter): (usize, &[f32])| {
            let tensor = file.tensor(&format!("velocity.{index}"));
            let tensor = tensor.map_err(|e| damaged(e.to_string()))?;
            let values = tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
            let values: Vec<f32> = values.collect();
            match values.len() == parameter.len() {
                true => Ok(values),
                false => Err(damaged(format!("velocity.{index} has {} values", values.len()))),
            }
        };
        let parameters = net.weights.parameters().into_iter().enumerate();
        let velocity = parameters.map(velocity).collect::<Result<_>>()?;
        Ok((owner, State { net, sgd: Sgd { velocity }, log, tally }))
    }

    /// Writes the state in place of the last.
    pub fn save(&mut self, state: &State) -> Result<()> {
        let failed = |e: &dyn std::fmt::Display| Error::file(&self.path, e, REMEDY);
        let State { log, tally, .. } = state;
        let header = Header { owner: self.owner.clone(), log: log.clone(), tally: tally.clone() };
        let header = serde_json::to_string(&header).map_err(|e| failed(&e))?;
        let velocity: Vec<Vec<u8>> =
            (state.sgd.velocity.iter()).map(|values| cache::bytes(values)).collect();
        let mut tensors = Vec::new();
        for (index, bytes) in velocity.iter().enumerate() {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
            tensors.push((format!("velocity.{index}"), view.map_err(|e| failed(&e))?));
        }
        let metadata = HashMap::from([("training".to_string(), header)]);
        state.net.write_weights(&self.path, tensors, Some(metadata))?;
        self.last = Instant::now();
        Ok(())
    }
}

/// A fingerprint of everything a training's result and log depend on.
pub(super) fn key(net: &Net, sets: &Sets, recipe: &Recipe) -> String {
    let mut md5 = Md5::new();
    md5.update(recipe.to_string());
    md5.update(net.fingerprint());
    md5.update(sets.learned.fingerprint());
    // Watching changes no weight, but the log, which goes on as well.
    md5.update(sets.watched().join("\n"));
    format!("{:x}", md5.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_an_older_file_is_still_read() {
        let old = r#"{"key":"abc","log":[{"loss":2.5,"accuracy":0.25,"validation":0.5,
            "watched":[],"seconds":1.5}],"left":null}"#;
        let Header { owner, log, tally } = serde_json::from_str(old).unwrap();
        assert_eq!((owner.key.as_str(), owner.left), ("abc", None));
        assert_eq!((log[0].loss, log[0].validation, log[0].robust), (2.5, Some(0.5), None));
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        // Without the feature `float_roundtrip` of serde_json this one is read as its neighbour.
        let loss = 2.302_585_092_994_045_f64 * 80.0 / 3.0;
        let losses: Vec<f64> = (0..1000).map(|step| loss / (1.0 + f64::from(step))).collect();
        let text = serde_json::to_string(&losses).unwrap();
        assert_eq!(serde_json::from_str::<Vec<f64>>(&text).unwrap(), losses);
    }
}
