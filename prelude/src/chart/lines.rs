//! Lines with marked points, as SVG.

use super::axis::{Axis, Scale};
use super::builder::{Chart, Drawn, Series};
use super::canvas::{self, Canvas, From};
use super::colour;
use super::frame::{self, Inset, LABEL, Lines, MARGIN, Plot, WIDTH};
use super::legend::{Key, Legend};

/// The height of the data.
const HEIGHT: f64 = 280.0;
/// Points on the outermost ticks stand clear of the edges.
const INSET: Inset = Inset { left: 8.0, right: 8.0, vertical: 8.0 };
/// A line with more points than this is marked at some of them only.
const MARKS: usize = 40;

/// The picture of a chart whose data have been checked.
pub(super) fn svg(chart: &Chart, series: &[Series], x_scale: Scale) -> String {
    let (x_axis, y_axis) = axes(chart, series, x_scale);
    let title = frame::title(&chart.title);
    let y_label = Lines::new(&chart.y, LABEL, HEIGHT);
    let left = MARGIN + y_label.height() + frame::widest_tick(&y_axis) + 16.0;
    // The last number along the axis reaches beyond it by half its width.
    let right = WIDTH - MARGIN - frame::widest_tick(&x_axis) / 2.0;
    let x_label = Lines::new(&chart.x, LABEL, right - left);
    let legend = legend(chart, series);

    let top = MARGIN + title.height() + 10.0;
    let plot = Plot { left, right, top, bottom: top + HEIGHT, inset: INSET };
    let below = plot.bottom + 26.0;
    let height = below + x_label.height() + 10.0 + legend.height() + MARGIN;
    canvas::svg(WIDTH, height, |canvas| {
        title.draw(canvas, (MARGIN, MARGIN), From::Left);
        y_label.draw_upward(canvas, (MARGIN, (plot.top + plot.bottom) / 2.0));
        x_label.draw(canvas, ((left + right) / 2.0, below), From::Middle);
        legend.draw(canvas, below + x_label.height() + 10.0);
        plot.draw_data(canvas, chart, series, (&x_axis, &y_axis));
    })
}

/// The axes that hold every point; the vertical one holds the references too, and 0 where the
/// values come near it.
pub(super) fn axes(chart: &Chart, series: &[Series], x_scale: Scale) -> (Axis, Axis) {
    let points = || series.iter().flat_map(|series| &series.points);
    let xs: Vec<f64> = points().map(|(x, _)| *x).collect();
    let mut ys: Vec<f64> = points().map(|(_, y)| *y).collect();
    ys.extend(chart.references.iter().map(|reference| reference.value));
    let least = ys.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ys.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if 0.0 < least && least < 0.5 * most {
        ys.push(0.0);
    }
    (Axis::covering(&xs, x_scale, 8), Axis::covering(&ys, Scale::Linear, 6))
}

fn legend(chart: &Chart, series: &[Series]) -> Legend {
    let lines = series.iter().enumerate().map(|(i, series)| {
        let key = match series.drawn {
            Drawn::Joined => Key::Series(i),
            Drawn::Apart => Key::Mark(i),
            Drawn::Line => Key::Line(i),
        };
        (key, series.name.clone())
    });
    let references = chart.references.iter().map(|line| (Key::Dashes, line.name.clone()));
    Legend::new(lines.chain(references))
}

impl Plot {
    fn draw_data(
        &self,
        canvas: &mut Canvas,
        chart: &Chart,
        series: &[Series],
        (x_axis, y_axis): (&Axis, &Axis),
    ) {
        self.draw_x_axis(canvas, x_axis);
        self.draw_y_axis(canvas, y_axis);
        self.draw_edges(canvas);
        for reference in &chart.references {
            let y = self.y(y_axis, reference.value);
            canvas.dashes((self.left, y), (self.right, y), colour::GREY);
        }
        for (index, line) in series.iter().enumerate() {
            let place = |(x, y): &(f64, f64)| (self.x(x_axis, *x), self.y(y_axis, *y));
            let points: Vec<_> = line.points.iter().map(place).collect();
            draw_series(canvas, index, line.drawn, &points);
        }
    }
}

fn draw_series(canvas: &mut Canvas, index: usize, drawn: Drawn, points: &[(f64, f64)]) {
    if points.len() > 1 && drawn != Drawn::Apart {
        canvas.path(points, colour::series(index), 2.0);
    }
    if drawn == Drawn::Line {
        return;
    }
    for point in points.iter().step_by(points.len().div_ceil(MARKS)) {
        canvas.mark(index, *point, 3.5);
    }
}
