//! The variables that a cell makes and their types, which evcxr has to know in order to keep them.

use std::collections::HashMap;

use anyhow::{Context, Result};
use ra_ap_base_db::EditionedFileId;
use ra_ap_hir::{HirDisplay, Module, Semantics, Type, attach_db};
use ra_ap_ide::RootDatabase;
use ra_ap_syntax::SourceFile;
use ra_ap_syntax::SyntaxKind::{ERROR, INFER_TYPE, UNDERSCORE_EXPR};
use ra_ap_syntax::ast::{self, AstNode, HasModuleItem, HasName};

use super::reader::{EDITION, Reader};
use super::scene::{CELL, Scene, Scope};

/// The types of the variables that are there at the end of a cell, in words that the cell can use,
/// as far as they can be told.
pub fn find(reader: &mut Reader, cell: &str, scope: &Scope) -> Result<HashMap<String, String>> {
    reader.set(Scene::of(cell, scope).text);
    let database = reader.database();
    attach_db(database, || {
        let semantics = Semantics::new(database);
        let source = semantics.parse(EditionedFileId::new(database, reader.file, EDITION));
        let function = source.items().find_map(|item| match item {
            ast::Item::Fn(function) if function.name()?.text() == CELL => Some(function),
            _ => None,
        });
        let function = function.context("the cell's statements cannot be told apart")?;
        let module = semantics.scope(function.syntax()).context("the cell has no scope")?.module();
        let body = function.body().context("the cell has no statements")?;
        let lets = body.statements().filter_map(|statement| match statement {
            ast::Stmt::LetStmt(it) => it.pat(),
            _ => None,
        });
        let patterns = lets.flat_map(|pattern| {
            let inside = pattern.syntax().descendants();
            inside.filter_map(ast::IdentPat::cast).collect::<Vec<_>>()
        });
        let mut types = HashMap::new();
        for pattern in patterns {
            let Some(name) = pattern.name().map(|name| name.text().to_string()) else { continue };
            // The last variable of a name is the one that is there at the end.
            types.remove(&name);
            let kind = semantics.type_of_binding_in_pat(&pattern);
            if let Some(words) = kind.and_then(|kind| words(&kind, &semantics, module)) {
                types.insert(name, words);
            }
        }
        Ok(types)
    })
}

fn words(
    kind: &Type<'_>,
    semantics: &Semantics<'_, RootDatabase>,
    module: Module,
) -> Option<String> {
    let words = kind.display_source_code(semantics.db, module.into(), true).ok()?;
    is_type(&words).then_some(words)
}

/// Whether this is a whole type. rust-analyzer leaves out what it does not know.
fn is_type(words: &str) -> bool {
    let parsed = SourceFile::parse(&format!("const A: {words} = a;"), EDITION);
    let open = [ERROR, INFER_TYPE, UNDERSCORE_EXPR];
    let mut nodes = parsed.syntax_node().descendants();
    parsed.errors().is_empty() && !nodes.any(|node| open.contains(&node.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_type_is_one() {
        assert!(is_type("Vec<[f32; 3]>"));
        assert!(is_type("&'static str"));
        for part in ["[f32; _]", "Vec<_>", "{unknown}"] {
            assert!(!is_type(part), "{part}");
        }
    }
}
