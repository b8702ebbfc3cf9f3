//! Has the prelude's bench measure Erm's speed beside PyTorch's. The bench is a program of the prelude's,
//! since this one does not link it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::session::{features_for, prelude_folder};

/// Where nets run.
#[derive(Clone, Copy, ValueEnum)]
pub enum Device {
    Cpu,
    Cuda,
}

/// On a GPU: in single precision and with TF32's products, in one run with both of PyTorch's ways.
const ON_A_GPU: [&str; 5] =
    ["--devices", "cuda,cuda-tf32", "--nets", "resnet18:64,resnet50:64", "--compile"];

/// Builds the bench if need be and runs it; `more` goes to it, and overrides what we ask of it.
pub fn measure(device: Device, more: &[String]) -> Result<()> {
    let (features, ours): (_, &[&str]) = match device {
        Device::Cpu => (&[][..], &[]),
        Device::Cuda => (features_for("--device", "cuda")?, &ON_A_GPU),
    };
    // As part of the whole workspace it needs no crate that was not built with the program.
    let manifest = prelude_folder()?.join("../Cargo.toml");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "--bin", "erm-bench", "--manifest-path"]).arg(manifest);
    cargo.args(features.iter().flat_map(|feature| ["--features", feature]));
    let status = cargo.arg("--").args(ours).args(more).status().context("cannot start cargo")?;
    ensure!(status.success(), "the bench ended with {status}");
    Ok(())
}
