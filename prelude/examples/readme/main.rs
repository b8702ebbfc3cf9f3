//! Draws the README's figure and tables from the committed records of real runs.
//!
//! ```text
//! cargo run --release -p erm-prelude --example readme
//! ```
//! It writes the figures in `notebooks/figures` and replaces what stands in README.md
//! between the two lines `<!-- results -->`, and likewise `<!-- robust -->`, `<!-- transfer -->`,
//! `<!-- speed -->` and `<!-- latency -->`.

mod latency;
mod robust;
mod speed;
mod theory;
mod transfer;

use erm::prelude::*;
use std::fs;
use std::path::Path;

/// The record of notebook 04, and that of notebook 07.
const SUFFICE: &str = "non-robust-features-suffice";
const TEACHERS: &str = "two-teachers";

/// A row of the table: its name, the paper's figure, and in which record the value has which name.
type Row = (&'static str, Option<f64>, &'static str, &'static str);

const ROWS: [Row; 10] = [
    ("teacher, test set", Some(paper::D.value), SUFFICE, "teacher, %"),
    (
        "teacher under attack, ε = 0.25",
        Some(paper::STANDARD_AT_025.value),
        SUFFICE,
        "teacher at 0.25, %",
    ),
    ("**D_det student, true labels**", Some(paper::D_DET.value), SUFFICE, "D_det, %"),
    ("D_det student, labels y + 1", Some(paper::D_DET_ON_NEXT.value), SUFFICE, "D_det on y + 1, %"),
    ("**D_rand student, true labels**", Some(paper::D_RAND.value), SUFFICE, "D_rand, %"),
    ("D_rand without its true labels", None, SUFFICE, "D_rand, wrong labels only, %"),
    ("no features, class noise only (control)", None, SUFFICE, "class noise only, %"),
    (
        "D_det student of a robust teacher",
        Some(paper::D_DET_FROM_ROBUST.value),
        TEACHERS,
        "robust teacher: D_det, %",
    ),
    (
        "the same, labels y + 1",
        Some(paper::D_DET_FROM_ROBUST_ON_NEXT.value),
        TEACHERS,
        "robust teacher: D_det on y + 1, %",
    ),
    (
        "D_rand student of a robust teacher",
        Some(paper::D_RAND_FROM_ROBUST.value),
        TEACHERS,
        "robust teacher: D_rand, %",
    ),
];

fn main() -> Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the prelude lies in the project");
    let records = Record::load_all(root.join("notebooks/records"))?;
    let cifar = newest(&records, SUFFICE, "CIFAR-10 train")?;
    let see_far = newest(&records, SUFFICE, "See-Far train")?;
    let figure = Chart::bars("Trained only on pictures with wrong labels (D_det)")
        .x("accuracy on the untouched test set, true labels, %")
        .unit("%")
        .bar("CIFAR-10", Some(paper::D_DET.value), value(cifar, "D_det, %"))
        .bar("See-Far", None, value(see_far, "D_det, %"))
        .reference("chance", 10.0);
    let folder = root.join("notebooks/figures");
    write(&folder.join("learned-from-perturbations.svg"), &figure.svg()?)?;
    theory::draw(&records, &folder.join("gradient-and-theory.svg"))?;
    let readme = root.join("README.md");
    let text = fs::read_to_string(&readme).map_err(|e| Error::file(&readme, e, "Restore it."))?;
    let text = replaced(&text, "<!-- results -->", &table(&records, cifar, see_far)?)?;
    let robust = robust::section(&records)?;
    let text = replaced(&text, "<!-- robust -->", &robust)?;
    let transfer = transfer::section(&records, &folder.join("transferability.svg"))?;
    let text = replaced(&text, "<!-- transfer -->", &transfer)?;
    let speed = speed::section(&root.join("notebooks/records"))?;
    let text = replaced(&text, "<!-- speed -->", &speed)?;
    let latencies = latency::table(&root.join("tests/latency/records"))?;
    write(&readme, &replaced(&text, "<!-- latency -->", &latencies)?)
}

fn replaced(text: &str, mark: &str, new: &str) -> Result<String> {
    let parts: Vec<&str> = text.split(mark).collect();
    match parts[..] {
        [before, _, after] => Ok(format!("{before}{mark}\n{}\n{mark}{after}", new.trim_end())),
        _ => Err(Error::invalid(format!("two lines {mark}"), "others", "Restore README.md.")),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The newest record of a notebook on that data.
fn newest<'a>(records: &'a [Record], name: &str, data: &str) -> Result<&'a Record> {
    let fits = |record: &&Record| record.name == name && record.config["data"] == data;
    records.iter().rfind(fits).ok_or_else(|| {
        let remedy = "Run its notebook on it with ERM_RECORDS set to notebooks/records.";
        Error::invalid(format!("a record {name} on {data}"), "none", remedy)
    })
}

fn value(record: &Record, name: &str) -> f64 {
    record.values.get(name).and_then(|values| values.last()).copied().unwrap_or(f64::NAN)
}

/// The mean over the seeds, with its spread where there are several.
fn mean(record: &Record, name: &str) -> String {
    let values = record.values.get(name).map_or(&[][..], Vec::as_slice);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    match values.len() {
        0 => "–".to_owned(),
        1 => format!("{mean:.1}"),
        _ => {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            format!("{mean:.1} ± {:.1}", (squares / (n - 1.0)).sqrt())
        }
    }
}

fn table(records: &[Record], cifar: &Record, see_far: &Record) -> Result<String> {
    let headings = ["accuracy, %", "paper (CIFAR-10)", "here, CIFAR-10", "here, See-Far"];
    let mut table = Table::new(headings);
    for (name, published, notebook, key) in ROWS {
        let published = published.map_or(String::new(), |value| value.to_string());
        let mut cells = vec![name.to_owned(), published];
        for data in ["CIFAR-10 train", "See-Far train"] {
            cells.push(format!("{:.1}", value(newest(records, notebook, data)?, key)));
        }
        table = table.row(cells);
    }
    let minutes = |record: &Record| format!("{:.1}", record.seconds.unwrap_or(f64::NAN) / 60.0);
    table = table.row(["seeds", "1", "1", "1"]);
    table = table.row(["minutes, notebook 04", "not stated", &minutes(cifar), &minutes(see_far)]);
    let sizes = |record: &Record| {
        let text = |name: &str| record.config[name].to_string().replace('"', "");
        format!("resnet, width {}, {} images", text("width"), text("images"))
    };
    table = table.row(["net and set", "ResNet-50, 50000 images", &sizes(cifar), &sizes(see_far)]);
    let machine =
        |record: &Record| format!("{}, {} cores", record.machine.cpu, record.machine.cores);
    table = table.row(["machine", "not stated", &machine(cifar), &machine(see_far)]);
    table.markdown()
}

fn write(path: &Path, text: &str) -> Result<()> {
    let remedy = "Make room, or run it in a checkout that you may write to.";
    let folder = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|e| Error::file(path, e, remedy))
}
