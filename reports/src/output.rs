//! Writing files: whole or not at all.

pub mod compare;
pub mod kernels;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::analysis::analyse;
use crate::load::{self, LoadError};
use crate::page::{self, PageError};
use crate::summary;

/// Name of the page.
pub const PAGE_NAME: &str = "report.html";

/// Name of the summary.
pub const SUMMARY_NAME: &str = "summary.txt";

/// What is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Records, or the folders that they are in.
    pub records: &'a [PathBuf],
    /// Workloads that the report is about; all of them where none is named.
    pub workloads: &'a [String],
    /// Where to put the report: beside the first record where it is not said.
    pub out: Option<&'a Path>,
    /// Columns of the text for a terminal.
    pub text_width: usize,
}

/// What was written, and what to show on a terminal.
#[derive(Debug)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// The page on how near presets come to the kernel, where records tell.
    pub fidelity: Option<PathBuf>,
    /// The summary.
    pub summary: PathBuf,
    /// The summary's text at the width that was asked for.
    pub text: String,
}

/// A report could not be made. Each text names the file and what went wrong.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The records could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The page could not be made.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A file could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads records, and writes page and summary, and the fidelity page where records tell.
///
/// # Errors
///
/// Records that cannot be read, or files that cannot be written. Files of an earlier report are
/// replaced whole, or stay as they are.
pub fn report(request: &Request<'_>) -> Result<Written, ReportError> {
    let mut loaded = load::load(request.records)?;
    loaded.keep_workloads(request.workloads)?;
    let analysis = analyse(&loaded);
    let html = page::page(&analysis)?;
    let fidelity_html = page::fidelity::page(&analysis)?;
    let beside = loaded.files.first().and_then(|file| file.parent()).unwrap_or(Path::new("."));
    let dir = request.out.unwrap_or(beside);
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Write { path, source }
    };
    fs::create_dir_all(dir).map_err(fail(dir))?;
    let (page, summary) = (dir.join(PAGE_NAME), dir.join(SUMMARY_NAME));
    write_whole(&page, html.as_bytes()).map_err(fail(&page))?;
    let fidelity = fidelity_html.as_ref().map(|_| dir.join(page::fidelity::NAME));
    if let (Some(path), Some(html)) = (&fidelity, &fidelity_html) {
        write_whole(path, html.as_bytes()).map_err(fail(path))?;
    }
    let text = summary::text(&analysis, summary::WIDTH_TEXT);
    write_whole(&summary, text.as_bytes()).map_err(fail(&summary))?;
    Ok(Written { page, fidelity, summary, text: summary::text(&analysis, request.text_width) })
}

/// Writes beside the file and renames: a full disk or a kill leaves the old file as it was.
///
/// # Errors
///
/// What the system says to making, writing or renaming a file there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell; a file that was never made cannot be removed.
        let _ = fs::remove_file(&temporary);
    }
    written
}
