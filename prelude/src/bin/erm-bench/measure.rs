//! The rounds.

use crate::arguments::Arguments;
use crate::peer::Peer;
use erm::Result;
use erm::engine::bench::{Bench, Work, peak_operations};
use std::time::{Duration, Instant};

/// How long both sides rest between two measurements. OpenMP's threads spin for a few milliseconds
/// after their last work, and would be measured with ours.
const REST: Duration = Duration::from_millis(50);

/// Everything that was measured, round by round.
pub struct Figures {
    /// The most floating-point operations a second.
    pub peak: Vec<f64>,
    pub rows: Vec<Row>,
}

/// One piece of work at one width.
pub struct Row {
    pub width: usize,
    pub work: Work,
    /// Floating-point operations of one image.
    pub operations: f64,
    /// Images a second, one figure a round.
    pub ours: Vec<f64>,
    /// The same, for each of PyTorch's configurations.
    pub peers: Vec<(&'static str, Vec<f64>)>,
}

impl Figures {
    /// Measures everything once a round.
    pub fn measure(arguments: &Arguments, mut peer: Option<&mut Peer>) -> Result<Self> {
        let (isa, batch) = (arguments.isa, arguments.batch);
        let benches = arguments.widths.iter().map(|width| Bench::new(*width, batch, isa));
        let mut benches = benches.collect::<Result<Vec<_>>>()?;
        let mut figures = Self { peak: Vec::new(), rows: Vec::new() };
        for (width, bench) in arguments.widths.iter().zip(&benches) {
            figures.rows.extend(Work::ALL.map(|work| Row::new(*width, work, bench, arguments)));
        }
        for round in 1..=arguments.rounds {
            eprintln!("round {round} of {}", arguments.rounds);
            std::thread::sleep(REST);
            figures.peak.push(peak_operations(isa));
            for (index, row) in figures.rows.iter_mut().enumerate() {
                let bench = &mut benches[index / Work::ALL.len()];
                row.ours.push(ours(bench, row.work, arguments));
                std::thread::sleep(REST);
                let Some(peer) = peer.as_deref_mut() else { continue };
                for (config, figures) in &mut row.peers {
                    figures.push(peer.images_per_second(row.width, row.work, config)?);
                    std::thread::sleep(REST);
                }
            }
        }
        Ok(figures)
    }
}

impl Row {
    fn new(width: usize, work: Work, bench: &Bench, arguments: &Arguments) -> Self {
        let peers = arguments.configs.iter().map(|config| (*config, Vec::new())).collect();
        Self { width, work, operations: bench.operations(work), ours: Vec::new(), peers }
    }

    /// PyTorch's fastest configuration here, by its median.
    pub fn best_peer(&self) -> Option<(&'static str, f64)> {
        let measured = self.peers.iter().filter(|(_, figures)| !figures.is_empty());
        let medians = measured.map(|(config, figures)| (*config, median(figures)));
        medians.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Images a second, from the median of as many runs as fit into the time, at least three.
fn ours(bench: &mut Bench, work: Work, arguments: &Arguments) -> f64 {
    bench.run(work);
    let (start, mut seconds) = (Instant::now(), Vec::new());
    while seconds.len() < 3 || start.elapsed().as_secs_f64() < arguments.seconds {
        let start = Instant::now();
        bench.run(work);
        seconds.push(start.elapsed().as_secs_f64());
    }
    arguments.batch as f64 / median(&seconds)
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
