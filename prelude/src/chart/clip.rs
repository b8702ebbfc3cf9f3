//! Cuts lines at the edges of a rectangle.

type Point = (f64, f64);

/// The parts of a line that lie between two opposite corners, the lesser one first.
pub(super) fn clipped(line: &[Point], corners: (Point, Point)) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in line.windows(2) {
        let Some((from, to)) = inside(pair[0], pair[1], corners) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// The part of a straight line that lies inside, by Liang and Barsky.
fn inside(from: Point, to: Point, (low, high): (Point, Point)) -> Option<(Point, Point)> {
    let step = (to.0 - from.0, to.1 - from.1);
    let (mut start, mut end) = (0.0_f64, 1.0_f64);
    let edges = [
        (-step.0, from.0 - low.0),
        (step.0, high.0 - from.0),
        (-step.1, from.1 - low.1),
        (step.1, high.1 - from.1),
    ];
    for (outward, room) in edges {
        if outward == 0.0 && room < 0.0 {
            return None;
        }
        if outward < 0.0 {
            start = start.max(room / outward);
        } else if outward > 0.0 {
            end = end.min(room / outward);
        }
    }
    let at = |part: f64| match part {
        0.0 => from,
        1.0 => to,
        part => (from.0 + part * step.0, from.1 + part * step.1),
    };
    (start < end).then(|| (at(start), at(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: (Point, Point) = ((0.0, 0.0), (4.0, 4.0));

    #[test]
    fn what_is_inside_stays_in_one_piece() {
        let line = [(1.0, 1.0), (2.0, 3.0), (4.0, 4.0)];
        assert_eq!(clipped(&line, SQUARE), [line.to_vec()]);
    }

    #[test]
    fn what_leaves_and_comes_back_is_in_two() {
        let line = [(1.0, 1.0), (6.0, 1.0), (6.0, 3.0), (2.0, 3.0)];
        let expected = [vec![(1.0, 1.0), (4.0, 1.0)], vec![(4.0, 3.0), (2.0, 3.0)]];
        assert_eq!(clipped(&line, SQUARE), expected);
        assert!(clipped(&[(5.0, 0.0), (5.0, 4.0)], SQUARE).is_empty());
        assert_eq!(clipped(&[(-4.0, 2.0), (8.0, 2.0)], SQUARE), [vec![(0.0, 2.0), (4.0, 2.0)]]);
    }
}
