//! The rounds.

use crate::arguments::Arguments;
use crate::cell::Cell;
use crate::memory::{self, Memory};
use crate::peer::Peer;
use erm::Result;
use erm::engine::bench::{Bench, Work, peak_operations};
use std::process;
use std::thread::sleep;
use std::time::Duration;

/// How long all sides rest between two measurements. OpenMP's threads spin for a few milliseconds
/// after their last work, and would be measured with ours.
const REST: Duration = Duration::from_millis(50);

/// Everything that was measured, round by round.
pub struct Figures {
    /// The most floating-point operations a second.
    pub peak: Vec<f64>,
    pub rows: Vec<Row>,
    /// Where the system says it.
    pub our_memory: Option<Memory>,
    pub peers_memory: Option<Memory>,
}

/// What work is done on: a net, how wide it is, how many images there are, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    pub net: String,
    pub width: usize,
    pub batch: usize,
    /// As in `ERM_DEVICE`.
    pub device: String,
}

/// One piece of work on one subject.
pub struct Row {
    pub subject: Subject,
    pub work: Work,
    /// Floating-point operations of one image.
    pub operations: f64,
    /// Images a second, one figure a round.
    pub ours: Vec<f64>,
    /// The same, in a cell.
    pub in_cell: Vec<f64>,
    /// The same, for each of PyTorch's configurations.
    pub peers: Vec<(&'static str, Vec<f64>)>,
}

/// Who is measured beside us.
pub struct Others<'a> {
    pub peer: Option<&'a mut Peer>,
    pub cell: Option<&'a mut Cell>,
}

impl Figures {
    /// Measures everything once a round.
    pub fn measure(arguments: &Arguments, mut others: Others<'_>) -> Result<Self> {
        let before = memory::now(process::id());
        let (mut benches, mut rows) = (Vec::new(), Vec::new());
        for subject in subjects(arguments) {
            let Subject { net, width, batch, device } = &subject;
            let bench = Bench::new(net, *width, *batch, device, arguments.isa)?;
            rows.extend(Work::ALL.map(|work| Row::new(&subject, work, &bench, arguments)));
            benches.push(bench);
        }
        let mut peak = Vec::new();
        for round in 1..=arguments.rounds {
            eprintln!("round {round} of {}", arguments.rounds);
            sleep(REST);
            peak.push(peak_operations(arguments.isa));
            for (index, row) in rows.iter_mut().enumerate() {
                let bench = &mut benches[index / Work::ALL.len()];
                row.measure(bench, arguments.seconds, &mut others)?;
            }
        }
        let our_memory = memory::since(before, process::id());
        let peers_memory = others.peer.and_then(|peer| peer.memory());
        Ok(Self { peak, rows, our_memory, peers_memory })
    }
}

/// Every net at its own width, or else at every width, with every batch, on every device.
fn subjects(arguments: &Arguments) -> Vec<Subject> {
    let mut all = Vec::new();
    for (net, own) in &arguments.nets {
        for width in own.as_ref().map_or(&arguments.widths[..], std::slice::from_ref) {
            for batch in &arguments.batches {
                all.extend(arguments.devices.iter().map(|device| Subject {
                    net: net.clone(),
                    width: *width,
                    batch: *batch,
                    device: device.clone(),
                }));
            }
        }
    }
    all
}

impl Row {
    fn new(subject: &Subject, work: Work, bench: &Bench, arguments: &Arguments) -> Self {
        let peers = arguments.configs.iter().map(|config| (*config, Vec::new())).collect();
        let operations = bench.operations(work);
        let (subject, ours, in_cell) = (subject.clone(), Vec::new(), Vec::new());
        Self { subject, work, operations, ours, in_cell, peers }
    }

    /// One round of all sides.
    fn measure(&mut self, bench: &mut Bench, seconds: f64, others: &mut Others<'_>) -> Result<()> {
        let (subject, work) = (&self.subject, self.work);
        self.ours.push(bench.images_per_second(work, seconds)?);
        sleep(REST);
        if let Some(cell) = others.cell.as_deref_mut() {
            self.in_cell.push(cell.images_per_second(subject, work)?);
            sleep(REST);
        }
        let Some(peer) = others.peer.as_deref_mut() else { return Ok(()) };
        for (config, figures) in &mut self.peers {
            figures.push(peer.images_per_second(subject, work, config)?);
            sleep(REST);
        }
        Ok(())
    }

    /// PyTorch's fastest configuration here, by its median.
    pub fn best_peer(&self) -> Option<(&'static str, f64)> {
        let measured = self.peers.iter().filter(|(_, figures)| !figures.is_empty());
        let medians = measured.map(|(config, figures)| (*config, median(figures)));
        medians.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// The middle value, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}
