//! Trains a net, attacks it, and writes all of it to a folder, for `tests/pytorch/check_net.py`,
//! `check_pgd.py` and `check_apgd.py` to hold against PyTorch and torchattacks.
//!
//! ```text
//! cargo run --release -p erm-prelude --example export_for_pytorch -- FOLDER [cifar10|see-far]
//! ```

use erm::attack::{Attack, Loss};
use erm::dfdx::prelude::{AsArray, Backward, Cpu, TensorFromVec, Trace};
use erm::net::Mode;
use erm::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use std::collections::HashMap;
use std::path::Path;

const SEED: u64 = 0;
const TRAINED_ON: usize = 20_000;
const ATTACKED: usize = 1000;
/// How many images the passes and steps are compared on.
const COMPARED: usize = 32;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || erm::Error::invalid("a folder to write to", "none", "Give it as argument.");
    let folder = arguments.next().ok_or_else(usage)?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)
        .map_err(|e| erm::Error::file(folder, e, "Choose a folder that you may write to."))?;
    let (data, augment) = match arguments.next().as_deref() {
        Some("cifar10") => (Data::cifar10()?, Augment::crop_and_flip()),
        // A crop would move its faint textures against the grid that a net reads them by.
        _ => (Data::see_far(), Augment::none()),
    };
    let set = data.train.take(TRAINED_ON.min(data.train.len()))?;
    let mut net = Net::resnet(16, &set, SEED)?;
    let recipe = Recipe { augment, ..Recipe::standard(Scale::Demo) }.epochs(3).seed(SEED);
    println!("{}", net.train(&set, &recipe)?);
    net.save(folder.join("net.safetensors"))?;
    passes(&net, &data.test.take(COMPARED)?, folder)?;
    let attacked = data.test.take(ATTACKED)?;
    attacks(&net, &attacked, folder)?;
    auto_attacks(&net, &attacked, folder)
}

/// Logits and gradients of a batch, and the net after three steps down it.
fn passes(net: &Net, set: &Dataset, folder: &Path) -> Result<()> {
    let mut file = Export::default();
    file.images("pictures", &set.images);
    file.labels("labels", &set.labels);
    file.floats("evaluation.logits", judge::logits(net, &set.images)?.iter());
    let gradient = erm::attack::gradient(net, &set.images, &set.labels)?;
    file.floats("evaluation.pictures", gradient.iter());
    let (device, n) = (Cpu::default(), set.len());
    let graph = net.graph(&device)?;
    let pictures = file.values("pictures").to_vec();
    let x = device.tensor_from_vec(pictures, (n, set.images.pixels()));
    let logits = graph.logits(x.leaky_trace(), Mode::Training);
    let classes = set.classes.len();
    let mut targets = vec![0.0; n * classes];
    set.labels.iter().enumerate().for_each(|(i, label)| targets[i * classes + label] = 1.0);
    let targets = device.tensor_from_vec(targets, (n, classes));
    let loss = erm::dfdx::losses::cross_entropy_with_logits_loss(logits, targets);
    file.floats("training.loss", [loss.array()].iter());
    for (index, gradient) in graph.gradients(&loss.backward()).iter().enumerate() {
        file.floats(&format!("training.{index:02}"), gradient.iter());
    }
    file.write(&folder.join("passes.safetensors"))?;
    let recipe = Recipe {
        epochs: 3,
        batch: n,
        learning_rate: 0.05,
        schedule: Schedule::Constant,
        augment: Augment::none(),
        validation: 0,
        ..Recipe::standard(Scale::Demo)
    };
    let mut net = net.clone();
    net.train(set, &recipe)?;
    net.save(folder.join("after-three-steps.safetensors"))
}

/// Every attack that is compared, by the name it has in the files: away from the labels, and
/// toward the class after.
fn attacks(net: &Net, set: &Dataset, folder: &Path) -> Result<()> {
    let targets: Vec<usize> = set.labels.iter().map(|y| (y + 1) % set.classes.len()).collect();
    let mut file = Export::default();
    file.images("pictures", &set.images);
    file.labels("labels", &set.labels);
    file.labels("targets", &targets);
    let attacks = [
        ("l2-0.25", Pgd::l2(0.25).steps(20)),
        ("l2-0.5", Pgd::l2(0.5).steps(20)),
        ("linf-8", Pgd::linf(8.0 / 255.0).steps(10)),
    ];
    for (name, attack) in &attacks {
        file.images(&format!("{name}.away"), &attack.perturb(net, &set.images, &set.labels)?);
        file.images(&format!("{name}.toward"), &attack.perturb_toward(net, &set.images, &targets)?);
        println!("{attack}");
    }
    file.metadata.insert("set".into(), set.name.clone());
    file.write(&folder.join("attacks.safetensors"))
}

/// APGD with both losses, by the names that it has in `check_apgd.py`.
fn auto_attacks(net: &Net, set: &Dataset, folder: &Path) -> Result<()> {
    let mut file = Export::default();
    file.images("pictures", &set.images);
    file.labels("labels", &set.labels);
    for (name, attack) in [("l2-0.25", Apgd::l2(0.25)), ("linf-2", Apgd::linf(2.0 / 255.0))] {
        for (loss_name, loss) in [("ce", Loss::CrossEntropy), ("dlr", Loss::Dlr)] {
            let attack = attack.clone().loss(loss);
            let end = attack.perturb(net, &set.images, &set.labels)?;
            file.images(&format!("{name}.{loss_name}"), &end);
            println!("{attack}: {}", judge::success(net, &end, &set.labels)?);
        }
    }
    file.metadata.insert("set".into(), set.name.clone());
    file.write(&folder.join("apgd.safetensors"))
}

/// Tensors on their way into a file.
#[derive(Default)]
struct Export {
    tensors: Vec<(String, Dtype, Vec<u8>)>,
    floats: HashMap<String, Vec<f32>>,
    metadata: HashMap<String, String>,
}

impl Export {
    fn floats<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a f32>) {
        let values: Vec<f32> = values.copied().collect();
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name.into(), Dtype::F32, bytes));
        self.floats.insert(name.into(), values);
    }

    fn images(&mut self, name: &str, images: &Images) {
        let all = images.batch(&(0..images.len()).collect::<Vec<_>>());
        self.floats(name, all.iter());
    }

    fn labels(&mut self, name: &str, labels: &[usize]) {
        let bytes = labels.iter().flat_map(|label| (*label as i64).to_le_bytes()).collect();
        self.tensors.push((name.into(), Dtype::I64, bytes));
    }

    fn values(&self, name: &str) -> &[f32] {
        &self.floats[name]
    }

    fn write(&self, path: &Path) -> Result<()> {
        let failed = |e| erm::Error::file(path, e, "Choose a folder with room for 100 MB.");
        let views = self.tensors.iter().map(|(name, dtype, bytes)| {
            let size = if *dtype == Dtype::I64 { 8 } else { 4 };
            TensorView::new(*dtype, vec![bytes.len() / size], bytes).map(|view| (name, view))
        });
        let views: Vec<_> = views.collect::<std::result::Result<_, _>>().map_err(failed)?;
        serialize_to_file(views, Some(self.metadata.clone()), path).map_err(failed)
    }
}
