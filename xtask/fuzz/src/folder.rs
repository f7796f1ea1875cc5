//! Files, for parsers that open theirs by name: in a folder for temporary ones, which whoever
//! starts this program removes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("iowq-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
});

/// The folder.
pub(crate) fn path() -> &'static Path {
    &FOLDER
}

/// Writes a file in it, and returns where it is.
pub(crate) fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    fs::write(&path, bytes).expect("room for temporary files");
    path
}
