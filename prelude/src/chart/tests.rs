//! What a picture says, and that nothing of it is cut off.

use super::*;

fn training() -> Chart {
    Chart::lines("Training & <test>")
        .x("epoch")
        .y("accuracy, %")
        .series("train", &[1.0, 2.0, 3.0], &[40.0, 61.0, 70.0])
        .series("validation", &[1.0, 2.0, 3.0], &[22.0, 55.0, 60.0])
        .reference("chance 10 %", 10.0)
}

fn accuracies() -> Chart {
    Chart::bars("Accuracy on the test set")
        .unit("%")
        .bar("D", Some(95.3), 82.2)
        .seeds("D_det", Some(43.7), &[26.0, 28.0])
        .bar("D_other", None, 30.0)
}

fn planes() -> Panels {
    let plane = |title: &str| {
        Plane::new(title, [-20.0, 20.0], [-10.0, 10.0])
            .contours("density", 4, |x, y| Ok((-0.02 * x * x - 0.1 * y * y).exp()))
            .ellipse("ball", [-10.0, 1.0], &ndarray::arr2(&[[25.0, 1.0], [1.0, 0.5]]), 1.5)
            .circle("circle", [10.0, -1.0], 3.0)
            .boundary("boundary", [0.4, 2.0], 0.0)
            .arrow("gradient", [0.0, 0.0], [2.0, 4.0])
            .points("points", &[1.0, 30.0], &[2.0, 0.0])
    };
    Panels::new("Two & two", 2).panel(plane("before")).panel(plane("after"))
}

/// The number that an SVG element gives an attribute.
fn attribute(element: &str, name: &str) -> f64 {
    let (_, rest) = element.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

/// A text in an SVG and the room that it takes.
struct Text {
    words: String,
    left: f64,
    right: f64,
    y: f64,
}

fn texts(svg: &str) -> Vec<Text> {
    let read = |element: &str| {
        let (attributes, rest) = element.split_once('>').unwrap();
        let words = rest.split("</text>").next().unwrap().trim().to_owned();
        let size = attribute(attributes, "font-size") / 8.0;
        let (x, y) = (attribute(attributes, " x") / 8.0, attribute(attributes, " y") / 8.0);
        let width = if attributes.contains("rotate") { size } else { measure::width(&words, size) };
        let left = match attributes {
            upward if upward.contains("rotate") => x,
            end if end.contains("\"end\"") => x - width,
            middle if middle.contains("\"middle\"") => x - width / 2.0,
            _ => x,
        };
        Text { words, left, right: left + width, y }
    };
    svg.split("<text").skip(1).map(read).collect()
}

fn said(svg: &str) -> Vec<String> {
    texts(svg).into_iter().map(|text| text.words).collect()
}

#[test]
fn a_chart_of_lines_says_its_title_labels_series_and_reference() {
    let svg = training().svg().unwrap();
    assert!(svg.starts_with("<svg width=\"640\""), "{}", &svg[..80]);
    let said = said(&svg);
    for text in [
        "Training &amp; &lt;test&gt;",
        "epoch",
        "accuracy, %",
        "train",
        "validation",
        "chance 10 %",
        "2",
        "60",
    ] {
        assert!(said.iter().any(|one| one == text), "{text} is missing in {said:?}");
    }
}

#[test]
fn every_point_has_its_mark_at_its_place() {
    let svg = training().svg().unwrap();
    let mut circles: Vec<(f64, f64)> = svg
        .split("<circle ")
        .skip(1)
        .map(|element| (attribute(element, "cx"), attribute(element, "cy")))
        .collect();
    // The first series is the one with circles; the leftmost is in the legend.
    assert_eq!(circles.len(), 4);
    circles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y): (Vec<f64>, Vec<f64>) = circles[1..].iter().copied().unzip();
    assert!((x[1] - x[0] - (x[2] - x[1])).abs() <= 1.0, "{x:?}");
    // Up is more, and the step from 40 to 61 is 21 / 9 of that from 61 to 70.
    assert!(y[0] > y[1], "{y:?}");
    assert!(((y[0] - y[1]) / (y[1] - y[2]) - 21.0 / 9.0).abs() < 0.02, "{y:?}");
}

