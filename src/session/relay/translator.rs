//! Turns what a cell process writes into the lines that evcxr gets: its own protocol as it is,
//! everything else as escape lines. Knows no file and no clock.

use serde_json::{Value, json};

use super::questions::prompt_for_evcxr;
use super::{ESCAPE, RUN};

const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";
const LEFT_BY_ERROR: &str = "EVCXR_ERROR_OCCURRED";
const TYPE_CHANGED: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
const QUESTION: &str = "EVCXR_INPUT_REQUEST";
const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";
/// What every line of evcxr's protocol contains.
const EVCXR: &[u8] = b"EVCXR_";
/// More waiting text than this is handed on without a delay.
const MUCH: usize = 1 << 16;

/// One of the two streams of a cell process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

/// The state of the translation between two pieces of output.
#[derive(Default)]
pub struct Translator {
    /// Lines for evcxr.
    out: Vec<u8>,
    /// Text that waits for more of its kind.
    waiting: Vec<(Stream, Vec<u8>)>,
    /// The start of a character on each stream, whose other bytes have not come yet.
    cut: [Vec<u8>; 2],
    /// The last line of standard output, without its end so far.
    line: Vec<u8>,
    /// The MIME type and the lines so far of a block of content that has not ended yet.
    block: Option<(String, Vec<String>)>,
    /// Somebody listens: the last cell was one of ours and not evcxr's own `42`.
    is_heard: bool,
    /// A cell of ours runs.
    is_running: bool,
    /// The cell has asked and was not answered yet.
    is_asking: bool,
    /// How many lines evcxr has sent to the cell process.
    sent: u64,
}

impl Translator {
    /// Takes note of a line on its way from evcxr to the cell process `cell`.
    pub fn command(&mut self, line: &str, cell: u32, is_heard: bool) {
        self.sent += 1;
        self.is_asking = false;
        if line.starts_with(RUN) {
            (self.is_running, self.is_heard) = (is_heard, is_heard);
            if is_heard {
                self.hand_on();
                self.escape(&json!({"begin": cell}));
            }
        }
    }

    /// Takes what the cell wrote to standard error.
    pub fn stderr(&mut self, bytes: &[u8]) {
        self.text(Stream::Stderr, bytes);
    }

    /// Takes what the cell wrote to standard output. At the end of a cell it asks for what is left
    /// of standard error, so that nothing comes after its cell.
    pub fn stdout(&mut self, bytes: &[u8], rest_of_stderr: &mut dyn FnMut() -> Vec<u8>) {
        let mut buffer = std::mem::take(&mut self.line);
        let (mut start, mut from) = (0, buffer.len());
        buffer.extend_from_slice(bytes);
        while let Some(length) = buffer[from..].iter().position(|byte| *byte == b'\n') {
            from += length + 1;
            self.whole_line(&buffer[start..from - 1], rest_of_stderr);
            start = from;
        }
        self.line = buffer.split_off(start);
    }

