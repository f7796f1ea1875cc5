//! Names of files, and writing them whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use iowq_contract::{NewFolders, clean, write_together};

/// Name of the page.
pub const PAGE_NAME: &str = "report.html";

/// Name of the summary.
pub const SUMMARY_NAME: &str = "summary.txt";

/// Name of the file with all figures.
pub const JSON_NAME: &str = "compare.json";

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Writes files to a folder, which is created if needed. All files of an earlier call are replaced
/// whole, or stay as they are.
pub(crate) fn write(dir: &Path, files: &[(&str, &str)]) -> Result<(), WriteError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError { path, source }
    };
    let _folders = NewFolders::make(dir).map_err(fail(dir))?;
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| dir.join(name)).collect();
    let texts: Vec<_> = files.iter().map(|(_, text)| clean(text)).collect();
    let texts = texts.iter().map(|text| text.as_bytes());
    let files: Vec<(&Path, &[u8])> = paths.iter().map(PathBuf::as_path).zip(texts).collect();
    write_together(&files).map_err(|(path, source)| fail(path)(source))
}
