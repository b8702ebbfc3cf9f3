//! A net's numbers by the names that PyTorch's `state_dict` gives them, and safetensors files.

use super::Net;
use super::architecture::Link;
use crate::engine::Weights;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::HashMap;
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

    /// Reads the weights from a safetensors file that [`Net::save`] or PyTorch wrote for this architecture.
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
        let counts: Vec<(String, [u8; 8])> = (self.architecture.chain()?.iter())
            .zip(&weights.units)
            .map(|(link, unit)| (batches(link), (unit.norm.batches as i64).to_le_bytes()))
            .collect();
        let entries: Vec<(String, Vec<usize>, Vec<u8>)> = entries(self, &mut weights)?
            .into_iter()
            .map(|e| (e.name, e.shape, e.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
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
        for entry in entries(self, &mut weights)? {
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
        for (link, unit) in self.architecture.chain()?.iter().zip(&mut weights.units) {
            // The count changes nothing that a net computes, so a file may go without it.
            let count = file.tensor(&batches(link)).ok();
            if let Some(bytes) = count.and_then(|tensor| tensor.data().try_into().ok()) {
                unit.norm.batches = i64::from_le_bytes(bytes) as u64;
            }
        }
        self.weights = weights;
        Ok(())
    }

    /// Errors if the file holds a layer that this net has not: it belongs to a larger one.
    fn refuse_foreign(&self, file: &SafeTensors, path: &Path) -> Result<()> {
        let links = self.architecture.chain()?;
        let known = |name: &str| {
            !name.starts_with("features.")
                || links.iter().any(|link| {
                    name.strip_prefix(&link.name).is_some_and(|rest| rest.starts_with(['.']))
                })
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

fn batches(link: &Link) -> String {
    format!("{}.1.num_batches_tracked", link.name)
}

fn entries<'a>(net: &Net, weights: &'a mut Weights) -> Result<Vec<Entry<'a>>> {
    let channels = net.architecture.image[0];
    let mut entries = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, values: &'a mut [f32]| {
        entries.push(Entry { name, shape, values });
    };
    add("mean".into(), vec![1, channels, 1, 1], &mut weights.normalisation.mean);
    add("std".into(), vec![1, channels, 1, 1], &mut weights.normalisation.deviation);
    for (link, unit) in net.architecture.chain()?.iter().zip(&mut weights.units) {
        let (inputs, outputs) = (unit.conv.inputs, unit.conv.outputs);
        add(format!("{}.0.weight", link.name), vec![outputs, inputs, 3, 3], &mut unit.weight);
        let norm = &mut unit.norm;
        add(format!("{}.1.weight", link.name), vec![outputs], &mut norm.weight);
        add(format!("{}.1.bias", link.name), vec![outputs], &mut norm.bias);
        add(format!("{}.1.running_mean", link.name), vec![outputs], &mut norm.running_mean);
        add(format!("{}.1.running_var", link.name), vec![outputs], &mut norm.running_var);
    }
    let (classes, features) = (weights.head.classes(), weights.head.features());
    add("head.weight".into(), vec![classes, features], &mut weights.head.weight);
    add("head.bias".into(), vec![classes], &mut weights.head.bias);
    Ok(entries)
}