#[test]
fn bars_show_the_paper_beside_the_mean_of_the_seeds() {
    let svg = accuracies().svg().unwrap();
    let said = said(&svg);
    for text in ["paper", "here", "95.3 %", "82.2 %", "43.7 %", "27.0 %", "30.0 %"] {
        assert!(said.iter().any(|one| one == text), "{text} is missing in {said:?}");
    }
    assert_eq!(svg.matches("fill=\"#AAAAAA\"").count(), 3, "two bars and the legend");
    assert_eq!(svg.matches("fill=\"#0072B2\"").count(), 4, "three bars and the legend");
}

#[test]
fn a_bar_is_as_long_as_its_value() {
    let svg = Chart::bars("t").bar("a", None, 50.0).bar("b", None, 100.0).svg().unwrap();
    let bars = svg.lines().filter(|line| line.contains("fill=\"#0072B2\""));
    let widths: Vec<f64> = bars.map(|bar| attribute(bar, "width")).collect();
    assert!((widths[1] / widths[0] - 2.0).abs() < 0.01, "{widths:?}");
}

#[test]
fn nothing_is_cut_off_or_overlaps_whatever_the_names_and_numbers() {
    let long = "a name that goes on and on without_a_single_blank_for_a_long_while ".repeat(3);
    let xs = [1e-6, 1.0, 1e6];
    let mut ten = Chart::lines(&long).x(&long).y(&long);
    for k in 0..10 {
        ten = ten.series(format!("{k} {long}"), &xs, &[-1e6 * f64::from(k), 1e-6, 1e6]);
    }
    let bars = Chart::bars(&long)
        .unit("images/s")
        .bar(&long, Some(-123_456.0), 1e9)
        .seeds("b", None, &[-3.0, 2e9])
        .reference(&long, -5e8);
    let one = Chart::lines("one").series("s", &[3.0], &[1.5]);
    let plane =
        Plane::new(&long, [-1e6, 1e6], [-2e6, 1e6]).x(&long).y(&long).circle(&long, [0.0; 2], 1e5);
    let panels =
        Panels::new(&long, 3).panel(plane.clone()).panel(plane.clone()).panel(plane.clone());
    let charts = [ten.clone(), ten.log_x(), bars, one, training(), accuracies()];
    let charts = charts.map(|chart| chart.svg()).into_iter();
    for svg in charts.chain([plane.svg(), panels.svg(), planes().svg()]) {
        let mut texts = texts(&svg.unwrap());
        for Text { words, left, right, .. } in &texts {
            assert!(*left >= 0.0 && *right <= 640.0, "{words} spans {left} to {right}");
        }
        texts.sort_by(|a, b| (a.y, a.left).partial_cmp(&(b.y, b.left)).unwrap());
        for pair in texts.windows(2) {
            let apart = pair[0].y != pair[1].y || pair[0].right <= pair[1].left;
            assert!(apart, "{} runs into {}", pair[0].words, pair[1].words);
        }
    }
}

