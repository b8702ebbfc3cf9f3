//! rust-analyzer on the crates that cells can use, and on one source that is another one for every
//! question.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use ra_ap_base_db::SourceRoot;
use ra_ap_hir::ChangeWithProcMacros;
use ra_ap_ide::{Analysis, AnalysisHost, FileId, RootDatabase};
use ra_ap_paths::{AbsPath, AbsPathBuf};
use ra_ap_project_model::{
    CargoConfig, CargoWorkspace, Package, PackageRoot, ProjectManifest, ProjectWorkspace,
    ProjectWorkspaceKind, RustLibSource,
};
use ra_ap_syntax::Edition;
use ra_ap_vfs::file_set::FileSetConfig;
use ra_ap_vfs::{Change, Vfs, VfsPath};

use super::Sources;

/// The edition of cells.
pub const EDITION: Edition = Edition::Edition2024;

/// The package of the prelude.
const PRELUDE: &str = "erm-prelude";
/// What the prelude's own signatures lead to among the crates that it needs. All others are used
/// inside of functions alone, and reading them would take longer than these and the library.
const SEEN: [&str; 12] = [
    "dfdx",
    "half",
    "image",
    "ndarray",
    "num-complex",
    "num-traits",
    "plotters",
    "plotters-backend",
    "plotters-svg",
    "rand",
    "rand_core",
    "rand_distr",
];
/// The parts of the standard library that have something in them for a cell.
const LIBRARY: [&str; 3] = ["alloc", "core", "std"];

/// Sources that have been read.
pub struct Reader {
    host: AnalysisHost,
    /// The file of the source in question.
    pub file: FileId,
}

impl Reader {
    /// Reads the crates.
    pub fn load(sources: &Sources) -> Result<Reader> {
        let folder = absolute(&sources.folder)?;
        let manifest = ProjectManifest::from_manifest_file(folder.join("Cargo.toml"))?;
        let library = sources.library.as_deref().map(absolute).transpose()?;
        let config = CargoConfig {
            sysroot: library.as_ref().map(|_| RustLibSource::Discover),
            sysroot_src: library,
            ..CargoConfig::default()
        };
        let workspace = ProjectWorkspace::load(manifest, &config, &|_| {})?;
        let mut files = Vfs::default();
        let question: VfsPath = folder.join("src/lib.rs").into();
        let unread = unread(&workspace, sources.library.as_deref());
        for root in workspace.to_roots() {
            if !root.include.iter().all(|folder| unread(folder)) {
                read(&root, &unread, &mut files);
            }
        }
        files.set_file_contents(question.clone(), Some(vec![]));
        let (file, _) = files.file_id(&question).context("the source of cells has no number")?;
        let mut host = AnalysisHost::default();
        host.apply_change(beginning(&workspace, files, folder));
        Ok(Reader { host, file })
    }

    /// Takes this source as the one in question.
    pub fn set(&mut self, source: String) {
        let mut change = ChangeWithProcMacros::default();
        change.change_file(self.file, Some(source));
        self.host.apply_change(change);
    }

    /// Answers questions on the source.
    pub fn analysis(&self) -> Analysis {
        self.host.analysis()
    }

    /// All that is known.
    pub fn database(&self) -> &RootDatabase {
        self.host.raw_database()
    }
}

/// All files as they are now. Only those in the cells' own folder change; knowing that of the others
/// makes an answer quick.
fn beginning(
    workspace: &ProjectWorkspace,
    mut files: Vfs,
    folder: AbsPathBuf,
) -> ChangeWithProcMacros {
    let mut change = ChangeWithProcMacros::default();
    for (id, file) in files.take_changes() {
        if let Change::Create(bytes, _) | Change::Modify(bytes, _) = file.change
            && let Ok(text) = String::from_utf8(bytes)
        {
            change.change_file(id, Some(text));
        }
    }
    let mut sets = FileSetConfig::builder();
    sets.add_file_set(vec![folder.into()]);
    let sets = sets.build().partition(&files).into_iter().enumerate();
    let root = |(number, set)| match number {
        0 => SourceRoot::new_local(set),
        _ => SourceRoot::new_library(set),
    };
    change.set_roots(sets.map(root).collect());
    let number = &mut |path: &AbsPath| files.file_id(&path.to_path_buf().into()).map(|it| it.0);
    let (graph, _) = workspace.to_crate_graph(number, &Default::default());
    change.set_crate_graph(graph);
    change
}

/// Says of a folder whether nothing in it matters to a cell.
fn unread(workspace: &ProjectWorkspace, library: Option<&Path>) -> impl Fn(&AbsPath) -> bool {
    let library = library.map(Path::to_owned);
    let hidden = match &workspace.kind {
        ProjectWorkspaceKind::Cargo { cargo, .. } => hidden(cargo),
        _ => HashSet::new(),
    };
    move |folder| {
        let folder: &Path = folder.as_ref();
        let part = library.as_deref().and_then(|library| folder.strip_prefix(library).ok());
        let part = part.and_then(|part| part.iter().next());
        part.is_some_and(|part| !LIBRARY.iter().any(|it| part == *it)) || hidden.contains(folder)
    }
}

/// The folders of the crates that the prelude needs and no cell can see.
fn hidden(cargo: &CargoWorkspace) -> HashSet<PathBuf> {
    let below = |first: Vec<Package>| {
        let (mut found, mut left) = (HashSet::new(), first);
        while let Some(package) = left.pop() {
            if found.insert(package) {
                left.extend(cargo[package].dependencies.iter().map(|it| it.pkg));
            }
        }
        found
    };
    let members = cargo.packages().filter(|it| cargo[*it].is_member);
    let direct: Vec<_> =
        members.flat_map(|it| cargo[it].dependencies.iter().map(|it| it.pkg)).collect();
    let (prelude, others): (Vec<_>, Vec<_>) =
        direct.into_iter().partition(|it| *cargo[*it].name == *PRELUDE);
    let visible = below(others);
    let is_hidden = |it: &Package| {
        !visible.contains(it) && *cargo[*it].name != *PRELUDE && !SEEN.contains(&&*cargo[*it].name)
    };
    let hidden = below(prelude).into_iter().filter(is_hidden);
    hidden.map(|it| AsRef::<Path>::as_ref(cargo[it].manifest.parent()).to_owned()).collect()
}

/// Reads the sources of one crate. What cannot be read is as if it were not there.
fn read(root: &PackageRoot, unread: &dyn Fn(&AbsPath) -> bool, into: &mut Vfs) {
    let mut folders = root.include.clone();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(AsRef::<Path>::as_ref(&folder)).into_iter().flatten().flatten();
        for entry in entries {
            let Ok(path) = AbsPathBuf::try_from(entry.path().to_string_lossy().as_ref()) else {
                continue;
            };
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !root.exclude.contains(&path) && !root.include.contains(&path) && !unread(&path)
                {
                    folders.push(path);
                }
            } else if path.extension() == Some("rs") {
                into.set_file_contents(path.into(), fs::read(entry.path()).ok());
            }
        }
    }
}

fn absolute(path: &Path) -> Result<AbsPathBuf> {
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    AbsPathBuf::try_from(text).map_err(|_| anyhow!("{text} is not an absolute path"))
}
