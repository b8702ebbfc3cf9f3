//! The types of a cell's variables, as the compiler writes them.
//!
//! The compiler's middle representation (MIR) of a function names the type of every variable in
//! full, by a path that the cell can use. It needs no sources of any crate for that.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use evcxr::CommandContext;
use ra_ap_syntax::ast::{self, AstNode, HasModuleItem, HasName};
use ra_ap_syntax::{Edition, SourceFile, SyntaxNode, TextRange};

use super::cache::rustc;

/// The function into which evcxr puts a cell in order to check it, and what it calls with the
/// variables that are to be kept.
const WRAPPER: &str = "evcxr_analysis_wrapper";
const KEEP: &str = "evcxr_variable_store(";
/// The error into which evcxr turns any other one.
const ERROR: &str = "EvcxrUserCodeError";

/// Gives a variable of an earlier cell. As an argument, it would live no longer than the function.
const EARLIER: &str = "fn erm_earlier<T>() -> T { loop {} }\n";
/// A variable that is there where all those are that a cell keeps.
const END: &str = "erm_end";

/// The middle representation as it is before anything is optimised away. The compiler calls the flag
/// for that unstable, and takes it in this one run for which it is told that it may.
const FLAGS: [&str; 7] = [
    "--edition=2024",
    "--crate-type=lib",
    "--crate-name=types",
    "--cap-lints=allow",
    "--emit=mir=types.mir",
    "-Zmir-opt-level=0",
    "src/types.rs",
];

/// The types of the variables that are there at the end of a cell, as far as a cell can name them:
/// none if there is a mistake in it. `flags` are those with which the compiler finds the crates, and
/// `folder` is where evcxr builds cells.
pub fn types(
    context: &mut CommandContext,
    cell: &str,
    flags: &[String],
    folder: &Path,
) -> HashMap<String, String> {
    // This writes the source. What it says of it is not of use: for evcxr, variables of earlier cells
    // do not live long enough here.
    let _ = context.check(cell);
    written(flags, folder).map(|mir| found(&mir)).unwrap_or_default()
}

/// What the compiler writes about the source that evcxr has just had checked.
fn written(flags: &[String], folder: &Path) -> Option<String> {
    let source = fs::read_to_string(folder.join("src/lib.rs")).ok()?;
    fs::write(folder.join("src/types.rs"), alone(&source)?).ok()?;
    let mut compiler = Command::new(rustc());
    compiler.current_dir(folder).env("RUSTC_BOOTSTRAP", "1").args(flags).args(FLAGS);
    let status = compiler.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_written = status.is_ok_and(|status| status.success());
    is_written.then(|| fs::read_to_string(folder.join("types.mir")).ok())?
}

/// The same source with a cell that has all earlier variables for ever and need not keep any.
fn alone(source: &str) -> Option<String> {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let function = file.items().find_map(|item| match item {
        ast::Item::Fn(function) if function.name()?.text() == WRAPPER => Some(function),
        _ => None,
    })?;
    let earlier = function.param_list()?.params().filter_map(|it| {
        Some(format!("let {}: {} = erm_earlier();\n", it.pat()?.syntax(), it.ty()?.syntax()))
    });
    let earlier: String = earlier.collect();
    let statements = function.body()?.stmt_list()?;
    let is_theirs = |it: &SyntaxNode| !it.to_string().starts_with(KEEP);
    let all = statements.statements().map(|it| it.syntax().clone());
    let start = bytes(statements.l_curly_token()?.text_range()).end;
    let end = all.take_while(is_theirs).last().map_or(start, |it| bytes(it.text_range()).end);
    let whole = bytes(function.syntax().text_range());
    Some(format!(
        "{}\n{EARLIER}async fn {WRAPPER}() -> Result<(), {ERROR}> {{\n{earlier}{}\n\
         let {END} = ();\nOk(()) }}\n{}",
        &source[..whole.start],
        &source[start..end],
        &source[whole.end..]
    ))
}