#[test]
fn what_does_not_fit_is_said_in_the_picture_and_by_the_error() {
    let lines = || Chart::lines("t");
    let cases = [
        (lines(), "an empty chart"),
        (Chart::bars("t"), "an empty chart"),
        (lines().series("s", &[1.0], &[1.0, 2.0]), "1 x and 2 y values"),
        (lines().series("s", &[], &[]), "0 x and 0 y values"),
        (lines().series("s", &[1.0], &[f64::NAN]), "NaN"),
        (lines().series("s", &[1.0], &[1.0]).reference("r", f64::INFINITY), "inf"),
        (lines().log_x().series("s", &[0.0], &[1.0]), "above 0"),
        (lines().bar("b", None, 1.0), "Chart::bars"),
        (Chart::bars("t").series("s", &[1.0], &[1.0]), "Chart::lines"),
        (Chart::bars("t").log_x(), "Chart::lines"),
        (Chart::bars("t").seeds("b", None, &[]), "at least one value"),
        (Chart::bars("t").bar("b", Some(f64::NAN), 1.0), "NaN"),
    ];
    for (chart, found) in cases {
        let problem = chart.svg().unwrap_err();
        assert!(problem.to_string().contains(found), "{problem}");
        assert!(chart.to_string().contains(found));
        let shown = said(&frame::message("t", &problem)).join(" ");
        assert!(shown.contains(found), "{shown}");
    }
}

#[test]
fn a_circle_in_a_plane_is_round_and_as_large_as_it_should_be() {
    let svg = Plane::new("", [-4.0, 4.0], [-2.0, 2.0]).circle("c", [1.0, 0.0], 1.0).svg().unwrap();
    let lines = svg.split("<polyline ").skip(1).filter(|line| line.contains("#0072B2"));
    // The other line of this colour is the legend's.
    let circle = lines.max_by_key(|line| line.len()).unwrap();
    let (_, points) = circle.split_once("points=\"").unwrap();
    let numbers = points.split('"').next().unwrap().split_whitespace().map(|point| {
        let (x, y) = point.split_once(',').unwrap();
        (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())
    });
    let (xs, ys): (Vec<f64>, Vec<f64>) = numbers.unzip();
    let width = |all: &[f64]| {
        all.iter().copied().fold(f64::MIN, f64::max) - all.iter().copied().fold(f64::MAX, f64::min)
    };
    assert!((width(&xs) - width(&ys)).abs() <= 2.0, "{} and {}", width(&xs), width(&ys));
    // The tick of −4 and that of 4 are four diameters apart.
    let ticks: Vec<_> =
        texts(&svg).into_iter().filter(|t| t.words == "−4" || t.words == "4").collect();
    let apart = ((ticks[1].left + ticks[1].right) - (ticks[0].left + ticks[0].right)).abs() / 2.0;
    assert!((apart / (width(&xs) / 8.0) - 4.0).abs() < 0.05, "{apart} and {}", width(&xs) / 8.0);
}

#[test]
fn panels_share_their_names_and_colours() {
    let svg = planes().svg().unwrap();
    let said = said(&svg);
    for text in ["Two &amp; two", "before", "after", "x₁", "x₂", "−20"] {
        assert!(said.iter().any(|one| one == text), "{text} is missing in {said:?}");
    }
    for name in ["density", "ball", "circle", "boundary", "gradient", "points"] {
        assert_eq!(said.iter().filter(|one| *one == name).count(), 1, "{name} in {said:?}");
    }
    // One point of each plane lies inside; the third mark is in the legend.
    let marks = svg.matches("<polygon").count() - 3;
    assert_eq!(marks, 3, "three arrow heads and as many marks");
    let text = planes().to_string();
    assert!(text.contains("before: x₁ from -20 to 20"), "{text}");
    assert!(text.contains("  gradient: from (0, 0) to (2.00, 4.00)"), "{text}");
}

