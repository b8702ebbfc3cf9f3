//! Nets: one definition, two ways to run it (dfdx's graph and the engine), weights on disk.

#[cfg(test)]
pub(crate) mod agreement;
mod architecture;
mod check;
mod fingerprint;
mod graph;
mod init;
mod own_loss;
mod published;
mod state;
mod summary;
#[cfg(test)]
mod tests;

pub use crate::engine::Window;
pub use architecture::{Architecture, Layer};
pub use graph::{Graph, Mode};

use crate::Result;
use crate::attack::{OnDevice, Ready};
use crate::data::Dataset;
use crate::device::Device;
use crate::engine::{Frozen, Isa, Weights};
#[cfg(feature = "cuda")]
use crate::gpu;
use std::sync::Arc;

/// A net: its layers and its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    pub(crate) architecture: Architecture,
    pub(crate) weights: Weights,
}

impl Net {
    /// [`Architecture::resnet`] for the images and classes of `data`, whose colours it normalises by.
    ///
    /// `width`: the channels of the first convolution; `seed`: of the initial weights.
    ///
    /// # Errors
    /// If `width` is 0, or `data` is empty or has fewer than two classes.
    pub fn resnet(width: usize, data: &Dataset, seed: u64) -> Result<Self> {
        Self::of(Architecture::resnet, width, data, seed)
    }

    /// A net of an architecture, such as [`Architecture::resnet50`], for the images and classes of `data`,
    /// whose colours it normalises by.
    ///
    /// `width`: what the architecture makes of it; `seed`: of the initial weights.
    ///
    /// # Errors
    /// If the architecture cannot have this width, or `data` is empty or has fewer than two classes.
    pub fn of(
        architecture: impl Fn(usize, [usize; 3], usize) -> Result<Architecture>,
        width: usize,
        data: &Dataset,
        seed: u64,
    ) -> Result<Self> {
        data.check()?;
        let [_, channels, height, pixels] = data.images.shape();
        let architecture = architecture(width, [channels, height, pixels], data.classes.len())?;
        let (mean, deviation) = data.mean_std()?;
        // A colour that never changes tells nothing, and must not become a division by zero.
        let deviation = deviation.map(|deviation| if deviation > 1e-6 { deviation } else { 1.0 });
        Self::new(architecture, mean.to_vec(), deviation.to_vec(), seed)
    }

    /// A net of any architecture. `mean`, `deviation`: of each channel, in units of [0, 1].
    ///
    /// # Errors
    /// If the architecture does not fit together, or if `mean` and `deviation` are not one finite
    /// number a channel, the latter above 0.
    pub fn new(
        architecture: Architecture,
        mean: Vec<f32>,
        deviation: Vec<f32>,
        seed: u64,
    ) -> Result<Self> {
        let nodes = architecture.nodes()?;
        let normalisation = check::normalisation(architecture.image[0], mean, deviation)?;
        let weights = init::weights(&architecture, nodes, normalisation, seed);
        Ok(Self { architecture, weights })
    }

    /// The net's layers.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The net in evaluation mode, on the device that the user has chosen.
    pub(crate) fn ready(&self) -> Result<Box<dyn Ready>> {
        self.ready_on(Device::chosen()?, Isa::detect())
    }

    /// The same on a device; on the processor the engine uses the instruction set `isa`.
    pub(crate) fn ready_on(&self, device: Device, isa: Isa) -> Result<Box<dyn Ready>> {
        Ok(match device {
            Device::Cpu => Box::new(Frozen::new(&self.weights, isa)),
            Device::Dfdx(device) => Box::new(OnDevice::new(self.graph(&device)?)),
            #[cfg(feature = "cuda")]
            Device::DfdxCuda(device) => Box::new(OnDevice::new(self.graph(&device)?)),
            #[cfg(feature = "cuda")]
            Device::Cuda(hands) => Box::new(gpu::Fixed::new(&hands, &self.weights)?),
        })
    }

    /// The net in evaluation mode, packed for the engine.
    pub(crate) fn freeze(&self) -> Arc<Frozen> {
        Arc::new(Frozen::new(&self.weights, Isa::detect()))
    }
}