    /// Whether text waits that should be handed on soon.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() || (self.block.is_none() && kept_back(&self.line) > 0)
    }

    /// Whether so much text waits that it should be handed on now.
    pub fn is_full(&self) -> bool {
        self.waiting.iter().map(|(_, text)| text.len()).sum::<usize>() > MUCH
    }

    /// Hands on all text that waits, whole characters only, and parts of lines that cannot turn
    /// out to be a message.
    pub fn hand_on(&mut self) {
        if self.block.is_none() {
            let text: Vec<_> = self.line.drain(..kept_back(&self.line)).collect();
            self.text(Stream::Stdout, &text);
        }
        for (stream, text) in std::mem::take(&mut self.waiting) {
            let mut bytes = std::mem::take(&mut self.cut[stream as usize]);
            bytes.extend(text);
            self.cut[stream as usize] = bytes.split_off(end_of_characters(&bytes));
            self.say(stream, &bytes);
        }
    }

    /// Hands on everything, whole or not, since nothing more comes.
    pub fn close(&mut self) {
        self.block = None;
        let line = std::mem::take(&mut self.line);
        self.text(Stream::Stdout, &line);
        self.hand_on_all();
    }

    /// The lines for evcxr since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn hand_on_all(&mut self) {
        self.hand_on();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(&mut self.cut[stream as usize]);
            self.say(stream, &rest);
        }
    }

    fn whole_line(&mut self, line: &[u8], rest_of_stderr: &mut dyn FnMut() -> Vec<u8>) {
        if !line.contains(&(ESCAPE as u8)) && find(line, EVCXR).is_none() {
            return self.plain_line(line);
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let sentinels = [COMPLETE, PANICKED, LEFT_BY_ERROR];
        if let Some(sentinel) = sentinels.into_iter().find(|it| text.ends_with(it)) {
            let before = &text[..text.len() - sentinel.len()];
            self.text_before(before);
            self.sentinel(sentinel, rest_of_stderr);
        } else if self.block.is_some() && text == END {
            self.end_of_block();
        } else if self.block.is_some() {
            self.plain_line(line);
        } else if let Some((before, message)) = split(&text, "\u{1e}{\"") {
            self.text_before(before);
            self.message(message);
        } else if let Some((before, question)) = split(&text, QUESTION) {
            self.text_before(before);
            self.stderr(&rest_of_stderr());
            self.question(question);
        } else if let Some((before, mime)) = text.split_once(BEGIN) {
            self.text_before(before);
            self.block = Some((mime.trim().to_owned(), Vec::new()));
        } else if let Some((before, change)) = split(&text, TYPE_CHANGED) {
            self.text_before(before);
            self.protocol(change);
        } else {
            self.plain_line(line);
        }
    }

    fn plain_line(&mut self, line: &[u8]) {
        if let Some((_, lines)) = &mut self.block {
            lines.push(String::from_utf8_lossy(line).trim_end_matches('\r').to_owned());
        } else {
            self.text(Stream::Stdout, line);
            self.text(Stream::Stdout, b"\n");
        }
    }

    /// Text that was glued to the start of a message, since it had no end of line.
    fn text_before(&mut self, text: &str) {
        match &mut self.block {
            Some((_, lines)) if !text.is_empty() => lines.push(text.to_owned()),
            Some(_) => {}
            None => self.text(Stream::Stdout, text.as_bytes()),
        }
    }

    fn sentinel(&mut self, sentinel: &str, rest_of_stderr: &mut dyn FnMut() -> Vec<u8>) {
        if !self.is_heard {
            self.greeting();
            return self.protocol(sentinel);
        }
        self.block = None;
        self.stderr(&rest_of_stderr());
        match sentinel {
            PANICKED => self.failed("panic"),
            LEFT_BY_ERROR => self.failed("error"),
            _ => {
                self.hand_on_all();
                self.escape(&json!({"end": true}));
                self.is_running = false;
            }
        }
        self.protocol(sentinel);
    }

    /// Whatever came to standard error just now says why the cell failed.
    fn failed(&mut self, kind: &str) {
        let last = self.waiting.iter().rposition(|(stream, _)| *stream == Stream::Stderr);
        let reason = last.map(|at| self.waiting.remove(at).1).unwrap_or_default();
        self.hand_on();
        let text = String::from_utf8_lossy(&reason);
        self.escape(&json!({"failed": {"kind": kind, "text": text}}));
    }

    /// evcxr reads the blocks of its own cell itself.
    fn greeting(&mut self) {
        if let Some((mime, lines)) = self.block.take() {
            let block = format!("{BEGIN}{mime}\n{}\n{END}", lines.join("\n"));
            self.protocol(&block);
        }
    }

    fn end_of_block(&mut self) {
        if !self.is_heard {
            return self.greeting();
        }
        let (mime, lines) = self.block.take().unwrap_or_default();
        self.hand_on();
        self.escape(&json!({"content": {"mime": mime, "text": lines.join("\n")}}));
    }

    fn message(&mut self, message: &str) {
        let json = message.trim_start_matches(ESCAPE);
        if let Some(number) = json.strip_prefix("{\"waits\":") {
            // It may have been written before the cell process had read our last line to it.
            let heard = number.trim_end_matches('}').parse();
            if heard == Ok(self.sent) {
                self.question(QUESTION);
            }
            return;
        }
        self.hand_on();
        if self.is_heard {
            self.protocol(&hidden_from_evcxr(message));
        }
    }

    fn question(&mut self, question: &str) {
        if !self.is_running || self.is_asking {
            return;
        }
        self.is_asking = true;
        self.hand_on();
        let (kind, prompt) = question.split_once(':').unwrap_or((question, ""));
        self.protocol(&format!("{kind}:{}", prompt_for_evcxr(prompt)));
    }

    fn text(&mut self, stream: Stream, bytes: &[u8]) {
        match self.waiting.last_mut() {
            _ if bytes.is_empty() => {}
            Some((last, text)) if *last == stream => text.extend_from_slice(bytes),
            _ => self.waiting.push((stream, bytes.to_vec())),
        }
    }

    fn say(&mut self, stream: Stream, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        match stream {
            _ if text.is_empty() || !self.is_heard => {}
            Stream::Stdout => self.escape(&json!({"stdout": text})),
            Stream::Stderr => self.escape(&json!({"stderr": text})),
        }
    }

    fn escape(&mut self, value: &Value) {
        self.protocol(&hidden_from_evcxr(&format!("{ESCAPE}{value}")));
    }

    fn protocol(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
    }
}

