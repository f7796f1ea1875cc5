//! Entries: what is to be in an initramfs.

use std::path::{Path, PathBuf};

/// A file in the initramfs, at a path from its root, such as `init` or `/init`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// Its permissions, such as `0o755`.
    pub mode: u32,
    /// What is in it.
    pub content: Content,
}

/// What is in a file of the initramfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It is a folder. Folders that paths lead through need no entry.
    Folder,
    /// These bytes.
    Bytes(Vec<u8>),
    /// What a file of the host holds.
    Host(PathBuf),
}

impl Entry {
    /// A file that only has to be read.
    #[must_use]
    pub fn data(path: &str, bytes: Vec<u8>) -> Entry {
        Entry { path: path.to_owned(), mode: 0o644, content: Content::Bytes(bytes) }
    }

    /// A file of the host that is run.
    #[must_use]
    pub fn executable(path: &str, host: &Path) -> Entry {
        Entry { path: path.to_owned(), mode: 0o755, content: Content::Host(host.to_owned()) }
    }
}
