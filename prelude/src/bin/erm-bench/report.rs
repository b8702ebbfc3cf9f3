//! What was measured, as a table for people and as a record.

use crate::arguments::Arguments;
use crate::measure::{Figures, Row, median};
use crate::peer::Peer;
use erm::prelude::{Record, Table};
use erm::record::Machine;
use erm::{Error, Result};
use std::path::Path;

/// Ours, the share of the processor's peak, and PyTorch's best beside it.
pub fn table(arguments: &Arguments, figures: &Figures, peer: &Result<Peer>) -> Table {
    let peak = median(&figures.peak);
    let title = format!(
        "batch {}, {} threads, {}, {}",
        arguments.batch,
        arguments.threads,
        arguments.isa.name(),
        Machine::here()
    );
    let note = match peer {
        Ok(peer) => format!(
            "medians of {} rounds; peak: {:.0} GFLOP/s of fused multiply-adds; ratio: Erm / {}",
            arguments.rounds,
            peak / 1e9,
            peer.name
        ),
        Err(missing) => missing.to_string(),
    };
    let headings = ["work", "width", "Erm", "Erm", "of the peak"];
    let units = ["", "", "images/s", "GFLOP/s", "%"];
    let (more, their_units): (&[&str], &[&str]) = match peer {
        Ok(_) => (&["PyTorch", "configuration", "ratio"], &["images/s", "", ""]),
        Err(_) => (&[], &[]),
    };
    let table = Table::new(headings.iter().chain(more)).title(title).note(note);
    let table = table.units(units.iter().chain(their_units));
    figures.rows.iter().fold(table, |table, row| table.row(cells(row, peak)))
}

fn cells(row: &Row, peak: f64) -> Vec<String> {
    let ours = median(&row.ours);
    let speed = ours * row.operations;
    let mut cells = vec![
        row.work.name().to_owned(),
        row.width.to_string(),
        format!("{ours:.0}"),
        format!("{:.0}", speed / 1e9),
        format!("{:.0}", 100.0 * speed / peak),
    ];
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
        .with("batch", arguments.batch)
        .with("threads", arguments.threads)
        .with("instruction set", arguments.isa.name())
        .with("peer", peer)
        .values("peak, operations/s", &figures.peak);
    for row in &figures.rows {
        let what = format!("{}, width {}", row.work.name(), row.width);
        record = record.values(format!("{what}, Erm, images/s"), &row.ours);
        for (config, figures) in row.peers.iter().filter(|(_, figures)| !figures.is_empty()) {
            record = record.values(format!("{what}, PyTorch {config}, images/s"), figures);
        }
    }
    let text = serde_json::to_string_pretty(&record).expect("names and numbers serialise");
    std::fs::write(path, text + "\n")
        .map_err(|e| Error::file(path, e, "Give --json a file in a folder you may write to."))
}