/// evcxr takes a line for the start of a block wherever in the line it says so.
fn hidden_from_evcxr(json: &str) -> String {
    json.replace("EVCXR_BEGIN_CONTENT", "\\u0045VCXR_BEGIN_CONTENT")
}

/// The text before a mark, and the rest with the mark.
fn split<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    text.find(mark).map(|at| text.split_at(at))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted[0];
    (0..text.len()).find(|&at| text[at] == first && text[at..].starts_with(wanted))
}

/// How much of a line without its end is certainly text, and not the start of a message.
fn kept_back(line: &[u8]) -> usize {
    let may_be = |at: &usize| {
        let rest = &line[*at..];
        match rest[0] {
            b'E' => rest.starts_with(EVCXR) || EVCXR.starts_with(rest),
            first => first == ESCAPE as u8 && rest.get(1).is_none_or(|next| *next == b'{'),
        }
    };
    (0..line.len()).find(may_be).unwrap_or(line.len())
}

/// How many bytes there are without the start of a character that is cut off.
fn end_of_characters(bytes: &[u8]) -> usize {
    let starts = (bytes.len().saturating_sub(3)..bytes.len()).rev();
    let last = starts.into_iter().find(|&at| bytes[at] & 0b1100_0000 != 0b1000_0000);
    let is_cut = |at: &usize| {
        let checked = std::str::from_utf8(&bytes[*at..]);
        checked.is_err_and(|error| error.error_len().is_none())
    };
    last.filter(is_cut).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A translator in which a cell has begun.
    fn running() -> Translator {
        let mut translator = Translator::default();
        translator.command("LOAD_AND_RUN a b", 7, true);
        assert_eq!(lines(&mut translator), ["\u{1e}{\"begin\":7}"]);
        translator
    }

    fn lines(translator: &mut Translator) -> Vec<String> {
        let text = String::from_utf8(translator.take()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// What evcxr gets for what a cell wrote to standard output.
    fn relayed(text: &str) -> Vec<String> {
        let mut translator = running();
        translator.stdout(text.as_bytes(), &mut Vec::new);
        translator.hand_on();
        lines(&mut translator)
    }

    fn stdout(text: &str) -> String {
        format!("{ESCAPE}{}", json!({"stdout": text}))
    }

    const ENDED: [&str; 2] = ["\u{1e}{\"end\":true}", COMPLETE];

    #[test]
    fn text_travels_as_it_came() {
        for text in ["one\ntwo\n", "half", "10 %\r20 %\r", "\u{1e}no message\n", "WHERE\n"] {
            assert_eq!(relayed(text), [stdout(text)]);
        }
        let long = "x".repeat(10_000);
        assert_eq!(relayed(&long), [stdout(&long)]);
    }

    #[test]
    fn messages_pass_at_the_end_of_a_partial_line_too() {
        let stage = "\u{1e}{\"stage\":\"two\"}";
        assert_eq!(relayed(&format!("one{stage}\nx")), [&stdout("one"), stage, &stdout("x")]);
        let out = relayed("halfEVCXR_EXECUTION_COMPLETE\n");
        assert_eq!(out, [&stdout("half"), ENDED[0], ENDED[1]]);
    }

    #[test]
    fn a_message_that_comes_in_pieces_is_put_together() {
        let mut translator = running();
        for piece in ["aEVC", "XR_EXECUTION_COMPL", "ETE\n"] {
            translator.stdout(piece.as_bytes(), &mut Vec::new);
            translator.hand_on();
        }
        assert_eq!(lines(&mut translator), [&stdout("a"), ENDED[0], ENDED[1]]);
    }

    #[test]
    fn a_character_that_is_cut_between_two_reads_stays_whole() {
        let mut translator = running();
        for byte in "né\u{1f980}".as_bytes() {
            translator.stdout(&[*byte], &mut Vec::new);
            translator.hand_on();
        }
        let expected = ["n", "é", "\u{1f980}"].map(stdout);
        assert_eq!(lines(&mut translator), expected);
        translator.stdout(b"\xff\xe2\x82\nEVCXR_EXECUTION_COMPLETE\n", &mut Vec::new);
        assert_eq!(lines(&mut translator)[0], stdout("\u{fffd}\u{fffd}\n"));
    }

    #[test]
    fn standard_error_comes_in_its_place_and_before_the_end() {
        let mut translator = running();
        translator.stdout(b"a\n", &mut Vec::new);
        translator.stderr(b"b\n");
        let mut rest = || b"c\n".to_vec();
        translator.stdout(b"d\nEVCXR_EXECUTION_COMPLETE\n", &mut rest);
        let stderr = |text: &str| format!("{ESCAPE}{}", json!({"stderr": text}));
        let expected = [stdout("a\n"), stderr("b\n"), stdout("d\n"), stderr("c\n")];
        let out = lines(&mut translator);
        assert_eq!(out[..4], expected);
        assert_eq!(out[4..], ENDED);
    }

    #[test]
    fn a_failure_carries_what_was_said_about_it() {
        let mut translator = running();
        translator.stdout(b"a", &mut Vec::new);
        let mut rest = || b"no such file\n".to_vec();
        translator.stdout(b"\nEVCXR_ERROR_OCCURRED\n", &mut rest);
        let failed = "\u{1e}{\"failed\":{\"kind\":\"error\",\"text\":\"no such file\\n\"}}";
        assert_eq!(lines(&mut translator), [&stdout("a\n"), failed, LEFT_BY_ERROR]);
    }

    #[test]
    fn two_blocks_of_one_type_both_arrive() {
        let block = "EVCXR_BEGIN_CONTENT text/html\n<b>\n</b>\nEVCXR_END_CONTENT\n";
        let out = relayed(&[block, block].concat());
        assert_eq!(out.len(), 2);
        assert_eq!(out[0], "\u{1e}{\"content\":{\"mime\":\"text/html\",\"text\":\"<b>\\n</b>\"}}");
    }

    #[test]
    fn a_panic_inside_a_block_ends_it() {
        let out = relayed("EVCXR_BEGIN_CONTENT text/html\n<b>\nEVCXR_PANIC_NOTIFICATION\nafter\n");
        let failed = "\u{1e}{\"failed\":{\"kind\":\"panic\",\"text\":\"\"}}";
        assert_eq!(out, [failed, PANICKED, &stdout("after\n")]);
    }

    #[test]
    fn what_looks_like_a_block_inside_of_a_message_is_hidden_from_evcxr() {
        let message = "\u{1e}{\"stage\":\"EVCXR_BEGIN_CONTENT text/plain\"}\n";
        let hidden = "\u{1e}{\"stage\":\"\\u0045VCXR_BEGIN_CONTENT text/plain\"}";
        assert_eq!(relayed(message), [hidden]);
    }

    #[test]
    fn evcxrs_own_cell_is_answered_in_evcxrs_words_alone() {
        let mut translator = Translator::default();
        translator.command("LOAD_AND_RUN a b", 7, false);
        let greeting = "EVCXR_BEGIN_CONTENT text/plain\n42\nEVCXR_END_CONTENT\n";
        let text = format!("noise\n{greeting}{COMPLETE}\n\u{1e}{{\"waits\":1}}\n");
        translator.stdout(text.as_bytes(), &mut Vec::new);
        let expected = format!("{greeting}{COMPLETE}");
        assert_eq!(lines(&mut translator), expected.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_cell_that_waits_for_input_asks_once_and_only_if_it_has_heard_everything() {
        let mut translator = running();
        let waits = |translator: &mut Translator, heard: u64| {
            let text = format!("Name: \u{1e}{{\"waits\":{heard}}}\n");
            translator.stdout(text.as_bytes(), &mut Vec::new);
            translator.hand_on();
            lines(translator)
        };
        assert_eq!(waits(&mut translator, 0), [stdout("Name: ")]);
        assert_eq!(waits(&mut translator, 1), [&stdout("Name: "), "EVCXR_INPUT_REQUEST:"]);
        assert_eq!(waits(&mut translator, 1), [stdout("Name: ")]);
        translator.command("\"Erm\"", 7, true);
        assert_eq!(waits(&mut translator, 2), [&stdout("Name: "), "EVCXR_INPUT_REQUEST:"]);
    }

    #[test]
    fn a_prompt_passes_evcxr_whole() {
        let out = relayed("EVCXR_INPUT_REQUEST_PASSWORD:key: \n");
        assert_eq!(out, ["EVCXR_INPUT_REQUEST_PASSWORD:key%3A "]);
    }

    #[test]
    fn nothing_is_lost_when_the_process_dies() {
        let mut translator = running();
        translator.stdout(b"the last E", &mut Vec::new);
        translator.close();
        assert_eq!(lines(&mut translator), [stdout("the last E")]);
    }
}
