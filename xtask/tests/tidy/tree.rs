//! The tree: the files of the project, without what builds leave behind.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// A file: its path from the top of the workspace, with forward slashes, and its bytes.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// A file for a test of a rule.
    pub(crate) fn example(path: &str, text: &str) -> File {
        File { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
    }

    /// The file as text, if it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The top of the workspace. Cargo says where when it runs a test; what it said when it built one
/// may be another clone, if both share a folder for what they build.
pub(crate) fn top() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// All files, sorted by path.
pub(crate) fn files() -> io::Result<Vec<File>> {
    let top = top();
    let mut files = Vec::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // What git keeps and what cargo builds, wherever cargo was told to.
            if name == ".git" || name.starts_with("target") {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let short = path.strip_prefix(&top).unwrap_or(&path);
                let short = short.to_string_lossy().into_owned();
                files.push(File { path: short, bytes: fs::read(&path)? });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// One file, if it is there.
pub(crate) fn file(path: &str) -> io::Result<Option<String>> {
    match fs::read_to_string(top().join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[test]
fn the_tree_is_the_whole_project() -> io::Result<()> {
    let files = files()?;
    for path in ["Cargo.toml", ".cargo/config.toml", "xtask/tests/tidy/tree.rs"] {
        assert!(files.iter().any(|file| file.path == path), "{path} was not seen");
    }
    Ok(())
}
