//! What was measured, as a table for people and as a record.

use crate::arguments::Arguments;
use crate::measure::{Figures, Row, Subject, median};
use crate::memory::Memory;
use crate::peer::Peer;
use erm::prelude::{Record, Table};
use erm::record::Machine;
use erm::{Error, Result};
use std::path::Path;

/// Ours, the share of the processor's peak, cells and PyTorch's best beside it.
pub fn table(arguments: &Arguments, figures: &Figures, peer: &Result<Peer>) -> Table {
    let peak = median(&figures.peak);
    let (threads, isa) = (arguments.threads, arguments.isa.name());
    let mut headings = vec!["work", "net", "width", "batch", "on", "Erm", "Erm", "of the peak"];
    let mut units = vec!["", "", "", "", "", "images/s", "GFLOP/s", "%"];
    if arguments.erm.is_some() {
        headings.extend(["in a cell", "cell / bench"]);
        units.extend(["images/s", ""]);
    }
    if peer.is_ok() {
        headings.extend(["PyTorch", "configuration", "ratio"]);
        units.extend(["images/s", "", ""]);
    }
    let table = Table::new(headings)
        .title(format!("{threads} threads, {isa}, {}", Machine::here()))
        .note(note(arguments, figures, peer))
        .units(units);
    figures.rows.iter().fold(table, |table, row| table.row(cells(row, peak)))
}

fn note(arguments: &Arguments, figures: &Figures, peer: &Result<Peer>) -> String {
    let peer = match peer {
        Ok(peer) => peer.name.as_str(),
        Err(missing) => return missing.to_string(),
    };
    let peak = median(&figures.peak) / 1e9;
    let rounds = arguments.rounds;
    let memory = |memory: Option<Memory>| {
        let megabytes = |it: Memory| format!("{:.0} MB", (it.peak - it.before) / 1e6);
        memory.map_or("unknown".to_owned(), megabytes)
    };
    let [ours, theirs] = [figures.our_memory, figures.peers_memory].map(memory);
    format!(
        "medians of {rounds} rounds; peak: {peak:.0} GFLOP/s of fused multiply-adds; \
         ratio: Erm / {peer}; memory at most, beside the program's own: {ours}, {peer} {theirs}"
    )
}

fn cells(row: &Row, peak: f64) -> Vec<String> {
    let ours = median(&row.ours);
    let speed = ours * row.operations;
    // The peak is the processor's.
    let share = match row.subject.device.as_str() {
        "cpu" => format!("{:.0}", 100.0 * speed / peak),
        _ => String::new(),
    };
    let mut cells = vec![
        row.work.name().to_owned(),
        row.subject.net.clone(),
        row.subject.width.to_string(),
        row.subject.batch.to_string(),
        row.subject.device.clone(),
        format!("{ours:.0}"),
        format!("{:.0}", speed / 1e9),
        share,
    ];
    if !row.in_cell.is_empty() {
        let in_cell = median(&row.in_cell);
        cells.extend([format!("{in_cell:.0}"), format!("{:.2}", in_cell / ours)]);
    }
    if let Some((config, theirs)) = row.best_peer() {
        cells.extend([format!("{theirs:.0}"), config.to_owned(), format!("{:.2}", ours / theirs)]);
    }
    cells
}

/// Writes every round's figures to a file.
pub fn record(
    arguments: &Arguments,
    figures: &Figures,
    peer: &Result<Peer>,
    path: &Path,
) -> Result<()> {
    let peer = peer.as_ref().map_or("none".to_owned(), |peer| peer.name.clone());
    let mut record = Record::new("bench")
        .with("threads", arguments.threads)
        .with("instruction set", arguments.isa.name())
        .with("peer", peer)
        .values("peak, operations/s", &figures.peak);
    for (whose, memory) in [("Erm", figures.our_memory), ("PyTorch", figures.peers_memory)] {
        let Some(Memory { before, peak }) = memory else { continue };
        record = record.value(format!("memory, {whose}, before, bytes"), before);
        record = record.value(format!("memory, {whose}, at most, bytes"), peak);
    }
    for row in &figures.rows {
        let Subject { net, width, batch, device } = &row.subject;
        // The net of the demo scale and the processor go without saying, as they did before there were others.
        let net = if net == "resnet" { String::new() } else { format!("{net}, ") };
        let device = if device == "cpu" { String::new() } else { format!(", {device}") };
        let what = format!("{net}{}, width {width}, batch {batch}{device}", row.work.name());
        record = record.values(format!("{what}, Erm, images/s"), &row.ours);
        if !row.in_cell.is_empty() {
            record = record.values(format!("{what}, Erm in a cell, images/s"), &row.in_cell);
        }
        for (config, figures) in row.peers.iter().filter(|(_, figures)| !figures.is_empty()) {
            record = record.values(format!("{what}, PyTorch {config}, images/s"), figures);
        }
    }
    let text = serde_json::to_string_pretty(&record).expect("names and numbers serialise");
    std::fs::write(path, text + "\n")
        .map_err(|e| Error::file(path, e, "Give --json a file in a folder you may write to."))
}
