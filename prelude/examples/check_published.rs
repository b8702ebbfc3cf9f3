//! Holds the published architectures against torchvision's: logits and gradients of nets that
//! `tests/pytorch/export_published.py` wrote to a folder.
//!
//! ```text
//! cargo run --release -p erm-prelude --example check_published -- FOLDER [RECORD]
//! ```

use erm::attack;
use erm::prelude::*;
use erm::{Error, Result};
use ndarray::{Array2, Array4, ArrayD};
use safetensors::SafeTensors;
use std::path::Path;

/// How far a logit may stray, in units of the largest.
const ALLOWED: f64 = 1e-4;

const NETS: [&str; 5] = ["resnet18", "resnet50", "vgg16", "densenet121", "inception_v3"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::invalid("a folder with nets of torchvision", "none", "Give its path.");
    let folder = arguments.next().ok_or_else(usage)?;
    let folder = Path::new(&folder);
    let mut record = Record::new("published").with("allowed, of the largest number", ALLOWED);
    let mut table = Table::new(["net", "parameters", "logits off by", "gradient off by"])
        .title("Torchvision's nets, read by Erm")
        .note("in units of the largest number; the gradient is that of the loss by the pictures");
    for name in NETS {
        let path = folder.join(format!("{name}-expected.safetensors"));
        let bytes = std::fs::read(&path)
            .map_err(|e| Error::file(&path, e, "Run tests/pytorch/export_published.py first."))?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|e| Error::file(&path, e, "Write the file again."))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|e| Error::file(&path, e, "Write the file again."))?;
        let width = metadata.metadata().as_ref().and_then(|all| all.get("width")?.parse().ok());
        let architecture = Architecture::named(name, width.unwrap_or(64), [3, 32, 32], 10)?;
        let mut net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 0)?;
        net.load(folder.join(format!("{name}.safetensors")))?;
        let floats = |tensor: &str| -> Vec<f32> {
            let tensor = file.tensor(tensor).expect("the script writes it");
            tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
        };
        let pictures = floats("pictures");
        let images = Array4::from_shape_vec((pictures.len() / 3072, 3, 32, 32), pictures);
        let images = images.expect("they are pictures").into();
        let labels: Vec<usize> = (0..Images::len(&images)).map(|n| n % 10).collect();
        let logits: Array2<f32> = judge::logits(&net, &images)?;
        let of_logits = off(&logits.into_dyn(), &floats("evaluation.logits"), 1.0);
        let gradient = attack::gradient(&net, &images, &labels)?;
        let mean = 1.0 / labels.len() as f64;
        let of_gradient = off(&gradient.into_dyn(), &floats("evaluation.pictures"), mean);
        let parameters = net.parameters();
        table = table.row([
            name.to_owned(),
            parameters.to_string(),
            format!("{of_logits:.1e}"),
            format!("{of_gradient:.1e}"),
        ]);
        record = record
            .value(format!("{name}, parameters"), parameters as f64)
            .value(format!("{name}, logits off by"), of_logits)
            .value(format!("{name}, gradient off by"), of_gradient);
        if of_logits > ALLOWED {
            println!("{table}");
            let found = format!("{of_logits:e} for {name}");
            let remedy = "The architectures differ somewhere.";
            return Err(Error::invalid("logits within 1e-4 of torchvision's", found, remedy));
        }
    }
    println!("{table}");
    match arguments.next() {
        None => Ok(()),
        Some(path) => {
            let text = serde_json::to_string_pretty(&record).expect("numbers serialise") + "\n";
            std::fs::write(&path, text)
                .map_err(|e| Error::file(path, e, "Choose a file that you may write."))
        }
    }
}

/// The largest distance in units of the largest number; what was found is taken `times`.
fn off(found: &ArrayD<f32>, expected: &[f32], times: f64) -> f64 {
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let pairs = found.iter().zip(expected);
    let off = pairs.map(|(a, b)| (f64::from(*a) * times - f64::from(*b)).abs());
    off.fold(0.0, f64::max) / f64::from(largest)
}
