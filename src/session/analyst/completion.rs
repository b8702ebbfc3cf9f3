//! What fits at a place in a cell.

use std::ops::Range;

use anyhow::{Context, Result};
use ra_ap_hir::PrefixKind;
use ra_ap_ide::{
    CompletionConfig, CompletionFieldsToResolve, CompletionItem, CompletionItemKind, FilePosition,
    RaFixtureConfig,
};
use ra_ap_ide_db::SymbolKind;
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig};

use super::reader::Reader;
use super::scene::Scene;

/// evcxr's commands, as its `:help` lists them.
const COMMANDS: [&str; 16] = [
    ":build_env",
    ":clear",
    ":dep",
    ":doc",
    ":efmt",
    ":env",
    ":explain",
    ":fmt",
    ":help",
    ":opt",
    ":show_deps",
    ":timing",
    ":type",
    ":types",
    ":vars",
    ":version",
];

/// What fits at a place in a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completions {
    /// The candidates: what to insert and what kind of thing it is.
    pub matches: Vec<(String, &'static str)>,
    /// The bytes of the cell that a candidate replaces.
    pub replaced: Range<usize>,
}

/// The commands that fit where a line starts with a colon; `None` on any other line.
pub fn of_command(code: &str, at: usize) -> Option<Completions> {
    let before = code.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let typed = &before[start..];
    if !typed.starts_with(':') || typed.contains(' ') {
        return None;
    }
    let fitting = COMMANDS.iter().filter(|command| command.starts_with(typed));
    let matches = fitting.map(|command| ((*command).to_owned(), "magic")).collect();
    Some(Completions { matches, replaced: start..at })
}

/// What fits at a byte of the cell.
pub fn find(reader: &mut Reader, scene: &Scene, cell: &str, at: usize) -> Result<Completions> {
    let place = scene.place(at).context("there is no Rust at this place")?;
    reader.set(scene.text.clone());
    let position = FilePosition { file_id: reader.file, offset: u32::try_from(place)?.into() };
    let found = reader.analysis().completions(&config(), position, None)?.unwrap_or_default();
    let start = found.first().map_or(place, |item| item.source_range.start().into());
    let start = scene.in_cell(start).unwrap_or(at).min(at);
    let prefix = cell.get(start..at).unwrap_or_default();
    let fitting = found.iter().filter(|item| is_fitting(item, prefix));
    let mut matches: Vec<_> = fitting.map(|item| (insertion(item), kind(item.kind))).collect();
    matches.dedup();
    Ok(Completions { matches, replaced: start..at })
}

/// Whether it goes on as somebody has begun, and is meant to be typed.
fn is_fitting(item: &CompletionItem, prefix: &str) -> bool {
    let text = insertion(item);
    text.starts_with(prefix) && !text.starts_with("evcxr_") && !text.starts_with("Evcxr")
}

/// What is written in the place of what was typed.
fn insertion(item: &CompletionItem) -> String {
    item.text_edit.iter().next().map(|edit| edit.insert.clone()).unwrap_or_default()
}

fn config() -> CompletionConfig<'static> {
    CompletionConfig {
        enable_postfix_completions: false,
        enable_imports_on_the_fly: false,
        enable_self_on_the_fly: true,
        enable_auto_iter: false,
        enable_auto_await: false,
        enable_private_editable: false,
        enable_term_search: false,
        term_search_fuel: 0,
        full_function_signatures: false,
        callable: None,
        add_colons_to_module: false,
        add_semicolon_to_unit: false,
        snippet_cap: None,
        insert_use: InsertUseConfig {
            granularity: ImportGranularity::Item,
            enforce_granularity: false,
            prefix_kind: PrefixKind::ByCrate,
            group: false,
            skip_glob_imports: false,
        },
        prefer_no_std: false,
        prefer_prelude: true,
        prefer_absolute: false,
        snippets: vec![],
        limit: None,
        fields_to_resolve: CompletionFieldsToResolve::empty(),
        exclude_flyimport: vec![],
        exclude_traits: &[],
        ra_fixture: RaFixtureConfig::default(),
    }
}

/// Jupyter's word for a kind of thing.
fn kind(kind: CompletionItemKind) -> &'static str {
    use CompletionItemKind as Item;
    use SymbolKind as Symbol;
    match kind {
        Item::Keyword | Item::BuiltinType => "keyword",
        Item::SymbolKind(Symbol::Function | Symbol::Method) => "function",
        Item::SymbolKind(
            Symbol::Macro | Symbol::ProcMacro | Symbol::Derive | Symbol::Attribute,
        ) => "function",
        Item::SymbolKind(Symbol::Module | Symbol::CrateRoot | Symbol::ToolModule) => "module",
        Item::SymbolKind(
            Symbol::Struct
            | Symbol::Enum
            | Symbol::Union
            | Symbol::Trait
            | Symbol::TypeAlias
            | Symbol::TypeParam
            | Symbol::SelfType,
        ) => "class",
        _ => "instance",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_completed_at_the_start_of_a_line() {
        let found = of_command("// note\n:ve", 11).unwrap();
        assert_eq!(found.matches, [(":version".to_owned(), "magic")]);
        assert_eq!(found.replaced, 8..11);
        assert_eq!(of_command(":dep ra", 7), None);
        assert_eq!(of_command("let x", 5), None);
    }
}
