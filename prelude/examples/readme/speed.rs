//! The tables of the engine's speed, from the records that `erm-bench` has left.

use std::path::Path;

use erm::engine::Isa;
use erm::engine::bench::{Bench, Work};
use erm::prelude::*;

use super::median;

/// PyTorch's configurations, as the records name them.
const CONFIGURATIONS: [&str; 3] = ["contiguous", "channels_last", "compile"];
/// The widths of the nets in the first table.
const WIDTHS: [usize; 3] = [16, 32, 64];
/// The rows of the second table: what is other than in the first, in which record, at which batch.
const OTHERS: [(&str, &str, usize); 7] = [
    ("batch 1", "bench-batches", 1),
    ("batch 8", "bench-batches", 8),
    ("batch 32", "bench-batches", 32),
    ("batch 512", "bench-batches", 512),
    ("one thread", "bench-one-thread", 128),
    ("no AVX-512", "bench-avx2", 128),
    ("no vector instructions beyond the baseline", "bench-portable", 128),
];

/// The nets of the third table, at the widths that demo scale gives them, in batches of this many.
const ARCHITECTURES: [(&str, usize); 5] =
    [("vgg16", 16), ("inception_v3", 4), ("resnet18", 16), ("densenet121", 8), ("resnet50", 8)];
const ARCHITECTURES_BATCH: usize = 32;

/// All of the section that comes from records in this folder.
pub fn section(folder: &Path) -> Result<String> {
    let load = |name: &str| Record::load(folder.join(name).with_extension("json"));
    let bench = load("bench")?;
    let text = |record: &Record, name: &str| record.config[name].to_string().replace('"', "");
    let [isa, threads, peer] =
        ["instruction set", "threads", "peer"].map(|name| text(&bench, name));
    let nets = load("bench-architectures")?;
    let peak = of(&bench, "peak, operations/s").unwrap_or(f64::NAN);
    let mut memory = Vec::new();
    for width in WIDTHS {
        let record = load(&format!("bench-memory-{width}"))?;
        let [ours, theirs] = ["Erm", "PyTorch"].map(|whose| {
            let bytes = |what| of(&record, &format!("memory, {whose}, {what}, bytes"));
            bytes("at most").unwrap_or(f64::NAN) - bytes("before").unwrap_or(f64::NAN)
        });
        memory.push(format!("{:.0} and {:.0} MB at width {width}", ours / 1e6, theirs / 1e6));
    }
    Ok(format!(
        "{}\nBatch 128, {threads} threads, {isa}, {} (at most {:.0} GFLOP/s of fused multiply-adds), {peer}.\n\n\
         Width 16 under other conditions, images/s and the ratio to PyTorch's best:\n\n{}\n\
         The published architectures at the widths of the demo scale (64 is the published one), batch \
         {ARCHITECTURES_BATCH}, {}, images/s and the ratio to PyTorch's best, which was not compiled here:\n\n{}\n\
         The most memory beside the program's own, Erm and PyTorch without compilation: {}.\n\n\
         In cells of the kernel the same work runs at {} of the bench's speed, medians of {} rounds.\n",
        usual(&bench, peak)?.markdown()?,
        bench.machine.cpu,
        peak / 1e9,
        others(folder)?.markdown()?,
        text(&nets, "instruction set"),
        architectures(&nets)?.markdown()?,
        memory.join(", "),
        in_cells(&load("bench-cell")?),
        load("bench-cell")?.values.get("peak, operations/s").map_or(0, Vec::len),
    ))
}

/// Medians over the rounds, the share of the peak, and PyTorch's best.
fn usual(bench: &Record, peak: f64) -> Result<Table> {
    let headings = ["images/s", "width", "Erm", "of the peak, %", "PyTorch, its best", "ratio"];
    let mut table = Table::new(headings);
    for width in WIDTHS {
        let net = Bench::new("resnet", width, 1, "cpu", Isa::Portable)?;
        for work in Work::ALL {
            let Side { ours, theirs, by, .. } = side(bench, "", work, width, 128);
            table = table.row([
                work.name().to_owned(),
                width.to_string(),
                format!("{ours:.0}"),
                format!("{:.0}", 100.0 * ours * net.operations(work) / peak),
                format!("{theirs:.0} ({by})"),
                format!("{:.2}", ours / theirs),
            ]);
        }
    }
    Ok(table)
}

/// How fast the work is in a cell, from the slowest to the fastest of its kinds.
fn in_cells(record: &Record) -> String {
    let kinds = WIDTHS.into_iter().flat_map(|width| Work::ALL.map(|work| (work, width)));
    let shares = kinds.filter_map(|(work, width)| {
        let of = |whose: &str| value(record, "", work, width, 128, whose);
        Some(100.0 * of("Erm in a cell")? / of("Erm")?)
    });
    let shares: Vec<f64> = shares.collect();
    let [least, most] = [f64::min, f64::max].map(|f| shares.iter().copied().fold(f64::NAN, f));
    format!("{least:.0} to {most:.0} %, {:.0} % in the middle,", median(&shares))
}

fn others(folder: &Path) -> Result<Table> {
    let mut table = work_by_work();
    for (what, name, batch) in OTHERS {
        let record = Record::load(folder.join(name).with_extension("json"))?;
        let mut cells = vec![what.to_owned()];
        for work in Work::ALL {
            let Side { ours, theirs, .. } = side(&record, "", work, 16, batch);
            cells.extend([format!("{ours:.0}"), format!("{:.2}", ours / theirs)]);
        }
        table = table.row(cells);
    }
    Ok(table)
}

fn architectures(record: &Record) -> Result<Table> {
    let mut table = work_by_work();
    for (net, width) in ARCHITECTURES {
        let mut cells = vec![format!("{net}, width {width}")];
        for work in Work::ALL {
            let Side { ours, theirs, .. } =
                side(record, &format!("{net}, "), work, width, ARCHITECTURES_BATCH);
            cells.extend([format!("{ours:.0}"), format!("{:.2}", ours / theirs)]);
        }
        table = table.row(cells);
    }
    Ok(table)
}

/// An empty table with two columns for each work.
fn work_by_work() -> Table {
    let works = Work::ALL.iter().flat_map(|work| [work.name().to_owned(), "ratio".to_owned()]);
    Table::new(std::iter::once(String::new()).chain(works))
}

/// Medians of both, and which of PyTorch's configurations was the best.
struct Side {
    ours: f64,
    theirs: f64,
    by: &'static str,
}

/// `net` is what stands before the work in the record: nothing for the net of the demo scale.
fn side(record: &Record, net: &str, work: Work, width: usize, batch: usize) -> Side {
    let of = |whose: &str| value(record, net, work, width, batch, whose);
    let theirs =
        CONFIGURATIONS.into_iter().filter_map(|by| Some((by, of(&format!("PyTorch {by}"))?)));
    let (by, theirs) = theirs.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(("none", f64::NAN));
    Side { ours: of("Erm").unwrap_or(f64::NAN), theirs, by }
}

fn value(
    record: &Record,
    net: &str,
    work: Work,
    width: usize,
    batch: usize,
    whose: &str,
) -> Option<f64> {
    let work = work.name();
    of(record, &format!("{net}{work}, width {width}, batch {batch}, {whose}, images/s"))
}

fn of(record: &Record, name: &str) -> Option<f64> {
    record.values.get(name).map(|values| median(values))
}
