//! Where a function of two numbers has a given value: marching squares, with the pieces joined.

use std::collections::HashMap;

/// Values of a function on a grid: `values[row * columns + column]` at the corner
/// `(column, row)` of the grid's squares.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

/// A side of a square: the corner where it starts, and whether it goes along the row.
type Side = (usize, usize, bool);

impl Field {
    /// `count` values between the least and the most, equally far apart.
    pub(super) fn levels(&self, count: usize) -> Vec<f64> {
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let step = (most - least) / count as f64;
        (0..count).map(|k| least + (k as f64 + 0.5) * step).collect()
    }

    /// The lines along which the function is `level`, in units of the grid. A closed one ends where
    /// it starts.
    pub(super) fn lines(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        let mut pieces = self.pieces(level);
        let mut ends: HashMap<Side, Vec<usize>> = HashMap::new();
        for (index, piece) in pieces.iter().enumerate() {
            for side in piece.iter().flatten() {
                ends.entry(*side).or_default().push(index);
            }
        }
        let is_end = |side: &Side| ends[side].len() == 1;
        // Open lines first, each from one of its ends.
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|index| !pieces[*index].iter().flatten().any(is_end));
        let mut lines = Vec::new();
        for first in order {
            let Some([a, b]) = pieces[first].take() else { continue };
            let [start, mut side] = if is_end(&b) { [b, a] } else { [a, b] };
            let mut line = vec![self.crossing(start, level), self.crossing(side, level)];
            while let Some(next) = ends[&side].iter().find(|index| pieces[**index].is_some()) {
                let Some([a, b]) = pieces[*next].take() else { break };
                side = if a == side { b } else { a };
                line.push(self.crossing(side, level));
            }
            lines.push(line);
        }
        lines
    }

    /// For each square that the level passes: between which sides.
    fn pieces(&self, level: f64) -> Vec<Option<[Side; 2]>> {
        let rows = self.values.len() / self.columns;
        let mut pieces = Vec::new();
        for (row, column) in (0..rows - 1).flat_map(|r| (0..self.columns - 1).map(move |c| (r, c)))
        {
            let sides = [
                (row, column, true),
                (row, column + 1, false),
                (row + 1, column, true),
                (row, column, false),
            ];
            let passed: Vec<Side> =
                sides.into_iter().filter(|side| self.is_passed(*side, level)).collect();
            match passed[..] {
                [a, b] => pieces.push(Some([a, b])),
                // A saddle: the middle says which corners belong together.
                [a, b, c, d] => {
                    let corner = self.at(row, column) > level;
                    let other = [self.at(row, column + 1), self.at(row + 1, column)];
                    let sum =
                        self.at(row, column) + self.at(row + 1, column + 1) + other[0] + other[1];
                    let pairs = if corner == (sum / 4.0 > level) {
                        [[a, b], [c, d]]
                    } else {
                        [[a, d], [b, c]]
                    };
                    pieces.extend(pairs.map(Some));
                }
                _ => {}
            }
        }
        pieces
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    fn ends(&self, (row, column, along): Side) -> (f64, f64) {
        let end = if along { self.at(row, column + 1) } else { self.at(row + 1, column) };
        (self.at(row, column), end)
    }

    fn is_passed(&self, side: Side, level: f64) -> bool {
        let (start, end) = self.ends(side);
        (start > level) != (end > level)
    }

    /// Where on a side the level is, between its ends in proportion.
    fn crossing(&self, side: Side, level: f64) -> (f64, f64) {
        let (start, end) = self.ends(side);
        let part = (level - start) / (end - start);
        let (row, column, along) = side;
        let (x, y) = (column as f64, row as f64);
        if along { (x + part, y) } else { (x, y + part) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(columns: usize, rows: usize, of: impl Fn(f64, f64) -> f64) -> Field {
        let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (x as f64, y as f64)));
        Field { columns, values: places.map(|(x, y)| of(x, y)).collect() }
    }

    #[test]
    fn a_cone_has_one_closed_circle() {
        let cone = field(41, 41, |x, y| (x - 20.0).hypot(y - 20.0));
        let lines = cone.lines(12.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        // Between two corners the cone is not straight: less than 1/8 of a square's share of 1/12.
        assert!(lines[0].iter().all(|(x, y)| ((x - 20.0).hypot(y - 20.0) - 12.0).abs() < 0.02));
    }

    #[test]
    fn a_slope_has_one_line_from_edge_to_edge() {
        let slope = field(5, 4, |x, y| x + 0.25 * y);
        let lines = slope.lines(1.6);
        assert_eq!(lines.len(), 1);
        let mut ends = [lines[0][0], lines[0][lines[0].len() - 1]];
        ends.sort_by(|a, b| a.1.total_cmp(&b.1));
        assert!((ends[0].0 - 1.6).abs() < 1e-12 && ends[0].1 == 0.0, "{ends:?}");
        assert!((ends[1].0 - 0.85).abs() < 1e-12 && ends[1].1 == 3.0, "{ends:?}");
        assert!(lines[0].iter().all(|(x, y)| (x + 0.25 * y - 1.6).abs() < 1e-12));
    }

    #[test]
    fn a_saddle_has_two_lines_and_a_plain_none() {
        assert_eq!(field(6, 6, |x, y| (x - 2.5) * (y - 2.5)).lines(0.1).len(), 2);
        assert_eq!(field(3, 3, |_, _| 1.0).lines(1.0).len(), 0);
        assert_eq!(field(3, 3, |x, _| x).levels(2), [0.5, 1.5]);
    }
}
