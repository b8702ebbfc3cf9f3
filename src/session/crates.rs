//! The crates that the cells of a session can use: the prelude, and what `:dep` lines add.
//!
//! They are built in the session's clone of the template, by cargo, with the versions that the
//! prelude was built with, so that a crate of both is one crate. evcxr learns of none of them: it
//! would have cargo look at all of them for every cell, and rust-analyzer read all their sources
//! before the first. The compiler is told instead where each one is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::cache::{Cache, rustflags};
use super::template;

/// evcxr's command that adds a crate.
const COMMAND: &str = ":dep";
/// evcxr's command that lists those that were added.
const LIST: &str = ":show_deps";
/// Between two flags in cargo's own variable, which may then hold any other character.
const BETWEEN: &str = "\x1f";

/// What makes the compiler quick with a cell at little cost for loops in it: the parts of a cell are
/// few, and each is optimised without a look at the others.
const QUICK: [&str; 2] = ["-Clto=off", "-Ccodegen-units=4"];

/// The crates of one session.
pub struct Crates {
    folder: PathBuf,
    /// What was added: the name, and what cargo has to know of it.
    added: BTreeMap<String, String>,
    /// Flags that name the crates.
    named: Vec<String>,
    /// Flags that say where to look for what they need.
    searched: Vec<String>,
}

