//! A cell amid all that earlier cells have left, as one source that rust-analyzer can read.

use std::ops::Range;

use ra_ap_syntax::SourceFile;
use ra_ap_syntax::ast::{self, HasModuleItem, HasName};

use super::reader::EDITION;
use crate::session::statements::{Kind, Statements};

/// The name of the function that holds the statements of the cell.
pub const CELL: &str = "evcxr_cell";
/// Whatever evcxr adds to a crate of its own has one of these in its name.
const NOT_OURS: [&str; 3] = ["evcxr_internal_runtime", "EvcxrUserCodeError", "run_user_code_"];
/// A `?` in a cell turns any error into this one.
const ERROR: &str = "struct EvcxrError {}\n\
    impl<T: std::fmt::Debug> From<T> for EvcxrError { fn from(_: T) -> Self { EvcxrError {} } }\n";

/// What the cells so far have left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Functions, types, what is imported.
    pub items: String,
    /// Variables and their types.
    pub variables: Vec<(String, String)>,
}

impl Scope {
    /// Takes the items of the crate that evcxr made of a cell.
    pub fn take_items(&mut self, source: &str) {
        let parsed = SourceFile::parse(source, EDITION).tree();
        let is_ours = |text: &String| !NOT_OURS.iter().any(|name| text.contains(name));
        let items: Vec<_> = parsed.items().map(|item| item.to_string()).filter(is_ours).collect();
        self.items = items.join("\n");
    }

    /// Takes the variables that evcxr keeps now.
    pub fn take_variables<'s>(&mut self, variables: impl Iterator<Item = (&'s str, &'s str)>) {
        let owned = |(name, kind): (&str, &str)| (name.to_owned(), kind.to_owned());
        self.variables = variables.map(owned).collect();
    }

    /// The items, without those whose names a cell gives to others.
    fn items_but(&self, renewed: &[String]) -> String {
        let parsed = SourceFile::parse(&self.items, EDITION).tree();
        let stays = |item: &ast::Item| !name(item).is_some_and(|name| renewed.contains(&name));
        let items: Vec<_> = parsed.items().filter(stays).map(|item| item.to_string()).collect();
        items.join("\n")
    }
}

/// A source with a cell in it.
pub struct Scene {
    /// The source.
    pub text: String,
    /// Which bytes of the cell are where.
    pieces: Vec<(Range<usize>, usize)>,
}

impl Scene {
    /// Puts the cell where the names of the scope can be used.
    pub fn of(cell: &str, scope: &Scope) -> Scene {
        let parts = Statements::of(cell).parts();
        let of_kind = |is_item: bool| {
            let ours = parts.iter().filter(move |(_, kind)| (*kind == Kind::Item) == is_item);
            ours.map(|(range, _)| range.clone())
        };
        let renewed: Vec<_> = of_kind(true).filter_map(|range| name_in(&cell[range])).collect();
        let mut scene = Scene { text: scope.items_but(&renewed), pieces: vec![] };
        scene.text += "\n";
        scene.add(cell, of_kind(true));
        let parameters = scope.variables.iter().map(|(name, kind)| format!("mut {name}: {kind}, "));
        let parameters: String = parameters.collect();
        scene.text += ERROR;
        scene.text += &format!("async fn {CELL}({parameters}) -> Result<(), EvcxrError> {{\n");
        scene.add(cell, of_kind(false));
        scene.text += ";\nOk(()) }";
        scene
    }

    /// Where a byte of the cell is in the source.
    pub fn place(&self, at: usize) -> Option<usize> {
        let holds = |range: &Range<usize>| range.start <= at && at <= range.end;
        // Between two pieces, what is being typed is at the end of the first.
        let (range, start) = self.pieces.iter().find(|(range, _)| holds(range))?;
        Some(start + at - range.start)
    }

    /// Which byte of the cell a byte of the source is.
    pub fn in_cell(&self, at: usize) -> Option<usize> {
        let holds =
            |(range, start): &&(Range<usize>, usize)| (*start..=start + range.len()).contains(&at);
        let (range, start) = self.pieces.iter().find(holds)?;
        Some(range.start + at - start)
    }

    fn add(&mut self, cell: &str, ranges: impl Iterator<Item = Range<usize>>) {
        for range in ranges {
            self.pieces.push((range.clone(), self.text.len()));
            self.text += &cell[range];
            self.text += "\n";
        }
    }
}

fn name_in(text: &str) -> Option<String> {
    name(&SourceFile::parse(text, EDITION).tree().items().next()?)
}

/// The name by which an item can be used.
fn name(item: &ast::Item) -> Option<String> {
    let name = match item {
        ast::Item::Const(it) => it.name(),
        ast::Item::Enum(it) => it.name(),
        ast::Item::Fn(it) => it.name(),
        ast::Item::MacroRules(it) => it.name(),
        ast::Item::Module(it) => it.name(),
        ast::Item::Static(it) => it.name(),
        ast::Item::Struct(it) => it.name(),
        ast::Item::Trait(it) => it.name(),
        ast::Item::TypeAlias(it) => it.name(),
        ast::Item::Union(it) => it.name(),
        _ => None,
    };
    name.map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_holds_what_cells_wrote_and_nothing_of_evcxr() {
        let source = "#![allow(unused)]\nuse a::*;\nfn f() {}\nstruct EvcxrUserCodeError {}\n\
                      mod evcxr_internal_runtime {}\npub extern \"C\" fn run_user_code_7() {}";
        let mut scope = Scope::default();
        scope.take_items(source);
        scope.take_variables([("x", "i32")].into_iter());
        assert_eq!(scope.items, "use a::*;\nfn f() {}");
        assert_eq!(scope.variables, [("x".to_owned(), "i32".to_owned())]);
    }

    #[test]
    fn a_cell_sees_the_scope_and_its_bytes_are_found_again() {
        let items = "use a::*;\nfn f() {}\nfn g() {}".to_owned();
        let scope = Scope { items, variables: vec![("x".to_owned(), "i32".to_owned())] };
        let cell = ":vars\nlet y = x;\nfn f() -> u8 { 1 }\nnet.";
        let scene = Scene::of(cell, &scope);
        assert!(
            scene.text.starts_with("use a::*;\nfn g() {}\nfn f() -> u8 { 1 }"),
            "{}",
            scene.text
        );
        assert!(scene.text.contains("(mut x: i32, )"), "{}", scene.text);
        for (at, after) in [(17, "fn f() -> u8"), (6, "let y = x;"), (cell.len(), "\n")] {
            let place = scene.place(at).unwrap();
            assert!(scene.text[place..].starts_with(after), "{at}: {}", &scene.text[place..]);
            assert_eq!(scene.in_cell(place), Some(at));
        }
        assert_eq!(scene.place(2), None);
    }
}
