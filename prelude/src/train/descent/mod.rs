//! One step down the loss: forward, backward, and the optimizer.

mod engine;
mod on_device;
#[cfg(test)]
mod tests;

use engine::Descent;

use super::sgd::{Sgd, Step};
use crate::Result;
use crate::attack::Ready;
use crate::device::Device;
use crate::engine::{Isa, Weights};
#[cfg(feature = "cuda")]
use crate::gpu;
use crate::net::Net;

/// A net on its way down. What goes wrong is a GPU's: too little memory, say.
pub(crate) trait Descend {
    /// One step by the mean cross-entropy of pictures `(n, pixels)` to their labels.
    fn step(&mut self, pictures: Vec<f32>, labels: &[usize], step: Step) -> Result<Seen>;

    /// Where it is.
    fn weights(&self) -> Result<Weights>;

    /// The velocity of each parameter.
    fn sgd(&self) -> Result<Sgd>;

    /// The net as it is now, in evaluation mode.
    fn ready(&self) -> Result<Box<dyn Ready>>;
}

/// What a step saw before it moved the weights.
pub(crate) struct Seen {
    /// `(n, classes)`.
    pub logits: Vec<f32>,
    /// The mean cross-entropy over the batch.
    pub loss: f32,
}

impl Net {
    /// A descent from the net at rest; on the processor the engine uses the instruction set `isa`.
    pub(crate) fn descent_on(&self, device: Device, isa: Isa) -> Result<Box<dyn Descend>> {
        resume_on(device, isa, self, Sgd::new(&self.weights.parameters()))
    }
}

/// A descent of `net` that goes on with the velocities of `sgd`, on the device that the user has chosen.
pub(super) fn resume(net: &Net, sgd: Sgd) -> Result<Box<dyn Descend>> {
    resume_on(Device::chosen()?, Isa::detect(), net, sgd)
}

fn resume_on(device: Device, isa: Isa, net: &Net, sgd: Sgd) -> Result<Box<dyn Descend>> {
    Ok(match device {
        Device::Cpu => Box::new(Descent::resume(net.weights.clone(), sgd, isa)),
        Device::Dfdx(device) => Box::new(on_device::OnDevice::resume(net, &sgd, &device)?),
        #[cfg(feature = "cuda")]
        Device::DfdxCuda(device) => Box::new(on_device::OnDevice::resume(net, &sgd, &device)?),
        #[cfg(feature = "cuda")]
        Device::Cuda(hands) => Box::new(gpu::Descent::resume(&hands, &net.weights, &sgd)?),
    })
}
