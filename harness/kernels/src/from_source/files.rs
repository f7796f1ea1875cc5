//! Files of the cache: reading and writing with errors that name the file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use iowq_contract::write_whole;

use super::error::BuildError;
use crate::sha256;

/// Creates a folder, with all above it. Returns its absolute path.
pub(super) fn make_folder(path: &Path) -> Result<PathBuf, BuildError> {
    fs::create_dir_all(path).map_err(|cause| BuildError::io("create", path, cause))?;
    fs::canonicalize(path).map_err(|cause| BuildError::io("open", path, cause))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|cause| BuildError::io("read", path, cause))
}

/// Replaces a file as a whole.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    write_whole(path, bytes).map_err(|cause| BuildError::io("write", path, cause))
}

/// Removes a file, a link or a folder with all in it. It may be absent.
pub(super) fn remove(path: &Path) -> Result<(), BuildError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match removed {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(BuildError::io("remove", path, cause))
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file, in hex.
pub(super) fn sha256_of(path: &Path) -> Result<String, BuildError> {
    sha256::of_file(path).map_err(|cause| BuildError::io("read", path, cause))
}

/// Sixteen digits of a digest: enough for a name.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(16).collect()
}
