//! Rows and columns, as HTML, as text, and as Markdown for a README.

use std::fmt;

use crate::show::{Forms, Show, shows};
use crate::{Error, Result};

shows!(Table);

/// A table that shows itself.
///
/// ```
/// use erm::prelude::*;
/// let table = Table::new(["set", "accuracy"]).units(["", "%"]).row(["D_det", "43.7"]);
/// assert_eq!(table.to_string(), "set    accuracy, %\n──────────────────\nD_det         43.7");
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    title: String,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    note: String,
    /// The first thing that did not fit.
    problem: Option<Error>,
}

#[derive(Clone, Debug)]
struct Column {
    heading: String,
    align: Align,
}

/// On which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers, so that their digits stand below each other.
    Right,
}

impl Table {
    /// A table without rows. The first column stands left, for names, the others right.
    pub fn new(headings: impl IntoIterator<Item = impl ToString>) -> Self {
        let column = |(index, heading): (usize, _)| Column {
            heading: ToString::to_string(&heading),
            align: if index == 0 { Align::Left } else { Align::Right },
        };
        let columns = headings.into_iter().enumerate().map(column).collect();
        let (title, rows, note) = Default::default();
        Self { title, columns, rows, note, problem: None }
    }

    /// Sets the line above the table.
    pub fn title(mut self, text: impl Into<String>) -> Self {
        self.title = text.into();
        self
    }

    /// Sets the line below the table: what ± means, how a number was measured.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    /// Writes a unit behind every heading; "" for a column that has none.
    pub fn units(mut self, units: impl IntoIterator<Item = impl ToString>) -> Self {
        let units: Vec<String> = units.into_iter().map(|unit| unit.to_string()).collect();
        self.expect_cells("units", units.len());
        for (column, unit) in self.columns.iter_mut().zip(units) {
            if !unit.is_empty() {
                column.heading = format!("{}, {unit}", column.heading);
            }
        }
        self
    }

    /// Sets on which side the cells of every column stand.
    pub fn align(mut self, sides: impl IntoIterator<Item = Align>) -> Self {
        let sides: Vec<Align> = sides.into_iter().collect();
        self.expect_cells("sides", sides.len());
        for (column, side) in self.columns.iter_mut().zip(sides) {
            column.align = side;
        }
        self
    }

    /// Adds a row with a cell for every column.
    pub fn row(mut self, cells: impl IntoIterator<Item = impl ToString>) -> Self {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.to_string()).collect();
        let what = format!("cells in row {}", self.rows.len() + 1);
        self.expect_cells(&what, cells.len());
        self.rows.push(cells);
        self
    }

    /// The table as HTML, in the colours of the page around it.
    ///
    /// # Errors
    /// If a row has not as many cells as there are columns.
    pub fn html(&self) -> Result<String> {
        self.check()?;
        let mut html = String::from("<table>\n");
        if !self.title.is_empty() {
            html += &format!(
                "<caption style=\"text-align:left\"><b>{}</b></caption>\n",
                escape(&self.title)
            );
        }
        let headings: Vec<&str> = self.columns.iter().map(|column| &*column.heading).collect();
        html += &format!("<thead>{}</thead>\n<tbody>\n", self.html_row("th", &headings));
        for row in &self.rows {
            html += &self.html_row("td", row);
            html.push('\n');
        }
        html += "</tbody>\n</table>";
        if !self.note.is_empty() {
            html += &format!("\n<p><small>{}</small></p>", escape(&self.note));
        }
        Ok(html)
    }

    /// The table as GitHub Markdown.
    ///
    /// # Errors
    /// If a row has not as many cells as there are columns.
    pub fn markdown(&self) -> Result<String> {
        self.check()?;
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let cell = |text: &String| text.replace('|', "\\|").replace('\n', " ");
        let mut text = String::new();
        if !self.title.is_empty() {
            text += &format!("**{}**\n\n", self.title);
        }
        text += &line(self.columns.iter().map(|column| cell(&column.heading)).collect());
        text += &line(self.columns.iter().map(|column| column.align.markdown()).collect());
        text.extend(self.rows.iter().map(|row| line(row.iter().map(cell).collect())));
        if !self.note.is_empty() {
            text += &format!("\n{}\n", self.note);
        }
        Ok(text)
    }

    fn html_row(&self, tag: &str, cells: &[impl AsRef<str>]) -> String {
        let mut html = String::from("<tr>");
        for (column, cell) in self.columns.iter().zip(cells) {
            let side = column.align.css();
            let text = escape(cell.as_ref());
            html += &format!("<{tag} style=\"text-align:{side};padding:2px 10px\">{text}</{tag}>");
        }
        html + "</tr>"
    }

    /// One line of text, its cells as wide as their columns.
    fn text_row(&self, widths: &[usize], cells: &[impl AsRef<str>]) -> String {
        let mut line = Vec::new();
        for ((column, width), cell) in self.columns.iter().zip(widths).zip(cells) {
            let cell = cell.as_ref();
            line.push(match column.align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
        }
        line.join("  ").trim_end().to_owned()
    }

    fn widths(&self) -> Vec<usize> {
        let cells = |index: usize| self.rows.iter().map(move |row| row[index].as_str());
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(index, column)| {
                let all = cells(index).chain([column.heading.as_str()]);
                all.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect()
    }

    fn expect_cells(&mut self, what: &str, found: usize) {
        let columns = self.columns.len();
        if found != columns && self.problem.is_none() {
            let (expected, found) = (format!("{columns} {what}"), found.to_string());
            let remedy = "Give one for every column; \"\" leaves a cell empty.";
            self.problem = Some(Error::invalid(expected, found, remedy));
        }
    }

    fn check(&self) -> Result<()> {
        self.problem.clone().map_or(Ok(()), Err)
    }
}

impl Align {
    fn css(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    fn markdown(self) -> String {
        match self {
            Self::Left => "---".to_owned(),
            Self::Right => "---:".to_owned(),
        }
    }
}

/// The table, or what is wrong with it.
impl Show for Table {
    fn forms(&self) -> Forms {
        let html = self
            .html()
            .unwrap_or_else(|problem| format!("<p>{}</p>", escape(&problem.to_string())));
        vec![("text/html", html), ("text/plain", self.to_string())]
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.title.is_empty() {
            writeln!(f, "{}", self.title)?;
        }
        if let Err(problem) = self.check() {
            return write!(f, "{problem}");
        }
        let widths = self.widths();
        let headings: Vec<&str> = self.columns.iter().map(|column| &*column.heading).collect();
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        write!(f, "{}\n{}", self.text_row(&widths, &headings), "─".repeat(total))?;
        for row in &self.rows {
            write!(f, "\n{}", self.text_row(&widths, row))?;
        }
        if !self.note.is_empty() {
            write!(f, "\n{}", self.note)?;
        }
        Ok(())
    }
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
