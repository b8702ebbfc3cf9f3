//! The state of a training after an epoch, in one file, so that a broken run can go on.

use super::sgd::Sgd;
use super::{Epoch, Recipe};
use crate::data::Dataset;
use crate::net::Net;
use crate::{Error, Result};
use md5::{Digest, Md5};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;

/// Where a training keeps its state, and the state that lay there.
pub(crate) struct Checkpoint {
    path: PathBuf,
    /// Tells this training from every other.
    key: String,
    found: Option<State>,
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
}

const REMEDY: &str = "Delete the file to start anew, or give the recipe another checkpoint.";

impl Checkpoint {
    /// The recipe's checkpoint for training `net` on `set`, if it has one.
    pub fn open(net: &Net, set: &Dataset, recipe: &Recipe) -> Result<Option<Self>> {
        let Some(path) = recipe.checkpoint.clone() else { return Ok(None) };
        let mut checkpoint = Self { key: key(net, set, recipe), path, found: None };
        if checkpoint.path.exists() {
            checkpoint.found = Some(checkpoint.read(net)?);
        }
        Ok(Some(checkpoint))
    }

    /// The state that the file held, once.
    pub fn take(&mut self) -> Option<State> {
        self.found.take()
    }

    fn read(&self, net: &Net) -> Result<State> {
        let damaged =
            |e: String| Error::file(&self.path, format!("no whole checkpoint ({e})"), REMEDY);
        let bytes = std::fs::read(&self.path).map_err(|e| Error::file(&self.path, e, REMEDY))?;
        let (_, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get("training"));
        let header = header.ok_or_else(|| damaged("it does not say of which training".into()))?;
        let header: Header = serde_json::from_str(header).map_err(|e| damaged(e.to_string()))?;
        if header.key != self.key {
            let problem = "it belongs to another training (net, set or recipe differ)";
            return Err(Error::file(&self.path, problem, REMEDY));
        }
        let mut net = net.clone();
        net.read_weights(&bytes, &self.path)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let velocity = (0..net.weights.parameters().len())
            .map(|index| {
                let tensor = file.tensor(&format!("velocity.{index}"));
                let tensor = tensor.map_err(|e| damaged(e.to_string()))?;
                Ok(tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
            })
            .collect::<Result<_>>()?;
        Ok(State { net, sgd: Sgd { velocity }, log: header.log })
    }

    /// Writes the state after an epoch in place of the last.
    pub fn save(&self, net: &Net, sgd: &Sgd, log: &[Epoch]) -> Result<()> {
        let header = Header { key: self.key.clone(), log: log.to_vec() };
        let header =
            serde_json::to_string(&header).map_err(|e| Error::file(&self.path, e, REMEDY))?;
        let velocity: Vec<Vec<u8>> = (sgd.velocity.iter())
            .map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let more = velocity
            .iter()
            .enumerate()
            .map(|(index, bytes)| {
                TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)
                    .map(|view| (format!("velocity.{index}"), view))
            })
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| Error::file(&self.path, e, REMEDY))?;
        let metadata = HashMap::from([("training".to_string(), header)]);
        net.write_weights(&self.path, more, Some(metadata))
    }
}

/// A fingerprint of everything a training's result depends on.
fn key(net: &Net, set: &Dataset, recipe: &Recipe) -> String {
    let mut md5 = Md5::new();
    md5.update(recipe.to_string());
    md5.update(net.fingerprint());
    md5.update(set.fingerprint());
    format!("{:x}", md5.finalize())
}
