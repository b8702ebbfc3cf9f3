//! Holds the published architectures against torchvision's: logits and gradients of nets that
//! `tests/pytorch/export_published.py` wrote to a folder.
//!
//! ```text
//! cargo run --release -p erm-prelude --example check_published -- FOLDER [RECORD]
//! ```

use erm::attack;
use erm::prelude::*;
use erm::{Error, Result};
use ndarray::{Array4, ArrayD};
use safetensors::SafeTensors;
use std::path::Path;

/// How far a logit may stray, in units of the largest.
const ALLOWED: f64 = 1e-4;

const NETS: [&str; 5] = ["resnet18", "resnet50", "vgg16", "densenet121", "inception_v3"];

/// What follows the name of a net for photographs.
const PHOTOGRAPHS: &str = "_photographs";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::invalid("a folder with nets of torchvision", "none", "Give its path.");
    let folder = arguments.next().ok_or_else(usage)?;
    let mut record = Record::new("published").with("allowed, of the largest number", ALLOWED);
    let mut table = Table::new(["net", "parameters", "logits off by", "gradient off by"])
        .title("Torchvision's nets, read by Erm")
        .note("in units of the largest number; the gradient is that of the loss by the pictures");
    let mut furthest = 0.0_f64;
    for name in names(Path::new(&folder))? {
        let name = name.as_str();
        let [parameters, logits, gradient] = compare(name, Path::new(&folder))?;
        furthest = furthest.max(logits);
        let off = [logits, gradient].map(|off| format!("{off:.1e}"));
        table = table.row([name, &parameters.to_string(), &off[0], &off[1]]);
        record = record
            .value(format!("{name}, parameters"), parameters)
            .value(format!("{name}, logits off by"), logits)
            .value(format!("{name}, gradient off by"), gradient);
    }
    println!("{table}");
    if furthest > ALLOWED {
        let remedy = "The architectures differ somewhere: the table says which.";
        return Err(Error::invalid(
            "logits within 1e-4 of torchvision's",
            furthest.to_string(),
            remedy,
        ));
    }
    let Some(path) = arguments.next() else { return Ok(()) };
    let text = serde_json::to_string_pretty(&record).expect("numbers serialise") + "\n";
    std::fs::write(&path, text)
        .map_err(|e| Error::file(path, e, "Choose a file that you may write."))
}

/// The nets that the folder holds.
fn names(folder: &Path) -> Result<Vec<String>> {
    let photographs = NETS.map(|name| format!("{name}{PHOTOGRAPHS}"));
    let there = |name: &String| folder.join(format!("{name}.safetensors")).is_file();
    let names: Vec<_> =
        NETS.map(String::from).into_iter().chain(photographs).filter(there).collect();
    if names.is_empty() {
        let remedy = "Run tests/pytorch/export_published.py first.";
        return Err(Error::file(folder, "it holds no net of torchvision", remedy));
    }
    Ok(names)
}

/// A net's parameters, and how far its logits and its gradient are from torchvision's.
fn compare(name: &str, folder: &Path) -> Result<[f64; 3]> {
    let path = folder.join(format!("{name}-expected.safetensors"));
    let bytes = std::fs::read(&path)
        .map_err(|e| Error::file(&path, e, "Run tests/pytorch/export_published.py first."))?;
    let damaged = |e| Error::file(&path, e, "Write the file again.");
    let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let width = metadata.metadata().as_ref().and_then(|all| all.get("width")?.parse().ok());
    let pictures = file.tensor("pictures").map_err(damaged)?;
    let &[count, channels, height, pixels] = pictures.shape() else {
        return Err(Error::file(&path, "its pictures have another shape", "Write the file again."));
    };
    let architecture = name.trim_end_matches(PHOTOGRAPHS);
    let image = [channels, height, pixels];
    let architecture = Architecture::named(architecture, width.unwrap_or(64), image, 10)?;
    let mut net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 0)?;
    net.load(folder.join(format!("{name}.safetensors")))?;
    let floats = |tensor: &str| -> Vec<f32> {
        let tensor = file.tensor(tensor).expect("the script writes it");
        tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let images = Array4::from_shape_vec((count, channels, height, pixels), floats("pictures"));
    let images: Images = images.expect("they are pictures").into();
    let labels: Vec<usize> = (0..images.len()).map(|n| n % 10).collect();
    let logits = judge::logits(&net, &images)?.into_dyn();
    let gradient = attack::gradient(&net, &images, &labels)?.into_dyn();
    let mean = 1.0 / labels.len() as f64;
    Ok([
        net.parameters() as f64,
        off(&logits, &floats("evaluation.logits"), 1.0),
        off(&gradient, &floats("evaluation.pictures"), mean),
    ])
}

/// The largest distance in units of the largest number; what was found is taken `times`.
fn off(found: &ArrayD<f32>, expected: &[f32], times: f64) -> f64 {
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let pairs = found.iter().zip(expected);
    let off = pairs.map(|(a, b)| (f64::from(*a) * times - f64::from(*b)).abs());
    off.fold(0.0, f64::max) / f64::from(largest)
}
