//! Sources: our own copy of a kernel's source, in which patches come and go.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::files::{self, Content};
use super::patch::Overlay;
use super::run::Runner;
use super::{BuildError, mirror, short};

/// A source that patches can be put into.
pub(super) struct Source {
    /// What the person named.
    path: PathBuf,
    /// Where its copy and all that belongs to it are.
    folder: PathBuf,
    /// What it holds, unpatched.
    digest: String,
}

impl Source {
    /// Copies or unpacks what is not here yet.
    pub(super) fn open(
        path: &Path,
        cache: &Path,
        run: &mut Runner<'_>,
    ) -> Result<Source, BuildError> {
        let absolute = path
            .canonicalize()
            .map_err(|_| BuildError::source(path, "is neither a folder nor a tarball"))?;
        let sources = cache.join("sources");
        if absolute.is_dir() {
            if cache.starts_with(&absolute) {
                return Err(BuildError::source(
                    path,
                    format!("holds the cache {}; name another with --cache", cache.display()),
                ));
            }
            check(path, &absolute)?;
            let id = short(&files::sha256(absolute.as_os_str().as_encoded_bytes()));
            let folder = files::make_folder(&sources.join(id))?;
            let mut source = Source { path: path.to_owned(), folder, digest: String::new() };
            source.digest = mirror::update(&absolute, &source, run)?;
            return Ok(source);
        }
        let digest = files::sha256_of(&absolute)?;
        let folder = files::make_folder(&sources.join(short(&digest)))?;
        let source = Source { path: path.to_owned(), folder, digest };
        if !source.tree().is_dir() {
            source.unpack(&absolute, run)?;
        }
        Ok(source)
    }

    fn unpack(&self, tarball: &Path, run: &mut Runner<'_>) -> Result<(), BuildError> {
        let part = self.folder.join("tree.part");
        files::remove(&part)?;
        files::make_folder(&part)?;
        let mut tar = Command::new("tar");
        tar.arg("--extract").arg("--file").arg(tarball);
        tar.arg("--directory").arg(&part).arg("--strip-components=1");
        run.run(&format!("unpacking {}", self.path.display()), "unpack.log", &tar)?;
        check(&self.path, &part)?;
        let tree = self.tree();
        fs::rename(&part, &tree).map_err(|cause| BuildError::io("create", &tree, cause))
    }

    /// What the person named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds, unpatched: a digest.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Our copy.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Where make puts what it builds of it.
    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// A file of the cache that belongs to this source.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn origin(&self) -> PathBuf {
        self.folder.join("origin")
    }

    /// Files that patches have touched, ever. Only these may differ from the source.
    fn touched(&self) -> Result<BTreeSet<PathBuf>, BuildError> {
        let list = files::content(&self.file("touched"))?.map(|list| list.bytes);
        let list = String::from_utf8_lossy(&list.unwrap_or_default()).into_owned();
        Ok(list.lines().map(PathBuf::from).collect())
    }

    /// A file as the source has it, whatever patches are in the copy.
    pub(super) fn original(&self, path: &Path) -> Result<Option<Content>, BuildError> {
        let folder = if self.touched()?.contains(path) { self.origin() } else { self.tree() };
        files::content(&folder.join(path))
    }

    /// Makes the copy hold what a column has. Files that hold it already keep their times, so that
    /// make leaves alone what was built of them.
    pub(super) fn put(&self, overlay: &Overlay) -> Result<(), BuildError> {
        let mut touched = self.touched()?;
        let before = touched.len();
        for path in overlay.keys().filter(|path| !touched.contains(*path)) {
            let origin = self.origin().join(path);
            match files::content(&self.tree().join(path))? {
                Some(content) => files::write(&origin, &content)?,
                None => files::remove(&origin)?,
            }
        }
        touched.extend(overlay.keys().cloned());
        if touched.len() > before {
            // On disk before the first file changes: whatever ends this halfway, the next build
            // knows which files to look at.
            let list: Vec<_> = touched.iter().map(|path| path.display().to_string()).collect();
            files::write_bytes(&self.file("touched"), (list.join("\n") + "\n").as_bytes())?;
        }
        for path in &touched {
            let wanted = match overlay.get(path) {
                Some(content) => content.clone(),
                None => files::content(&self.origin().join(path))?,
            };
            let here = self.tree().join(path);
            if files::content(&here)? == wanted {
                continue;
            }
            match &wanted {
                Some(content) => files::write(&here, content)?,
                None => files::remove(&here)?,
            }
        }
        Ok(())
    }

    /// Takes all patches out of the copy, for good.
    pub(super) fn reset(&self) -> Result<(), BuildError> {
        self.put(&Overlay::new())?;
        files::remove(&self.file("touched"))?;
        files::remove(&self.origin())
    }
}

/// Whether a folder looks like a kernel's source.
fn check(path: &Path, folder: &Path) -> Result<(), BuildError> {
    match ["Makefile", "Kconfig"].iter().find(|name| !folder.join(name).is_file()) {
        Some(name) => Err(BuildError::source(
            path,
            format!("is no kernel source: it has no {name} at its top"),
        )),
        None => Ok(()),
    }
}
