//! The state of a training after an epoch, in one file, so that a broken run can go on.

use super::sets::Sets;
use super::sgd::Sgd;
use super::{Epoch, Recipe};
use crate::net::Net;
use crate::{Error, Result};
use md5::{Digest, Md5};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where a training keeps its state.
pub(crate) struct Checkpoint {
    path: PathBuf,
    /// Tells this training from every other.
    key: String,
}

/// A training between two epochs.
pub(crate) struct State {
    pub net: Net,
    pub sgd: Sgd,
    pub log: Vec<Epoch>,
}

/// What the file says beside its numbers.
#[derive(Serialize, Deserialize)]
struct Header {
    key: String,
    log: Vec<Epoch>,
    /// The key that the same training has for the net which an interrupt left half trained.
    #[serde(default)]
    left: Option<String>,
}

const REMEDY: &str = "Delete the file to start anew, or give the recipe another checkpoint.";

impl State {
    /// A training of `net` that has not begun.
    pub fn new(net: &Net) -> Self {
        Self { net: net.clone(), sgd: Sgd::new(&net.weights.parameters()), log: Vec::new() }
    }
}

impl Checkpoint {
    /// The checkpoint at `path` of a training that begins with `start`, and the state to go on from:
    /// what lies there, else `start`, which is written at once, to learn early whether it can be.
    pub fn open(path: &Path, start: State, sets: &Sets, recipe: &Recipe) -> Result<(Self, State)> {
        let mut checkpoint = Self { key: key(&start.net, sets, recipe), path: path.to_owned() };
        if !path.exists() {
            checkpoint.save(&start)?;
            return Ok((checkpoint, start));
        }
        let (key, state) = checkpoint.read(&start.net)?;
        checkpoint.key = key;
        Ok((checkpoint, state))
    }

    /// Lets the training also go on, after its last whole epoch, from the net that an interrupt left.
    pub fn leave(&self, half_trained: &Net, sets: &Sets, recipe: &Recipe) -> Result<()> {
        let (_, state) = self.read(half_trained)?;
        self.write(&state, Some(key(half_trained, sets, recipe)))
    }

    /// The key of the training to which the file belongs, which must be this one, and its state.
    fn read(&self, net: &Net) -> Result<(String, State)> {
        let damaged =
            |e: String| Error::file(&self.path, format!("no whole checkpoint ({e})"), REMEDY);
        let bytes = std::fs::read(&self.path).map_err(|e| Error::file(&self.path, e, REMEDY))?;
        let (_, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get("training"));
        let header = header.ok_or_else(|| damaged("it does not say of which training".into()))?;
        let header: Header = serde_json::from_str(header).map_err(|e| damaged(e.to_string()))?;
        if header.key != self.key && header.left.as_ref() != Some(&self.key) {
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
        Ok((header.key, State { sgd: Sgd { velocity }, log: header.log, net }))
    }

    /// Writes the state after an epoch in place of the last.
    pub fn save(&self, state: &State) -> Result<()> {
        self.write(state, None)
    }

    fn write(&self, state: &State, left: Option<String>) -> Result<()> {
        let failed = |e: &dyn std::fmt::Display| Error::file(&self.path, e, REMEDY);
        let header = Header { key: self.key.clone(), log: state.log.clone(), left };
        let header = serde_json::to_string(&header).map_err(|e| failed(&e))?;
        let velocity: Vec<Vec<u8>> = (state.sgd.velocity.iter())
            .map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let mut tensors = Vec::new();
        for (index, bytes) in velocity.iter().enumerate() {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
            tensors.push((format!("velocity.{index}"), view.map_err(|e| failed(&e))?));
        }
        let metadata = HashMap::from([("training".to_string(), header)]);
        state.net.write_weights(&self.path, tensors, Some(metadata))
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
