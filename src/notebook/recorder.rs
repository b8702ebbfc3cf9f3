//! Turns what a cell gave into the outputs that a notebook stores.

use serde_json::{Map, Value, json};

use crate::session::{Bundle, CellError, Clearing, Output, ends_in_expression};

/// The outputs of one run of a cell, while it runs.
#[derive(Default)]
pub struct Recorder {
    outputs: Vec<Recorded>,
    updates: Vec<(String, Data)>,
    /// The cell has asked for its outputs to be taken away when the next one comes.
    is_outdated: bool,
}

/// What a value looks like: MIME type to content, as a notebook stores it.
pub type Data = Map<String, Value>;

/// One output as a notebook stores it, and the id under which it may be replaced.
pub struct Recorded {
    /// The output.
    pub json: Value,
    /// Known while the notebook runs, and not stored.
    pub id: Option<String>,
}

/// The outputs of a cell that has ended.
pub struct Record {
    /// What is stored with the cell.
    pub outputs: Vec<Recorded>,
    /// The values with an id that look different now, also in the cells before.
    pub updates: Vec<(String, Data)>,
}

impl Recorder {
    /// Adds what came; progress, stages and pictures of work under way are for the eyes only and
    /// leave no trace.
    pub fn add(&mut self, output: &Output) {
        match output {
            Output::Stdout(text) => self.stream("stdout", text),
            Output::Stderr(text) => self.stream("stderr", text),
            Output::Shown(bundle, id) => {
                let data = data(bundle);
                let json = json!({"output_type": "display_data", "data": data, "metadata": {}});
                self.push(json, id.clone());
            }
            Output::Updated(bundle, id) => self.update(id, data(bundle)),
            Output::Cleared(Clearing::Now) => {
                self.outputs.clear();
                self.is_outdated = false;
            }
            Output::Cleared(Clearing::WithTheNext) => self.is_outdated = true,
            Output::Live(..) | Output::Progress(_) | Output::Stage(_) => {}
        }
    }

    /// Adds why the cell failed.
    pub fn fail(&mut self, error: &CellError) {
        let json = json!({
            "output_type": "error",
            "ename": error.name,
            "evalue": error.message,
            "traceback": error.traceback,
        });
        self.push(json, None);
    }

    /// The outputs as Jupyter stores them. What is shown last by a cell that ends in an expression
    /// is the cell's result.
    pub fn finish(mut self, code: &str, count: usize) -> Record {
        if ends_in_expression(code)
            && let Some(Recorded { json: last, id: None }) = self.outputs.last_mut()
            && last["output_type"] == "display_data"
        {
            last["output_type"] = json!("execute_result");
            last["execution_count"] = json!(count);
        }
        for Recorded { json: output, .. } in &mut self.outputs {
            if let Some(text) = output["text"].as_str() {
                output["text"] = lines(&without_overwritten(text));
            }
        }
        Record { outputs: self.outputs, updates: self.updates }
    }

    fn push(&mut self, json: Value, id: Option<String>) {
        if std::mem::take(&mut self.is_outdated) {
            self.outputs.clear();
        }
        self.outputs.push(Recorded { json, id });
    }

    fn update(&mut self, id: &str, data: Data) {
        let same = self.outputs.iter_mut().filter(|output| output.id.as_deref() == Some(id));
        same.for_each(|output| output.json["data"] = Value::Object(data.clone()));
        self.updates.retain(|(before, _)| before != id);
        self.updates.push((id.to_owned(), data));
    }

    fn stream(&mut self, name: &str, text: &str) {
        let last = self.outputs.last_mut().filter(|_| !self.is_outdated);
        match last {
            Some(Recorded { json, .. }) if json["name"] == name => {
                if let Value::String(before) = &mut json["text"] {
                    before.push_str(text);
                }
            }
            _ => self.push(json!({"output_type": "stream", "name": name, "text": text}), None),
        }
    }
}

/// The text as it looks in the end: a carriage return goes back to the start of the line, a
/// backspace takes the last character away.
pub fn without_overwritten(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line.trim_end_matches('\r'), "\n"),
            None => (line, ""),
        };
        let (mut shown, mut at) = (Vec::new(), 0_usize);
        for c in line.chars() {
            match c {
                '\r' => at = 0,
                '\u{8}' => at = at.saturating_sub(1),
                c if at < shown.len() => (shown[at], at) = (c, at + 1),
                c => {
                    shown.push(c);
                    at += 1;
                }
            }
        }
        shown.into_iter().collect::<String>() + end
    });
    lines.collect()
}