#[test]
fn what_cannot_be_a_plane_is_said() {
    let plane = || Plane::new("t", [-1.0, 1.0], [-1.0, 1.0]);
    let cases = [
        (plane(), "an empty chart"),
        (Plane::new("t", [1.0, 1.0], [0.0, 1.0]).circle("c", [0.0; 2], 1.0), "[1, 1]"),
        (Plane::new("t", [0.0, f64::NAN], [0.0, 1.0]).circle("c", [0.0; 2], 1.0), "NaN"),
        (plane().circle("c", [0.0; 2], -1.0), "a radius above 0"),
        (plane().ellipse("e", [0.0; 2], &ndarray::Array2::eye(3), 1.0), "2 × 2"),
        (plane().boundary("b", [0.0; 2], 1.0), "a normal that is not 0"),
        (plane().arrow("a", [1.0; 2], [1.0; 2]), "two points"),
        (plane().line("l", &[1.0], &[]), "1 x and 0 y values"),
        (plane().contours("c", 3, |_, _| Ok(f64::NAN)), "NaN"),
        (plane().contours("c", 3, |_, _| Err(check::empty("x"))), "something to draw"),
    ];
    for (plane, found) in cases {
        let problem = plane.svg().unwrap_err().to_string();
        assert!(problem.contains(found), "{problem} does not say {found}");
        assert!(plane.to_string().contains(found));
    }
    assert!(Panels::new("t", 1).svg().is_err());
    assert!(Panels::new("t", 0).panel(plane().circle("c", [0.0; 2], 1.0)).svg().is_err());
}

#[test]
fn a_chart_of_lines_can_be_read_in_a_terminal() {
    let text = training().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Training & <test>");
    let inside = |mark| {
        lines
            .iter()
            .filter_map(|line| line.split_once('│'))
            .filter(move |(_, row)| row.contains(mark))
            .count()
    };
    assert_eq!((inside('o'), inside('x')), (3, 3), "{text}");
    assert!(text.contains("  o train: 40.0 → 70.0\n"), "{text}");
    assert!(text.contains("  x validation: 22.0 → 60.0\n"), "{text}");
    // The chance line is the row below the number 20.
    let row = lines.iter().position(|line| line.contains("────")).unwrap();
    assert!(lines[..row].iter().any(|line| line.ends_with(&"-".repeat(64))), "{text}");
}

#[test]
fn a_few_points_are_named_in_a_terminal_and_many_are_counted() {
    let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let text = |count: usize| {
        let of = &numbers[..count];
        Chart::lines("Apart").x("x").y("y").points("net", of, of).to_string()
    };
    assert!(text(2).contains("net: (1.00, 1.00) (2.00, 2.00)"), "{}", text(2));
    assert!(text(6).contains("net: 6 points"), "{}", text(6));
}

#[test]
fn bars_can_be_read_in_a_terminal() {
    let text = accuracies().to_string();
    let full = "█".repeat(40);
    assert!(text.contains(&format!("D        paper {full} 95.3 %\n")), "{text}");
    assert!(text.contains("         here  ███████████▍ 27.0 % (26.0 % to 28.0 %, 2 seeds)\n"));
    assert!(text.contains("D_other  here  "), "{text}");
}

#[test]
fn a_table_has_one_form_for_each_reader() {
    let table = paper_vs_here(
        "%",
        &[("D | det", Some(43.7), &[26.0, 28.0]), ("<none>", None, &[]), ("one", None, &[5.0])],
    );
    let markdown = table.markdown().unwrap();
    assert!(markdown.contains("| D \\| det | 43.7 % | 27.0 ± 1.4 % | 2 |\n"), "{markdown}");
    assert!(markdown.contains("| --- | ---: | ---: | ---: |\n"), "{markdown}");
    let html = table.html().unwrap();
    assert!(html.contains(">&lt;none&gt;</td>") && html.contains(">43.7 %</td>"), "{html}");
    let text = table.to_string();
    assert!(text.contains("\nD | det  43.7 %  27.0 ± 1.4 %      2\n"), "{text}");
    assert!(text.contains("\n<none>        –             –      0\n"), "{text}");
}

#[test]
fn a_row_of_the_wrong_length_is_said_and_not_shown() {
    let table = Table::new(["a", "b"]).row(["1", "2"]).row(["3"]);
    let found = "expected 2 cells in row 2, found 1";
    assert!(table.html().unwrap_err().to_string().contains(found));
    assert!(table.markdown().is_err());
    assert!(table.to_string().contains(found));
    assert!(Table::new(["a"]).units(["%", "s"]).html().is_err());
}
