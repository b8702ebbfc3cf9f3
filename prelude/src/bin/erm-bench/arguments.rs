//! The command line.

use erm::engine::Isa;
use erm::{Error, Result};
use std::path::PathBuf;
use std::str::FromStr;

pub const USAGE: &str = "\
Erm's speed beside PyTorch's, in interleaved rounds.

  --nets resnet       which: resnet, resnet18, resnet50, vgg16, densenet121, inception_v3 (resnet)
  --widths 16,32,64   how wide: channels of the first convolution (16); vgg16:8 has its own width
  --batches 128       images a step
  --devices cpu       where: cpu, cuda, cuda-tf32, dfdx, dfdx-cuda (cpu)
  --threads N         threads on both sides (all cores)
  --rounds 7          rounds, of which the table gives the medians
  --seconds 0.3       how long a round measures each thing
  --isa NAME          avx512, avx2 or portable (the best of this processor)
  --python PATH       a Python with PyTorch (python3)
  --compile           also time torch.compile, which needs a C++ compiler
  --erm PATH          also time the same work in cells of this program's kernel
  --json FILE         write every round's figures to a record";

/// What to measure, and how.
pub struct Arguments {
    /// Each with its own width, where it has one.
    pub nets: Vec<(String, Option<usize>)>,
    pub widths: Vec<usize>,
    pub batches: Vec<usize>,
    /// As in `ERM_DEVICE`.
    pub devices: Vec<String>,
    pub threads: usize,
    pub rounds: usize,
    pub seconds: f64,
    pub isa: Isa,
    pub python: PathBuf,
    pub configs: Vec<&'static str>,
    pub erm: Option<PathBuf>,
    pub json: Option<PathBuf>,
}

impl Arguments {
    /// `None` if the usage was asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut all = Self {
            nets: vec![("resnet".into(), None)],
            widths: vec![16],
            batches: vec![128],
            devices: vec!["cpu".into()],
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            rounds: 7,
            seconds: 0.3,
            isa: Isa::detect(),
            python: "python3".into(),
            configs: vec!["contiguous", "channels_last"],
            erm: None,
            json: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_default();
            match word.as_str() {
                "--nets" => all.nets = value().split(',').map(net).collect::<Result<_>>()?,
                "--widths" => all.widths = several(&word, &value())?,
                "--batches" => all.batches = several(&word, &value())?,
                "--devices" => all.devices = value().split(',').map(str::to_owned).collect(),
                "--threads" => all.threads = positive(&word, &value())?,
                "--rounds" => all.rounds = positive(&word, &value())?,
                "--seconds" => all.seconds = positive(&word, &value())?,
                "--isa" => all.isa = isa(&value())?,
                "--python" => all.python = value().into(),
                "--compile" => all.configs.push("compile"),
                "--erm" => all.erm = Some(value().into()),
                "--json" => all.json = Some(value().into()),
                "--help" | "-h" => return Ok(None),
                _ => return Err(Error::invalid("an option of the bench", word, USAGE)),
            }
        }
        Ok(Some(all))
    }
}

/// A name, or a name and a width with a colon between them.
fn net(word: &str) -> Result<(String, Option<usize>)> {
    let Some((name, width)) = word.split_once(':') else { return Ok((word.to_owned(), None)) };
    Ok((name.to_owned(), Some(positive("--nets NAME:", width)?)))
}

/// Numbers above zero with commas between them.
fn several(option: &str, list: &str) -> Result<Vec<usize>> {
    list.split(',').map(|value| positive(option, value)).collect()
}

/// A number above zero.
fn positive<T: FromStr + PartialOrd + Default>(option: &str, value: &str) -> Result<T> {
    let number = value.parse().ok().filter(|number| *number > T::default());
    let expected = || format!("a number above 0 after {option}");
    number.ok_or_else(|| Error::invalid(expected(), format!("`{value}`"), "See --help."))
}

fn isa(name: &str) -> Result<Isa> {
    let supported = Isa::supported();
    supported.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| {
        let names: Vec<&str> = supported.iter().map(|isa| isa.name()).collect();
        let expected = format!("one of {} after --isa", names.join(", "));
        Error::invalid(expected, format!("`{name}`"), "This processor has no other.")
    })
}
