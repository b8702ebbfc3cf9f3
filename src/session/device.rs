//! What cells compute on, as far as the program has a say: whether their prelude is built for a GPU.

use std::env;
use std::ffi::CStr;

use anyhow::{Result, bail};

/// The library that comes with NVIDIA's driver. A prelude built for a GPU does not load without it.
const DRIVER: &CStr = c"libcuda.so.1";

/// The wishes that a GPU alone can fulfil.
const ON_A_GPU: [&str; 3] = ["cuda", "cuda-tf32", "dfdx-cuda"];

/// The features with which the prelude is to be built, by `ERM_DEVICE`: see the prelude's `device.rs`.
pub fn features() -> Result<&'static [&'static str]> {
    features_for("ERM_DEVICE", &env::var("ERM_DEVICE").unwrap_or_default())
}

/// The features for a wish that was made with a variable or an option of this name.
pub fn features_for(name: &str, wish: &str) -> Result<&'static [&'static str]> {
    match choose(wish, cfg!(feature = "cuda"), has_driver) {
        Choice::Gpu => Ok(&["cuda"]),
        Choice::Cpu => Ok(&[]),
        Choice::NotBuilt => bail!(
            "{name} asks for a GPU, and this program was built without; \
             build it with `cargo build --release --features cuda`, or set {name}=cpu"
        ),
        Choice::NoDriver if ON_A_GPU.contains(&wish) => bail!(
            "{name} asks for a GPU, and NVIDIA's driver ({}) was not found; \
             install it, or set {name}=cpu",
            DRIVER.to_string_lossy()
        ),
        Choice::NoDriver => {
            eprintln!("NVIDIA's driver was not found: nets run on the CPU.");
            Ok(&[])
        }
    }
}

/// What comes of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Cpu,
    Gpu,
    NotBuilt,
    NoDriver,
}

/// The driver is looked for only where it matters, since that loads it.
fn choose(wish: &str, is_built: bool, has_driver: fn() -> bool) -> Choice {
    let wants = ON_A_GPU.contains(&wish);
    match is_built {
        false if wants => Choice::NotBuilt,
        true if wants || ["auto", ""].contains(&wish) => match has_driver() {
            true => Choice::Gpu,
            false => Choice::NoDriver,
        },
        // A wish that is none is an error of the first cell that wants a device.
        _ => Choice::Cpu,
    }
}

fn has_driver() -> bool {
    // SAFETY: the name ends in a zero, and the driver's library may be loaded at any time.
    let library = unsafe { libc::dlopen(DRIVER.as_ptr(), libc::RTLD_LAZY) };
    !library.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_takes_a_wish_a_build_and_a_driver() {
        assert_eq!(choose("cuda", true, || true), Choice::Gpu);
        assert_eq!(choose("", true, || true), Choice::Gpu);
        assert_eq!(choose("cuda", false, || true), Choice::NotBuilt);
        assert_eq!(choose("cuda", true, || false), Choice::NoDriver);
        assert_eq!(choose("auto", true, || false), Choice::NoDriver);
        assert_eq!(choose("auto", false, || true), Choice::Cpu);
        assert_eq!(choose("cpu", true, || true), Choice::Cpu);
        assert_eq!(choose("dfdx", true, || true), Choice::Cpu);
        assert_eq!(choose("dfdx-cuda", true, || true), Choice::Gpu);
        assert_eq!(choose("cuda-tf32", true, || false), Choice::NoDriver);
        assert_eq!(choose("cuda-tf32", false, || true), Choice::NotBuilt);
    }
}
