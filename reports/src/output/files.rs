//! Names of files, and writing them whole or not at all.

use std::path::{Path, PathBuf};
use std::{fs, io};

use iowq_contract::write_whole;

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

/// Writes files to a folder, which is created if needed. A file of an earlier call is replaced
/// whole, or stays as it is.
pub(crate) fn write(dir: &Path, files: &[(&str, &str)]) -> Result<(), WriteError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError { path, source }
    };
    fs::create_dir_all(dir).map_err(fail(dir))?;
    for (name, text) in files {
        let path = dir.join(name);
        write_whole(&path, text.as_bytes()).map_err(fail(&path))?;
    }
    Ok(())
}