/// The types of the variables of the cell's function that are there at its end.
fn found(mir: &str) -> HashMap<String, String> {
    let start = format!("fn {WRAPPER}::{{closure#0}}(");
    let lines = mir.lines().skip_while(|line| !line.starts_with(&start)).skip(1);
    let mut locals = HashMap::new();
    // The variables of each scope in which the line is, from the outermost in.
    let mut scopes = vec![vec![]];
    for line in lines.map(str::trim) {
        if line.starts_with("scope ") {
            scopes.push(vec![]);
        } else if line == "}" {
            scopes.pop();
        } else if let Some((name, place)) = variable(line) {
            if name == END {
                return named(&scopes.concat(), &locals);
            }
            scopes.last_mut().unwrap_or(&mut vec![]).push((name, place));
        } else if let Some((local, kind)) = local(line) {
            locals.insert(local, kind);
        }
    }
    HashMap::new()
}

/// A variable's name and where its value is, from `debug name => place;`.
fn variable(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("debug ")?.strip_suffix(';')?.split_once(" => ")
}

/// A place in the function and its type, from `let mut place: type;`.
fn local(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("let ")?.strip_suffix(';')?;
    line.strip_prefix("mut ").unwrap_or(line).split_once(": ")
}

/// The types of variables at these places.
fn named(variables: &[(&str, &str)], locals: &HashMap<&str, &str>) -> HashMap<String, String> {
    let mut types = HashMap::new();
    for (name, place) in variables {
        // The last variable of a name is the one that is there at the end.
        types.remove(*name);
        let kind = locals.get(place).copied().or_else(|| type_of_part(place));
        // What stands in braces is a closure or a future, whose type has no name.
        if let Some(kind) = kind.filter(|kind| !kind.contains('{')) {
            types.insert((*name).to_owned(), kind.to_owned());
        }
    }
    types
}

/// The type in `(((*_1) as variant#3).0: type)`: a variable that is there across an `await` is a
/// part of the future.
fn type_of_part(place: &str) -> Option<&str> {
    let (_, after) = place.split_once(" as variant#")?;
    after.split_once(": ")?.1.strip_suffix(')')
}

fn bytes(range: TextRange) -> Range<usize> {
    usize::from(range.start())..usize::from(range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cell_is_left_alone_with_its_earlier_variables() {
        let source = "use a::*;\nasync fn evcxr_analysis_wrapper(\nmut x: &str,\n) -> Result<(), E> {\n\
                      let y = x;\nevcxr_variable_store(x);\nOk(())\n}\n";
        let expected = "use a::*;\n\n".to_owned()
            + EARLIER
            + "async fn evcxr_analysis_wrapper() -> Result<(), EvcxrUserCodeError> {\n\
               let mut x: &str = erm_earlier();\n\nlet y = x;\nlet erm_end = ();\nOk(()) }\n\n";
        assert_eq!(alone(source).unwrap(), expected);
        assert_eq!(alone("fn other() {}"), None);
    }

    #[test]
    fn the_types_are_those_of_the_variables_at_the_end_that_have_one() {
        let mir = "fn other() {\n    debug x => _1;\n}\n\
            fn evcxr_analysis_wrapper::{closure#0}(_1: Pin) -> Poll {\n\
            let _2: u8;\nlet mut _3: std::vec::Vec<&str>;\nlet _4: {closure@src/types.rs:1:1: 1:2};\n\
            scope 1 {\ndebug x => _2;\nscope 2 {\ndebug x => _2;\ndebug words => _3;\n\
            scope 3 {\ndebug x => _4;\n}\n\
            scope 4 {\ndebug f => _4;\ndebug part => (((*_1) as variant#3).0: std::boxed::Box<u8>);\n\
            scope 5 {\ndebug erm_end => _5;\n}\n}\n}\n}\nbb0: {\n";
        let expected =
            [("x", "u8"), ("words", "std::vec::Vec<&str>"), ("part", "std::boxed::Box<u8>")];
        let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        assert_eq!(found(mir), expected.into());
        assert_eq!(found("fn evcxr_analysis_wrapper::{closure#0}() {\n}\n"), HashMap::new());
    }
}