impl Crates {
    /// The prelude alone, in a clone of the template.
    pub fn of_template(cache: &Cache, folder: &Path) -> Result<Crates> {
        let [built, of_macros] = folders(cache, folder)?;
        let library = format!("{}erm{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        let files = [built.join(library), built.join("liberm.rlib")];
        // A template that needs no libraries of others may be older than this list.
        let linked = fs::read_to_string(folder.join(template::LINKED_FILE)).unwrap_or_default();
        Ok(Crates {
            folder: folder.to_owned(),
            added: BTreeMap::new(),
            named: files.iter().flat_map(|file| external("erm", &file.to_string_lossy())).collect(),
            searched: [built, of_macros]
                .iter()
                .map(|it| searched(it))
                .chain(linked.lines().map(linking))
                .collect(),
        })
    }

    /// evcxr's command that tells the compiler of the crates.
    pub fn command(&self) -> String {
        format!(":build_env CARGO_ENCODED_RUSTFLAGS={}", self.flags().join(BETWEEN))
    }

    /// The flags with which the compiler finds the crates, and is quick with a cell.
    pub fn flags(&self) -> Vec<String> {
        let flags = rustflags();
        let flags = flags.split(' ').chain(QUICK).map(str::to_owned);
        flags.chain(self.named.iter().chain(&self.searched).cloned()).collect()
    }

    /// The crates that were added, if that is what a cell asks.
    pub fn listed(&self, cell: &str) -> Option<String> {
        let lines = self.added.iter().map(|(name, config)| format!("{name} = {config}"));
        (cell.trim() == LIST).then(|| lines.collect::<Vec<_>>().join("\n"))
    }

    /// Adds the crates that a cell asks for, and gives back the cell without these lines; `None`
    /// where it asks for none. If they cannot be built, everything stays as it was.
    pub fn add(&mut self, cache: &Cache, cell: &str) -> Result<Option<String>> {
        let (asked, rest) = split(cell);
        if asked.is_empty() {
            return Ok(None);
        }
        let mut added = self.added.clone();
        for words in asked {
            let (name, config) = dependency(words)?;
            added.insert(name, config);
        }
        let files = ["Cargo.toml", "Cargo.lock"].map(|name| self.folder.join(name));
        let before = files.each_ref().map(fs::read);
        let built = self.build(cache, &added);
        if built.is_err() {
            for (file, text) in files.iter().zip(before) {
                fs::write(file, text?)?;
            }
        }
        (self.named, self.searched) = built?;
        self.added = added;
        Ok(Some(rest))
    }

    /// Builds the prelude and these crates, and says how the compiler finds them.
    fn build(
        &self,
        cache: &Cache,
        added: &BTreeMap<String, String>,
    ) -> Result<(Vec<String>, Vec<String>)> {
        let lines = added.iter().map(|(name, config)| format!("\n{name} = {config}"));
        let dependencies = cache.dependency() + &lines.collect::<String>();
        fs::write(self.folder.join("Cargo.toml"), template::manifest(&dependencies))?;
        let names = names(&template::metadata(cache, &self.folder)?);
        let folders = folders(cache, &self.folder)?;
        let mut searched: Vec<_> = folders.iter().map(|it| searched(it)).collect();
        let mut named = Vec::new();
        template::build(cache, &self.folder, |message| match message["reason"].as_str() {
            Some("compiler-artifact") => {
                let package = message["package_id"].as_str().unwrap_or_default();
                if let Some(name) = names.get(package) {
                    named.extend(libraries(message).flat_map(|file| external(name, file)));
                }
            }
            Some("build-script-executed") => {
                searched.extend(template::linked_paths(message).map(linking));
            }
            _ => {}
        })?;
        Ok((named, searched))
    }
}

/// Where cargo puts what it builds for cells, and for macros.
fn folders(cache: &Cache, folder: &Path) -> Result<[PathBuf; 2]> {
    let target = folder.join("target");
    Ok([target.join(cache.host()?), target].map(|it| it.join("debug/deps")))
}

/// The flag with which the compiler looks into a folder for what a crate needs.
fn searched(folder: &Path) -> String {
    format!("-Ldependency={}", folder.display())
}

/// The flag with which the linker looks into a folder.
fn linking(folder: &str) -> String {
    format!("-L{folder}")
}

/// The flags with which the compiler finds a crate in a file.
fn external(name: &str, file: &str) -> [String; 2] {
    ["--extern".to_owned(), format!("{name}={file}")]
}

/// The crates that the session's own crate names: their packages, and by which name.
fn names(metadata: &Value) -> BTreeMap<String, String> {
    let resolved = &metadata["resolve"];
    let nodes = resolved["nodes"].as_array().into_iter().flatten();
    let ours = nodes.filter(|node| node["id"] == resolved["root"]);
    let found = ours.flat_map(|node| node["deps"].as_array().into_iter().flatten());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    found.filter_map(|it| Some((text(&it["pkg"])?, text(&it["name"])?))).collect()
}

/// The files among those of an artifact that a crate is linked with.
fn libraries(artifact: &Value) -> impl Iterator<Item = &str> {
    let files = artifact["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    files.filter(|file| [".rlib", env::consts::DLL_SUFFIX].iter().any(|end| file.ends_with(end)))
}

/// What follows `:dep` in the lines of a cell that add a crate, and the cell with these lines empty.
///
/// Commands come before all code, and evcxr passes over blank lines and comments among them.
fn split(cell: &str) -> (Vec<&str>, String) {
    let mut asked = Vec::new();
    let mut rest = String::new();
    let mut is_code = false;
    for line in cell.split_inclusive('\n') {
        let words = line.trim();
        is_code |= !words.is_empty() && ![":", "!", "//"].iter().any(|it| words.starts_with(it));
        let crates = words.strip_prefix(COMMAND).filter(|after| after.starts_with([' ', '\t']));
        match crates.filter(|_| !is_code) {
            Some(words) => {
                asked.push(words.trim());
                rest += if line.ends_with('\n') { "\n" } else { "" };
            }
            None => rest += line,
        }
    }
    (asked, rest)
}

/// A crate's name and what cargo has to know of it, from `name`, `name = …` or a folder.
fn dependency(words: &str) -> Result<(String, String)> {
    if words.starts_with(['.', '/']) {
        let folder = fs::canonicalize(words);
        let folder = folder.with_context(|| format!("no crate is in the folder {words}"))?;
        return Ok((package(&folder)?, format!("{{ path = {folder:?} }}")));
    }
    let (name, config) = words.split_once('=').unwrap_or((words, "\"*\""));
    let name = name.trim();
    let is_name = |name: &str| {
        let fits = |it: char| it.is_alphanumeric() || it == '-' || it == '_';
        !name.is_empty() && name.chars().all(fits)
    };
    ensure!(
        is_name(name) && !config.trim().is_empty(),
        "`{COMMAND} {words}` names no crate; write `{COMMAND} name`, `{COMMAND} name = \"1.0\"`, \
         `{COMMAND} name = {{ path = \"…\" }}` or `{COMMAND} ./folder`"
    );
    Ok((name.to_owned(), absolute(config.trim())?))
}

/// The same with a relative `path` made absolute, since cargo reads it in another folder.
fn absolute(config: &str) -> Result<String> {
    let Some((before, after)) = config.split_once("path") else { return Ok(config.to_owned()) };
    let Some(after) = after.trim_start().strip_prefix('=') else { return Ok(config.to_owned()) };
    let mut parts = after.splitn(3, '"');
    let (Some(_), Some(path), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(config.to_owned());
    };
    let folder =
        fs::canonicalize(path).with_context(|| format!("no crate is in the folder {path}"))?;
    Ok(format!("{before}path = {folder:?}{rest}"))
}

/// The name of the package in a folder.
fn package(folder: &Path) -> Result<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let lines = manifest.lines().skip_while(|line| line.trim() != "[package]");
    let name = lines.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "name");
    let name = name.map(|(_, value)| value.trim().trim_matches('"').to_owned());
    name.with_context(|| format!("no Cargo.toml that names a package in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_lines_are_taken_out_and_all_others_keep_their_places() {
        let cell = "// crates\n:vars\n:dep itoa\n\n :dep rand = \"0.8\"\nlet x = 1;\n:dep no";
        let (asked, rest) = split(cell);
        assert_eq!(asked, ["itoa", "rand = \"0.8\""]);
        assert_eq!(rest, "// crates\n:vars\n\n\n\nlet x = 1;\n:dep no");
        assert_eq!(split("let x = \"\n:dep no\";").0, [""; 0]);
        assert_eq!(split(":depth 3").0, [""; 0]);
    }

    #[test]
    fn only_a_cell_that_asks_for_them_gets_the_crates_that_were_added() {
        let added = [("rand", "\"0.8\""), ("itoa", "\"*\"")].map(|(a, b)| (a.into(), b.into()));
        let (named, searched) = (vec![], vec![]);
        let crates = Crates { folder: PathBuf::new(), added: added.into(), named, searched };
        assert_eq!(crates.listed(":show_deps\n").unwrap(), "itoa = \"*\"\nrand = \"0.8\"");
        assert_eq!(crates.listed("let deps = 1;"), None);
    }

    #[test]
    fn a_crate_is_named_with_or_without_a_version_or_by_its_folder() {
        let named = |words: &str| dependency(words).map_err(|error| error.to_string());
        let pair = |name: &str, config: &str| Ok((name.to_owned(), config.to_owned()));
        assert_eq!(named("itoa"), pair("itoa", "\"*\""));
        assert_eq!(named("rand = \"0.8\""), pair("rand", "\"0.8\""));
        let prelude = format!("{}/prelude", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(named(&prelude), pair("erm-prelude", &format!("{{ path = {prelude:?} }}")));
        let config = format!("{{ path = \"{prelude}/../prelude\", features = [] }}");
        let expected = format!("{{ path = {prelude:?}, features = [] }}");
        assert_eq!(named(&format!("erm = {config}")), pair("erm", &expected));
        assert!(named("two words").unwrap_err().contains("names no crate"));
        assert!(named("./nowhere").unwrap_err().contains("nowhere"));
    }

    #[test]
    fn a_crate_is_known_by_the_name_that_the_sessions_own_crate_gives_it() {
        let metadata = serde_json::json!({"resolve": {"root": "ctx", "nodes": [
            {"id": "other", "deps": [{"name": "no", "pkg": "no 1"}]},
            {"id": "ctx", "deps": [{"name": "my_rand", "pkg": "rand 0.8"}]},
        ]}});
        let expected = [("rand 0.8".to_owned(), "my_rand".to_owned())];
        assert_eq!(names(&metadata), expected.into());
        let files = serde_json::json!({"target": {"kind": ["lib"]},
            "filenames": ["a/librand.rlib", "a/librand.rmeta"]});
        assert_eq!(libraries(&files).collect::<Vec<_>>(), ["a/librand.rlib"]);
    }
}
