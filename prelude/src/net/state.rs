//! A net's numbers by the names that PyTorch's `state_dict` gives them, and safetensors files.

use super::Net;
use crate::engine::{Kind, Node, Weights};
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// One entry of a state dict, to be read or overwritten.
struct Entry<'a> {
    name: String,
    shape: Vec<usize>,
    values: &'a mut [f32],
}

const WRITABLE: &str = "Make room, or choose a path where you may write.";
const WHOLE: &str = "Save the net again, or load it into the architecture it was saved from.";

impl Net {
    /// Writes the weights to a safetensors file, under the names of PyTorch's `state_dict`.
    ///
    /// # Errors
    /// If the file cannot be written; an older file of that name then stays as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.write_weights(path.as_ref(), Vec::new(), None)
    }

    /// Reads the weights from a safetensors file that [`Net::save`] or PyTorch wrote for this architecture. A
    /// file without `mean` and `std` leaves the net's normalisation as it is.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or holds other names or shapes; the net then stays as it was.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|e| Error::file(path, e, "Save a net there first, or correct the path."))?;
        self.read_weights(&bytes, path)
    }

    /// [`Net::save`] with more tensors and text in the same file.
    pub(crate) fn write_weights(
        &self,
        path: &Path,
        more: Vec<(String, TensorView)>,
        metadata: Option<HashMap<String, String>>,
    ) -> Result<()> {
        let failed = |e: SafeTensorError| Error::file(path, e, WHOLE);
        let mut weights = self.weights.clone();
        let counts: Vec<(String, [u8; 8])> = (weights.nodes.iter())
            .filter_map(|node| match &node.kind {
                Kind::Norm(norm) => Some((batches(node), (norm.batches as i64).to_le_bytes())),
                _ => None,
            })
            .collect();
        let entries: Vec<(String, Vec<usize>, Vec<u8>)> = entries(self, &mut weights)
            .into_iter()
            .map(|e| (e.name, e.shape, crate::cache::bytes(e.values)))
            .collect();
        let mut tensors = more;
        for (name, shape, bytes) in &entries {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(failed)?;
            tensors.push((name.clone(), view));
        }
        for (name, bytes) in &counts {
            let view = TensorView::new(Dtype::I64, vec![], bytes).map_err(failed)?;
            tensors.push((name.clone(), view));
        }
        let bytes = safetensors::serialize(tensors, metadata).map_err(failed)?;
        crate::cache::write_whole(path, &bytes, WRITABLE)
    }

    /// [`Net::load`] from the bytes of the file at `path`.
    pub(crate) fn read_weights(&mut self, bytes: &[u8], path: &Path) -> Result<()> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| {
            Error::file(path, format!("this is no whole safetensors file ({e})"), WHOLE)
        })?;
        self.refuse_foreign(&file, path)?;
        let mut weights = self.weights.clone();
        for entry in entries(self, &mut weights) {
            // A net that PyTorch saved may leave the normalisation to somebody else.
            if OF_PICTURES.contains(&&entry.name[..]) && file.tensor(&entry.name).is_err() {
                continue;
            }
            let tensor = file.tensor(&entry.name).map_err(|_| {
                Error::file(path, format!("expected the tensor {}, found none", entry.name), WHOLE)
            })?;
            if tensor.shape() != entry.shape || tensor.dtype() != Dtype::F32 {
                let found = format!("{:?} of {:?}", tensor.dtype(), tensor.shape());
                let expected = format!("F32 of {:?}", entry.shape);
                let problem = format!("{}: expected {expected}, found {found}", entry.name);
                return Err(Error::file(path, problem, WHOLE));
            }
            for (value, bytes) in entry.values.iter_mut().zip(tensor.data().as_chunks().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        for node in &mut weights.nodes {
            let name = batches(node);
            let Kind::Norm(norm) = &mut node.kind else { continue };
            // The count changes nothing that a net computes, so a file may go without it.
            let count = file.tensor(&name).ok();
            if let Some(bytes) = count.and_then(|tensor| tensor.data().try_into().ok()) {
                norm.batches = i64::from_le_bytes(bytes) as u64;
            }
        }
        self.weights = weights;
        Ok(())
    }

    /// Errors if the file holds a layer that this net has not: it belongs to a larger one.
    fn refuse_foreign(&self, file: &SafeTensors, path: &Path) -> Result<()> {
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let ours: HashSet<&str> = self.weights.nodes.iter().map(|node| &node.name[..]).collect();
        let begins: HashSet<String> = ours.iter().map(|name| first(name)).collect();
        let known = |name: &str| {
            let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
            !begins.contains(&first(name)) || ours.contains(layer)
        };
        match file.names().into_iter().find(|name| !known(name)) {
            Some(name) => {
                let problem = format!("it holds {name}, which this net does not have");
                Err(Error::file(path, problem, WHOLE))
            }
            None => Ok(()),
        }
    }
}

/// The names of the normalisation's numbers.
const OF_PICTURES: [&str; 2] = ["mean", "std"];

fn batches(norm: &Node) -> String {
    format!("{}.num_batches_tracked", norm.name)
}

fn entries<'a>(net: &Net, weights: &'a mut Weights) -> Vec<Entry<'a>> {
    let channels = net.architecture.image[0];
    let (classes, features) = (weights.head.classes(), weights.head.features());
    let mut entries = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, values: &'a mut [f32]| {
        entries.push(Entry { name, shape, values });
    };
    add(OF_PICTURES[0].into(), vec![1, channels, 1, 1], &mut weights.normalisation.mean);
    add(OF_PICTURES[1].into(), vec![1, channels, 1, 1], &mut weights.normalisation.deviation);
    for node in &mut weights.nodes {
        let (name, outputs) = (&node.name, node.shape[0]);
        match &mut node.kind {
            Kind::Conv(conv) => {
                let [height, width] = conv.window.kernel;
                let inputs = conv.weight.len() / (outputs * height * width);
                let shape = vec![outputs, inputs, height, width];
                add(format!("{name}.weight"), shape, &mut conv.weight);
                if let Some(bias) = &mut conv.bias {
                    add(format!("{name}.bias"), vec![outputs], bias);
                }
            }
            Kind::Norm(norm) => {
                add(format!("{name}.weight"), vec![outputs], &mut norm.weight);
                add(format!("{name}.bias"), vec![outputs], &mut norm.bias);
                add(format!("{name}.running_mean"), vec![outputs], &mut norm.running_mean);
                add(format!("{name}.running_var"), vec![outputs], &mut norm.running_var);
            }
            _ => {}
        }
    }
    let head = &net.architecture.head;
    add(format!("{head}.weight"), vec![classes, features], &mut weights.head.weight);
    add(format!("{head}.bias"), vec![classes], &mut weights.head.bias);
    entries
}
