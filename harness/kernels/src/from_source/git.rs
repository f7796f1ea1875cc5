//! Git: a repository of the cache, which holds a source and what patches make of it, apart from
//! all repositories and settings of the user.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, bail};

use super::files;
use super::run::Runner;
use crate::child;

/// Settings of every command. Files are taken and written byte for byte, under any name.
const SETTINGS: [&str; 7] = [
    "core.autocrlf=false",
    "core.attributesFile=/dev/null",
    "core.protectHFS=false",
    "core.protectNTFS=false",
    "core.quotePath=false",
    // A source has 80,000 files, and a sync of each of them would take minutes.
    "core.fsyncMethod=batch",
    "core.looseCompression=1",
];
/// Takes precedence over what a source says in its own `.gitattributes`.
const ATTRIBUTES: &str = "* -text -ident !filter !working-tree-encoding\n";

/// An index of the repository: what git knows about the files of one work tree.
#[derive(Clone, Copy)]
pub(super) enum Index {
    /// The source as the user has it, or as it was unpacked.
    Source,
    /// The tree that is built.
    Build,
    /// The patches applied so far, without a work tree.
    Series,
}

impl Index {
    fn name(self) -> &'static str {
        match self {
            Index::Source => "index.source",
            Index::Build => "index.build",
            Index::Series => "index.series",
        }
    }
}

/// A bare repository.
pub(super) struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Opens it, and creates it if it is absent.
    pub(super) fn open(folder: &Path, run: &Runner<'_>) -> anyhow::Result<Repository> {
        let folder = files::make_folder(folder)?;
        // The cache is locked, so these were left by a build that was killed.
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()));
        for entry in entries?.flatten() {
            if entry.path().extension() == Some(OsStr::new("lock")) {
                files::remove(&entry.path())?;
            }
        }
        let repository = Repository { folder };
        let mut init = repository.git(Index::Source, &repository.folder);
        // A bare repository has no work tree of its own.
        init.args(["init", "--quiet", "--bare", "--template="]).env_remove("GIT_WORK_TREE");
        checked(run.output(&mut init)?, "create the repository", &repository.folder)?;
        files::make_folder(&repository.folder.join("info"))?;
        files::write(&repository.folder.join("info/attributes"), ATTRIBUTES.as_bytes())?;
        Ok(repository)
    }

    pub(super) fn index(&self, index: Index) -> PathBuf {
        self.folder.join(index.name())
    }

    /// Makes the index of the source hold the files of a folder, which is only read. Files that did
    /// not change since the last time are not read again.
    pub(super) fn import(&self, from: &Path, run: &Runner<'_>) -> anyhow::Result<()> {
        let list = |mut git: Command, flags: &[&str]| {
            let output = run.output(git.args(["ls-files", "-z", "--cached"]).args(flags))?;
            anyhow::Ok(paths(&checked(output, "list the files of", from)?))
        };
        let ours = || self.git(Index::Source, from);
        // In a repository of the user, what git ignores was left by a build.
        let is_repository = from.join(".git").exists();
        let found = if is_repository {
            list(users_git(from), &["--others", "--exclude-standard"])?
        } else {
            list(ours(), &["--others"])?
        };
        // What is listed may be gone. A folder is a repository inside this one; pipes and the like
        // are no source.
        let is_source = |path: &PathBuf| {
            let metadata = fs::symlink_metadata(from.join(path));
            metadata.is_ok_and(|metadata| metadata.is_file() || metadata.is_symlink())
        };
        let found: BTreeSet<_> = found.into_iter().filter(is_source).collect();
        let known = list(ours(), &[])?;
        let update = |flags: &[&str], paths: &mut dyn Iterator<Item = &PathBuf>| {
            let mut update = ours();
            update.args(["update-index", "-z"]).args(flags).arg("--stdin");
            let output = run.output(update.stdin(list_file(paths)?))?;
            checked(output, "import", from)
        };
        update(&["--force-remove"], &mut known.difference(&found))?;
        update(&["--add", "--replace", "--remove"], &mut found.iter())?;
        Ok(())
    }

    /// The tree that an index holds.
    pub(super) fn tree(&self, index: Index, run: &Runner<'_>) -> anyhow::Result<String> {
        let output = run.output(self.git(index, &self.folder).arg("write-tree"))?;
        let said = checked(output, "write a tree in", &self.folder)?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }

    /// Makes the index of the series hold a tree.
    pub(super) fn begin_series(&self, tree: &str, run: &Runner<'_>) -> anyhow::Result<()> {
        let mut read = self.git(Index::Series, &self.folder);
        let output = run.output(read.args(["read-tree", tree]))?;
        checked(output, "read a tree of", &self.folder).map(drop)
    }

    /// Applies a patch to the index of the series. A hunk may be at other lines, but what is around
    /// it must be what the patch says: a guess would be measured as if it were the patch.
    pub(super) fn apply(&self, patch: &Path, run: &Runner<'_>) -> anyhow::Result<Output> {
        let mut apply = self.git(Index::Series, &self.folder);
        run.output(apply.args(["apply", "--cached", "--verbose", "--whitespace=nowarn"]).arg(patch))
    }

    /// Makes a folder hold a tree and nothing else. Files that it holds already keep their times, so
    /// that make leaves alone what was built of them.
    pub(super) fn check_out(
        &self,
        tree: &str,
        folder: &Path,
        run: &Runner<'_>,
    ) -> anyhow::Result<()> {
        let folder = files::make_folder(folder)?;
        let mut read = self.git(Index::Build, &folder);
        let output = run.output(read.args(["read-tree", "--reset", "-u", tree]))?;
        checked(output, "check out", &folder)?;
        // A build that was killed may have left files that its index does not have yet.
        let output = run.output(self.git(Index::Build, &folder).args(["clean", "-ffdxq"]))?;
        checked(output, "clean", &folder).map(drop)
    }

    fn git(&self, index: Index, work_tree: &Path) -> Command {
        let mut git = child::tool("git");
        for setting in SETTINGS {
            git.args(["-c", setting]);
        }
        without_variables(&mut git);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        git.env("GIT_DIR", &self.folder).env("GIT_WORK_TREE", work_tree);
        git.env("GIT_INDEX_FILE", self.index(index)).current_dir(work_tree);
        git
    }
}

/// Git as the user has it, in a repository of the user, whose ignored files may be named in any
/// settings.
fn users_git(folder: &Path) -> Command {
    let mut git = child::tool("git");
    // A source may belong to another user than root; its Makefile is run all the same.
    git.args(["-c", "safe.directory=*", "-C"]).arg(folder);
    without_variables(&mut git);
    git
}

/// Variables such as `GIT_DIR` would lead to another repository.
fn without_variables(git: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"GIT_")) {
        git.env_remove(name);
    }
    git.env("LC_ALL", "C");
}

/// What a command printed, if it succeeded.
fn checked(output: Output, what: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!("cannot {what} {}: git: {}", path.display(), said.trim())
}

/// The paths of a list in which each ends with a zero.
fn paths(list: &[u8]) -> BTreeSet<PathBuf> {
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect()
}

/// Such a list as a file to read from.
fn list_file(paths: &mut dyn Iterator<Item = &PathBuf>) -> anyhow::Result<File> {
    let mut list = Vec::new();
    for path in paths {
        list.extend(path.as_os_str().as_bytes());
        list.push(0);
    }
    let mut file = tempfile::tempfile().context("cannot create a temporary file")?;
    file.write_all(&list).and_then(|()| file.rewind()).context("cannot write a list of files")?;
    Ok(file)
}