fn data(bundle: &Bundle) -> Data {
    let entry = |(mime, text): (&String, &String)| (mime.clone(), stored(mime, text));
    bundle.iter().map(entry).collect()
}

/// Text is stored by lines, all else as it is.
fn stored(mime: &str, text: &str) -> Value {
    match content(mime, text) {
        Value::String(text) if is_text(mime) => lines(&text),
        content => content,
    }
}

/// A form of a value as Jupyter takes it: JSON as JSON, and base64 without a line's end.
pub fn content(mime: &str, text: &str) -> Value {
    let json = mime.contains("json").then(|| serde_json::from_str(text).ok()).flatten();
    let text = if is_text(mime) { text } else { text.trim_end() };
    json.unwrap_or_else(|| json!(text))
}

fn is_text(mime: &str) -> bool {
    mime.starts_with("text/") || mime.contains("xml")
}

fn lines(text: &str) -> Value {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mime: &str, text: &str) -> Output {
        Output::Shown([(mime.to_owned(), text.to_owned())].into(), None)
    }

    fn recorded(code: &str, outputs: &[Output]) -> Vec<Value> {
        let mut recorder = Recorder::default();
        outputs.iter().for_each(|output| recorder.add(output));
        let record = recorder.finish(code, 3);
        record.outputs.into_iter().map(|output| output.json).collect()
    }

    #[test]
    fn a_value_with_an_id_is_replaced_where_it_is() {
        let named = |text: &str| {
            Output::Shown([("text/plain".to_owned(), text.to_owned())].into(), Some("a".to_owned()))
        };
        let Output::Shown(new, _) = shown("text/plain", "new") else { panic!() };
        let update = Output::Updated(new, "a".to_owned());
        let outputs = [named("old"), shown("text/plain", "other"), update];
        let stored = recorded("f();", &outputs);
        let texts: Vec<_> = stored.iter().map(|output| &output["data"]["text/plain"][0]).collect();
        assert_eq!(texts, ["new", "other"]);
        let mut recorder = Recorder::default();
        recorder.add(&outputs[2]);
        assert_eq!(recorder.finish("f();", 1).updates[0].0, "a");
    }

    #[test]
    fn a_cleared_cell_is_empty_at_once_or_with_the_next_output() {
        let text = |text: &str| Output::Stdout(text.to_owned());
        let (now, next) = (Output::Cleared(Clearing::Now), Output::Cleared(Clearing::WithTheNext));
        assert_eq!(recorded("f();", &[text("a"), now]).len(), 0);
        assert_eq!(recorded("f();", &[text("a"), next.clone()])[0]["text"], json!(["a"]));
        assert_eq!(recorded("f();", &[text("a"), next, text("b")])[0]["text"], json!(["b"]));
    }

    #[test]
    fn text_is_stored_as_it_looks_in_the_end() {
        assert_eq!(without_overwritten("10 %\r20 %\rdone\nx\r\nab\u{8}c"), "done\nx\nac");
        assert_eq!(without_overwritten("100\r9"), "900");
        let parts = ["10 %\r", "20 %\r", "é\n"].map(|text| Output::Stdout(text.to_owned()));
        assert_eq!(recorded("f();", &parts)[0]["text"], json!(["é0 %\n"]));
    }

    #[test]
    fn lines_of_one_stream_are_one_output() {
        let line = |text: &str| Output::Stdout(format!("{text}\n"));
        let outputs = recorded("f();", &[line("a"), line("b"), Output::Stderr("c\n".to_owned())]);
        assert_eq!(outputs.len(), 2);
        assert_eq!(outputs[0]["text"], json!(["a\n", "b\n"]));
        assert_eq!(outputs[1]["name"], "stderr");
    }

    #[test]
    fn only_the_last_value_of_an_expression_is_the_result() {
        let values = [shown("text/plain", "1"), shown("text/plain", "2")];
        let outputs = recorded("show(); 2", &values);
        assert_eq!(outputs[0]["output_type"], "display_data");
        assert_eq!(outputs[1]["output_type"], "execute_result");
        assert_eq!(outputs[1]["execution_count"], 3);
        let outputs = recorded("show(); // twice", &values);
        assert_eq!(outputs[1]["output_type"], "display_data");
    }

    #[test]
    fn pictures_are_stored_as_jupyter_stores_them() {
        let outputs = recorded("1", &[shown("image/svg+xml", "<svg>\n</svg>")]);
        assert_eq!(outputs[0]["data"]["image/svg+xml"], json!(["<svg>\n", "</svg>"]));
        let outputs = recorded("1", &[shown("image/png", "aGk=\n")]);
        assert_eq!(outputs[0]["data"]["image/png"], json!("aGk="));
    }
}
