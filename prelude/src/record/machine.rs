//! What a run ran on, without saying whose machine it was.

use std::{env, fmt, fs, thread};

use crate::device::Device;
use serde::{Deserialize, Serialize};

/// The kind of machine: neither its name nor its folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model, or "unknown".
    pub cpu: String,
    /// How many cores the run may use.
    pub cores: usize,
    /// The operating system and the architecture: "linux 6.1.0 x86_64".
    pub system: String,
    /// What nets ran on, where it was not the engine on the CPU: "dfdx on the CPU", or the name of a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Machine {
    /// This machine.
    pub fn here() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        // What follows the number names a build of the kernel, often somebody's own.
        let number = kernel.trim().split('-').next().unwrap_or_default();
        let system = [env::consts::OS, number, env::consts::ARCH];
        Self {
            cpu: model(&cpu).unwrap_or("unknown").to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            system: system
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            // A device that cannot be had is an error of whatever wants it.
            device: Device::chosen().ok().and_then(|device| device.name()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} cores, {}", self.cpu, self.cores, self.system)?;
        self.device.iter().try_for_each(|device| write!(f, ", {device}"))
    }
}

/// The model name in what `/proc/cpuinfo` says of the first core.
fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_read_from_the_first_core() {
        let text = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some CPU @ 2.5GHz\nflags : a b\n";
        assert_eq!(model(text), Some("Some CPU @ 2.5GHz"));
        assert_eq!(model("Processor : ARM"), None);
    }

    #[test]
    fn this_machine_has_a_core() {
        assert!(Machine::here().cores >= 1);
    }
}
