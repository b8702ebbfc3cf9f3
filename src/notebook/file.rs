//! `.ipynb` files, format 4: reading, and writing as Jupyter writes them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

/// A notebook in memory. What this program does not know of is kept as it is.
pub struct Notebook {
    json: Value,
}

impl Notebook {
    /// Reads a notebook, and says what is wrong with the file if it is none.
    pub fn read(path: &Path) -> Result<Notebook> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the notebook {}", path.display()))?;
        Notebook::parse(&text).with_context(|| format!("{} is no notebook", path.display()))
    }

    fn parse(text: &str) -> Result<Notebook> {
        let mut json: Value = serde_json::from_str(text)
            .context("a notebook is a JSON file, and this is not JSON")?;
        let format = json["nbformat"].as_u64();
        let Some(format) = format else {
            bail!("a notebook names its \"nbformat\"; this does not")
        };
        ensure!(format == 4, "format 4 is expected, this is format {format}; save it from Jupyter");
        let cells = json["cells"].as_array_mut().context("a notebook has a list of \"cells\"")?;
        let is_whole = |cell: &Value| cell["cell_type"].is_string() && text_of(cell).is_some();
        if let Some(index) = cells.iter().position(|cell| !is_whole(cell)) {
            bail!("cell {} has no \"cell_type\" or no \"source\"", index + 1);
        }
        Ok(Notebook { json })
    }

    /// How many cells of all kinds there are.
    pub fn len(&self) -> usize {
        self.cells().len()
    }

    /// The text of a code cell; nothing for other kinds of cells.
    pub fn code(&self, index: usize) -> Option<String> {
        let cell = &self.cells()[index];
        if cell["cell_type"] == "code" { text_of(cell) } else { None }
    }

    /// The first heading of a cell of prose.
    pub fn heading(&self, index: usize) -> Option<String> {
        let cell = &self.cells()[index];
        let text = if cell["cell_type"] == "markdown" { text_of(cell)? } else { return None };
        let heading = text.lines().find(|line| line.starts_with('#'))?;
        Some(heading.trim_start_matches('#').trim().to_owned())
    }

    /// Takes all outputs and counts away, so that those of another run are never mixed with ours,
    /// and brings the file to format 4.5 with our kernel's name in it.
    pub fn clear(&mut self) {
        self.json["nbformat_minor"] =
            json!(5.max(self.json["nbformat_minor"].as_u64().unwrap_or(0)));
        let metadata = &mut self.json["metadata"];
        metadata["kernelspec"] = kernelspec();
        metadata["language_info"] = language_info();
        for (index, cell) in self.cells_mut().enumerate() {
            cell.entry("id").or_insert_with(|| json!(format!("cell-{index}")));
            cell.entry("metadata").or_insert_with(|| json!({}));
            if cell["cell_type"] == "code" {
                cell.insert("execution_count".to_owned(), Value::Null);
                cell.insert("outputs".to_owned(), json!([]));
            }
        }
    }

    /// Stores what a run of a code cell gave.
    pub fn store(&mut self, index: usize, count: usize, outputs: Vec<Value>) {
        if let Some(cell) = self.cells_mut().nth(index) {
            cell.insert("execution_count".to_owned(), json!(count));
            cell.insert("outputs".to_owned(), Value::Array(outputs));
        }
    }

    /// Replaces what a value looks like that a code cell has shown.
    pub fn replace(&mut self, index: usize, output: usize, data: Map<String, Value>) {
        let cell = self.cells_mut().nth(index);
        let outputs = cell.and_then(|cell| cell.get_mut("outputs"));
        if let Some(output) = outputs.and_then(|outputs| outputs.get_mut(output)) {
            output["data"] = Value::Object(data);
        }
    }

    /// Writes the notebook in one step: a reader sees the old file or the new one, never a part.
    pub fn write(&self, path: &Path) -> Result<()> {
        let beside = beside(path);
        let mut text = Vec::new();
        let mut sorted = self.json.clone();
        sorted.sort_all_objects();
        sorted.serialize(&mut Serializer::with_formatter(
            &mut text,
            PrettyFormatter::with_indent(b" "),
        ))?;
        text.push(b'\n');
        fs::File::create(&beside)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&beside, path))
            .with_context(|| format!("cannot write the notebook {}", path.display()))
    }

    fn cells(&self) -> &[Value] {
        self.json["cells"].as_array().map_or(&[], Vec::as_slice)
    }

    fn cells_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        let cells = self.json["cells"].as_array_mut().into_iter().flatten();
        cells.filter_map(Value::as_object_mut)
    }
}

/// Fails early, and in words, where a notebook cannot be written later.
pub fn ensure_writable(path: &Path) -> Result<()> {
    let beside = beside(path);
    fs::File::create(&beside).and_then(|_| fs::remove_file(&beside)).with_context(|| {
        format!("cannot write beside {}; --out names another file", path.display())
    })
}

/// What Jupyter has to know of the language.
pub fn language_info() -> Value {
    json!({
        "name": "rust",
        "version": env!("CARGO_PKG_RUST_VERSION"),
        "file_extension": ".rs",
        "mimetype": "text/rust",
        "codemirror_mode": "rust",
        "pygments_lexer": "rust",
    })
}

/// The entry of our kernel in a notebook's metadata.
fn kernelspec() -> Value {
    json!({"display_name": "Erm (Rust)", "language": "rust", "name": "erm"})
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// A text of the format is a string or a list of strings.
fn text_of(cell: &Value) -> Option<String> {
    match &cell["source"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => lines.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(cells: Value) -> Result<Notebook> {
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 2});
        Notebook::parse(&json.to_string())
    }

    #[test]
    fn text_may_be_one_string_or_a_list() {
        let notebook = parse(json!([
            {"cell_type": "code", "source": "let x = 1;"},
            {"cell_type": "code", "source": ["let x = 1;\n", "x"]},
            {"cell_type": "markdown", "source": ["Prose\n", "## A claim\n"]}
        ]));
        let notebook = notebook.unwrap();
        assert_eq!(notebook.code(0).as_deref(), Some("let x = 1;"));
        assert_eq!(notebook.code(1).as_deref(), Some("let x = 1;\nx"));
        assert_eq!(notebook.code(2), None);
        assert_eq!(notebook.heading(2).as_deref(), Some("A claim"));
    }

    #[test]
    fn what_is_no_notebook_is_named() {
        let error = |text: &str| format!("{:#}", Notebook::parse(text).err().unwrap());
        assert!(error("fn main() {}").contains("not JSON"));
        assert!(error("{}").contains("nbformat"));
        assert!(error(r#"{"nbformat": 3, "cells": []}"#).contains("format 3"));
        let broken = parse(json!([{"cell_type": "code"}])).err().unwrap();
        assert!(broken.to_string().contains("cell 1"));
    }

    #[test]
    fn clearing_brings_an_old_file_to_format_4_5() {
        let cell =
            json!({"cell_type": "code", "source": "1", "outputs": [1], "execution_count": 9});
        let mut notebook = parse(json!([cell])).unwrap();
        notebook.clear();
        assert_eq!(notebook.json["nbformat_minor"], 5);
        let cell = &notebook.json["cells"][0];
        assert_eq!((&cell["outputs"], &cell["execution_count"]), (&json!([]), &Value::Null));
        assert_eq!(cell["id"], "cell-0");
    }
}
