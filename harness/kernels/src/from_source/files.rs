//! Files of the cache: reading and writing with errors that name the file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use iowq_contract::write_whole;

use crate::sha256;

/// Creates a folder, with all above it. Returns its absolute path.
pub(super) fn make_folder(path: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    fs::canonicalize(path).with_context(|| format!("cannot open {}", path.display()))
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Replaces a file as a whole.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_whole(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a file, a link or a folder with all in it. It may be absent.
pub(super) fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match removed {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.with_context(|| format!("cannot remove {}", path.display())),
    }
}

/// SHA-256 of a file, in hex.
pub(super) fn sha256_of(path: &Path) -> anyhow::Result<String> {
    sha256::of_file(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Sixteen digits of a digest: enough for a name.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(16).collect()
}
