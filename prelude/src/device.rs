//! Where nets run.

#[cfg(feature = "cuda")]
use crate::gpu::{self, Sums};
use crate::{Error, Result};
use dfdx::prelude::Cpu;
#[cfg(feature = "cuda")]
use dfdx::prelude::Cuda;

/// What computes.
#[derive(Clone)]
pub(crate) enum Device {
    /// The processor, by the engine.
    Cpu,
    /// The processor, by dfdx's own operations: slow, and what the engine is held against.
    Dfdx(Cpu),
    /// NVIDIA's GPU, by the engine's kernels for it.
    #[cfg(feature = "cuda")]
    Cuda(gpu::Hands),
    /// NVIDIA's GPU, by dfdx's own operations.
    #[cfg(feature = "cuda")]
    DfdxCuda(Cuda),
}

impl Device {
    /// The device that `ERM_DEVICE` names: `cpu`, `cuda`, `cuda-tf32`, `dfdx`, `dfdx-cuda`, or `auto`,
    /// which is `cuda` if there is a GPU and stands for nothing, too.
    ///
    /// # Errors
    /// If it says something else, or asks for a GPU that cannot be used.
    pub fn chosen() -> Result<Self> {
        Self::named(&std::env::var("ERM_DEVICE").unwrap_or_default())
    }

    /// What a record calls it; nothing, where the engine runs on the processor.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Cpu => None,
            Self::Dfdx(_) => Some("dfdx on the CPU".into()),
            #[cfg(feature = "cuda")]
            Self::Cuda(hands) => Some(match hands.sums() {
                Sums::Single => gpu::name(),
                Sums::Tf32 => format!("{}, factors in TF32", gpu::name()),
            }),
            #[cfg(feature = "cuda")]
            Self::DfdxCuda(_) => Some(format!("dfdx on {}", gpu::name())),
        }
    }

    /// The device of this name; none is `auto`.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "dfdx" => Ok(Self::Dfdx(Cpu::default())),
            "cuda" | "cuda-tf32" | "dfdx-cuda" => on_a_gpu(name),
            // A GPU that is there and fails is an error: nobody wants to wait for the processor unasked.
            "" | "auto" if has_gpu() => on_a_gpu("cuda"),
            "" | "auto" => Ok(Self::Cpu),
            other => {
                let expected = "ERM_DEVICE to be cpu, cuda, cuda-tf32, dfdx, dfdx-cuda or auto";
                Err(Error::invalid(
                    expected,
                    other,
                    "Set ERM_DEVICE to one of them, or to nothing.",
                ))
            }
        }
    }
}

/// Whether there is a GPU and a driver for it, looked for once.
#[cfg(feature = "cuda")]
fn has_gpu() -> bool {
    static FOUND: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *FOUND.get_or_init(|| gpu::probe().is_ok())
}

#[cfg(not(feature = "cuda"))]
fn has_gpu() -> bool {
    false
}

/// The first GPU, opened once by each thread that wants it: CUDA's state belongs to one.
#[cfg(feature = "cuda")]
fn on_a_gpu(name: &str) -> Result<Device> {
    use std::cell::RefCell;
    use std::collections::HashMap;
    thread_local! {
        static OPEN: RefCell<HashMap<String, Result<Device>>> = RefCell::default();
    }
    let open = || {
        gpu::probe()?;
        match name {
            "dfdx-cuda" => gpu::dfdx().map(Device::DfdxCuda),
            "cuda-tf32" => gpu::open(Sums::Tf32).map(Device::Cuda),
            _ => gpu::open(Sums::Single).map(Device::Cuda),
        }
    };
    OPEN.with(|all| all.borrow_mut().entry(name.into()).or_insert_with(open).clone())
}

#[cfg(not(feature = "cuda"))]
fn on_a_gpu(_: &str) -> Result<Device> {
    let remedy = "Build Erm with `--features cuda`, or set ERM_DEVICE=cpu.";
    Err(Error::invalid("an Erm that was built with CUDA", "one without", remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::says;

    #[test]
    fn a_device_has_a_name() {
        assert!(matches!(Device::named("cpu").unwrap(), Device::Cpu));
        assert!(matches!(Device::named("dfdx").unwrap(), Device::Dfdx(_)));
        says(Device::named("tpu"), &["cpu, cuda, cuda-tf32, dfdx, dfdx-cuda or auto", "tpu"]);
    }

    #[test]
    #[cfg(feature = "cuda")]
    fn with_cuda_there_is_a_gpu_or_a_reason_why_not() {
        match Device::named("cuda") {
            Ok(_) => assert!(matches!(Device::named("auto").unwrap(), Device::Cuda(..))),
            Err(reason) => {
                says::<()>(Err(reason), &["a GPU that CUDA can use", "ERM_DEVICE=cpu"]);
                assert!(matches!(Device::named("auto").unwrap(), Device::Cpu));
            }
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn without_cuda_there_is_the_processor() {
        assert!(matches!(Device::named("").unwrap(), Device::Cpu));
        assert!(matches!(Device::named("auto").unwrap(), Device::Cpu));
        says(Device::named("cuda"), &["built with CUDA", "--features cuda"]);
    }
}
