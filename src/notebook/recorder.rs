//! Turns what a cell gave into the outputs that a notebook stores.

use serde_json::{Map, Value, json};

use crate::session::{Bundle, CellError, Output, ends_in_expression};

/// The outputs of one run of a cell.
#[derive(Default)]
pub struct Recorder {
    outputs: Vec<Value>,
}

impl Recorder {
    /// Adds what came; progress and stages are for the eyes only and leave no trace.
    pub fn add(&mut self, output: &Output) {
        match output {
            Output::Stdout(text) => self.stream("stdout", text),
            Output::Stderr(text) => self.stream("stderr", text),
            Output::Shown(bundle, _) => self
                .outputs
                .push(json!({"output_type": "display_data", "data": data(bundle), "metadata": {}})),
            Output::Updated(..)
            | Output::Cleared(_)
            | Output::Live(..)
            | Output::Progress(_)
            | Output::Stage(_) => {}
        }
    }

    /// Adds why the cell failed.
    pub fn fail(&mut self, error: &CellError) {
        self.outputs.push(json!({
            "output_type": "error",
            "ename": error.name,
            "evalue": error.message,
            "traceback": error.traceback,
        }));
    }

    /// The outputs as Jupyter stores them. What is shown last by a cell that ends in an expression
    /// is the cell's result.
    pub fn finish(mut self, code: &str, count: usize) -> Vec<Value> {
        if ends_in_expression(code)
            && let Some(last) = self.outputs.last_mut()
            && last["output_type"] == "display_data"
        {
            last["output_type"] = json!("execute_result");
            last["execution_count"] = json!(count);
        }
        for output in self.outputs.iter_mut().filter(|output| output["text"].is_string()) {
            output["text"] = lines(output["text"].as_str().unwrap_or_default());
        }
        self.outputs
    }

    fn stream(&mut self, name: &str, line: &str) {
        let last = self.outputs.last().filter(|last| last["name"] == name);
        let before = last.and_then(|last| last["text"].as_str()).map(str::to_owned);
        if before.is_some() {
            self.outputs.pop();
        }
        let text = before.unwrap_or_default() + line;
        self.outputs.push(json!({"output_type": "stream", "name": name, "text": text}));
    }
}

fn data(bundle: &Bundle) -> Map<String, Value> {
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
        recorder.finish(code, 3)
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
