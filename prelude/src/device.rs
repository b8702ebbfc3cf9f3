//! Where nets run.

use crate::{Error, Result};
use dfdx::prelude::Cpu;
#[cfg(feature = "cuda")]
use dfdx::prelude::Cuda;

/// What computes.
#[derive(Clone, Debug)]
pub(crate) enum Device {
    /// The processor, by the engine.
    Cpu,
    /// The processor, by dfdx's own operations: slow, and what the engine is held against.
    Dfdx(Cpu),
    /// NVIDIA's GPU, by the same operations.
    #[cfg(feature = "cuda")]
    Cuda(Cuda),
}

impl Device {
    /// The device that `ERM_DEVICE` names: `cpu`, `dfdx`, `cuda`, or `auto`, which is a GPU if there is
    /// one and stands for nothing, too.
    ///
    /// # Errors
    /// If it says something else, or asks for a GPU that cannot be used.
    pub fn chosen() -> Result<Self> {
        Self::named(&std::env::var("ERM_DEVICE").unwrap_or_default())
    }

    /// What a record calls it; nothing, where the engine runs.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Cpu => None,
            Self::Dfdx(_) => Some("dfdx on the CPU".into()),
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => Some("CUDA".into()),
        }
    }

    /// The device of this name; none is `auto`.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "dfdx" => Ok(Self::Dfdx(Cpu::default())),
            "cuda" => cuda(),
            "" | "auto" => Ok(cuda().unwrap_or(Self::Cpu)),
            other => {
                let remedy = "Set ERM_DEVICE to one of them, or to nothing.";
                Err(Error::invalid("ERM_DEVICE to be cpu, dfdx, cuda or auto", other, remedy))
            }
        }
    }
}

/// The first GPU, opened once by each thread that wants it: CUDA's state belongs to one.
#[cfg(feature = "cuda")]
fn cuda() -> Result<Device> {
    use cudarc::driver::result;
    use std::cell::OnceCell;
    thread_local! {
        static FIRST: OnceCell<Result<Cuda>> = const { OnceCell::new() };
    }
    let unusable = |problem: String| {
        let remedy = "Install NVIDIA's driver, or set ERM_DEVICE=cpu.";
        Error::invalid("a GPU that CUDA can use", problem, remedy)
    };
    let open = || {
        // dfdx panics where the driver finds no GPU.
        result::init().map_err(|problem| unusable(format!("{problem:?}")))?;
        Cuda::try_build(0, 0).map_err(|problem| unusable(format!("{problem:?}")))
    };
    FIRST.with(|first| first.get_or_init(open).clone()).map(Device::Cuda)
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device> {
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
        says(Device::named("tpu"), &["cpu, dfdx, cuda or auto", "tpu"]);
    }

    #[test]
    #[cfg(feature = "cuda")]
    fn with_cuda_there_is_a_gpu_or_a_reason_why_not() {
        match Device::named("cuda") {
            Ok(_) => assert!(matches!(Device::named("auto").unwrap(), Device::Cuda(_))),
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
