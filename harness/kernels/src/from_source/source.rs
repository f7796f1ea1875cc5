//! Sources: a kernel's source in the cache, with and without patches.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use rustix::process::Signal;

use super::files::{self, short};
use super::git::{Index, Repository};
use super::run::Runner;
use crate::{child, sha256};

/// What a build inside a folder leaves there. Make refuses to build such a source elsewhere.
const BUILT_INSIDE: [&str; 3] = [".config", "include/config", "arch/x86/include/generated"];

/// A source, and what belongs to it in the cache.
pub(super) struct Source {
    /// What the user named.
    pub(super) path: PathBuf,
    /// Where everything of it is.
    folder: PathBuf,
    pub(super) repository: Repository,
}

impl Source {
    /// Imports a folder as it is now, or a tarball that was not imported before.
    pub(super) fn open(path: &Path, cache: &Path, run: &mut Runner<'_>) -> anyhow::Result<Source> {
        let absolute = path
            .canonicalize()
            .map_err(|_| anyhow!("{}: is neither a folder nor a tarball", path.display()))?;
        let is_folder = absolute.is_dir();
        let digest = if is_folder {
            check_folder(path, &absolute, cache)?;
            sha256::of_bytes(absolute.as_os_str().as_encoded_bytes())
        } else {
            files::sha256_of(&absolute)?
        };
        let folder = files::make_folder(&cache.join("sources").join(short(&digest)))?;
        let repository = Repository::open(&folder.join("git"), run)?;
        let source = Source { path: path.to_owned(), folder, repository };
        if is_folder {
            if !source.repository.index(Index::Source).exists() {
                run.say(&format!("copying {}", path.display()));
            }
            source.repository.import(&absolute, run)?;
        } else if !source.tree().is_dir() {
            source.unpack(&absolute, run)?;
        }
        Ok(source)
    }

    /// Unpacks a tarball as the tree that is built, whose files need not be checked out then.
    fn unpack(&self, tarball: &Path, run: &mut Runner<'_>) -> anyhow::Result<()> {
        let part = self.folder.join("tree.part");
        files::remove(&part)?;
        files::make_folder(&part)?;
        let mut tar = child::command("tar", Signal::TERM);
        tar.arg("--extract").arg("--file").arg(tarball);
        tar.arg("--directory").arg(&part).arg("--strip-components=1");
        run.run(&format!("unpacking {}", self.path.display()), "unpack.log", &mut tar)?;
        check(&self.path, &part)?;
        self.repository.import(&part, run)?;
        let [from, to] = [Index::Source, Index::Build].map(|index| self.repository.index(index));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        let tree = self.tree();
        fs::rename(&part, &tree).with_context(|| format!("cannot create {}", tree.display()))
    }

    /// The tree that is built.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Where make puts what it builds.
    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// A file of the cache that belongs to this source.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Refuses a folder that cannot be imported.
fn check_folder(path: &Path, folder: &Path, cache: &Path) -> anyhow::Result<()> {
    if cache.starts_with(folder) {
        bail!("{}: holds the cache {}; name another with --cache", path.display(), cache.display());
    }
    check(path, folder)?;
    let left = BUILT_INSIDE.iter().find(|path| folder.join(path).exists());
    match left.filter(|_| !folder.join(".git").exists()) {
        Some(left) => bail!(
            "{}: was built in ({left} is there), and it is not a git repository, which separates \
             source from the rest. Run `make mrproper` in it, or name a clean copy",
            path.display()
        ),
        None => Ok(()),
    }
}

/// Refuses a folder that does not look like a kernel's source.
fn check(path: &Path, folder: &Path) -> anyhow::Result<()> {
    match ["Makefile", "Kconfig"].iter().find(|name| !folder.join(name).is_file()) {
        Some(name) => {
            bail!("{}: is no kernel source: it has no {name} at its top", path.display())
        }
        None => Ok(()),
    }
}
