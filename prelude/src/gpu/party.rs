//! Pictures that search together on a machine: what they do next is decided here from their logits, and
//! nothing else of them leaves it before their end.

use super::fixed::{Aim, Fixed};
use super::machine::{Argument, Grid, launch};
use super::memory::{Hands, Memory};
use crate::Result;
use crate::attack::{Decide, Goal, Move, Norm, Search, Step};

/// The bits of a move that its kernel knows.
const NOTES: u8 = 1;
const RETURNS: u8 = 2;
const STEPS: u8 = 4;

/// Pictures on their way, a row each, `(B, pixels)`.
pub(super) struct Party<'a> {
    net: &'a Fixed,
    search: &'a Search<'a>,
    rows: Vec<Row>,
    classes: Memory,
    x: Memory,
    /// Where they were before.
    last: Memory,
    centers: Memory,
    best: Memory,
    best_gradient: Memory,
}

/// What is known here of a row.
#[derive(Clone, Copy)]
struct Row {
    picture: usize,
    is_open: bool,
}

impl<'a> Party<'a> {
    pub fn new(net: &'a Fixed, search: &'a Search<'a>) -> Result<Self> {
        let (hands, numbers) = (net.hands(), search.starts.len());
        let x = hands.upload(search.starts)?;
        Ok(Self {
            net,
            search,
            rows: (0..search.classes.len()).map(|picture| Row { picture, is_open: true }).collect(),
            classes: net.classes(search.classes)?,
            last: hands.copy(&x)?,
            x,
            centers: hands.upload(search.centers)?,
            // The first move writes them.
            best: hands.reserve(numbers)?,
            best_gradient: hands.reserve(numbers)?,
        })
    }

    /// Where each picture ends.
    pub fn search(mut self, decide: &mut Decide) -> Result<Vec<f32>> {
        let mut ends = self.search.starts.to_vec();
        while self.rows.iter().any(|row| row.is_open) {
            let aim = Aim::Classes(Goal::Away(self.search.loss), self.classes.clone());
            let (passage, gradient) = self.net.look_there(&self.x, &aim)?;
            let moves = self.decided(&self.net.rows(&passage.logits, passage.batch)?, decide)?;
            self.walk(&gradient, &moves)?;
            self.part(&mut ends)?;
        }
        Ok(ends)
    }

    /// What each row does next; those at their end stay there.
    fn decided(&mut self, logits: &[f32], decide: &mut Decide) -> Result<Vec<Move>> {
        let each = logits.chunks(logits.len() / self.rows.len());
        let open = self.rows.iter().zip(each).filter(|(row, _)| row.is_open);
        let (pictures, logits): (Vec<usize>, Vec<&[f32]>) =
            open.map(|(row, logits)| (row.picture, logits)).unzip();
        let mut decided = decide(&pictures, &logits.concat())?.into_iter();
        let moves = self.rows.iter_mut().map(|row| {
            let asked = if row.is_open { decided.next() } else { None }.unwrap_or(Move::STAY);
            row.is_open = asked.step.is_some();
            asked
        });
        Ok(moves.collect())
    }

    fn walk(&self, gradient: &Memory, moves: &[Move]) -> Result<()> {
        let Self { x, last, centers, best, best_gradient, .. } = self;
        let (hands, columns) = (self.net.hands(), self.columns());
        let told: Vec<f32> = moves.iter().copied().flat_map(told).collect();
        let moves = hands.upload(&told)?;
        let memories = [x, last, centers, gradient, best, best_gradient, &moves];
        let numbers = [columns.into(), self.search.epsilon.into()];
        let mut arguments: Vec<Argument> =
            memories.map(Argument::from).into_iter().chain(numbers).collect();
        let kernel = match self.search.norm {
            Norm::L2 => "move_l2",
            Norm::Linf => "move_linf",
        };
        hands.launch(kernel, Grid::Rows { rows: self.rows.len(), columns }, &mut arguments)
    }

    /// Once half of the rows or fewer are open, these go on with half as many rows, so that few sizes of
    /// batches occur: memory of theirs is used again.
    fn part(&mut self, ends: &mut [f32]) -> Result<()> {
        let (open, closed): (Vec<usize>, Vec<usize>) =
            (0..self.rows.len()).partition(|row| self.rows[*row].is_open);
        let half = self.rows.len().div_ceil(2);
        if !open.is_empty() && (open.len() > half || half == self.rows.len()) {
            return Ok(());
        }
        let columns = self.columns();
        let here = self.net.hands().read(&self.x)?;
        for (row, place) in self.rows.iter().zip(here.chunks(columns)) {
            ends[row.picture * columns..][..columns].copy_from_slice(place);
        }
        if open.is_empty() {
            return Ok(());
        }
        let stay: Vec<usize> = open.into_iter().chain(closed).take(half).collect();
        self.take(&stay)
    }

    /// Goes on with these rows.
    fn take(&mut self, rows: &[usize]) -> Result<()> {
        let (hands, columns) = (self.net.hands(), self.columns());
        let numbers: Vec<f32> = rows.iter().map(|row| *row as f32).collect();
        let numbers = hands.upload(&numbers)?;
        let pictures = [
            &mut self.x,
            &mut self.last,
            &mut self.centers,
            &mut self.best,
            &mut self.best_gradient,
        ];
        for memory in pictures {
            *memory = taken(hands, memory, &numbers, columns)?;
        }
        self.classes = taken(hands, &self.classes, &numbers, 1)?;
        self.rows = rows.iter().map(|row| self.rows[*row]).collect();
        Ok(())
    }

    /// How many numbers a picture has.
    fn columns(&self) -> usize {
        self.x.len() / self.rows.len()
    }
}

/// A move as its kernel knows it.
fn told(Move { notes, returns, step }: Move) -> [f32; 3] {
    let bit = |is_asked, bit| if is_asked { bit } else { 0 };
    let asked = bit(notes, NOTES) | bit(returns, RETURNS) | bit(step.is_some(), STEPS);
    let Step { size, fresh } = step.unwrap_or(Step { size: 0.0, fresh: 0.0 });
    [f32::from(asked), size, fresh]
}

/// Some rows of numbers.
fn taken(hands: &Hands, from: &Memory, numbers: &Memory, columns: usize) -> Result<Memory> {
    let rows = numbers.len();
    let to = hands.reserve(rows * columns)?;
    launch!(hands, take_rows, Grid::Table { rows, columns }, from, numbers, &to, columns)?;
    Ok(to)
}
