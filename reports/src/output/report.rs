//! Reporting: records in, page and summary out, and the fidelity page if records have presets beside
//! the kernel.

use std::path::{Path, PathBuf};

use iowq_contract::is_stream;

use super::error::OutputError;
use super::files::{self, PAGE_NAME, SUMMARY_NAME};
use crate::bench::analysis::analyse;
use crate::bench::{page, text};
use crate::fidelity::page::NAME as FIDELITY_NAME;
use crate::load;

/// What is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReportRequest<'a> {
    /// Records, or the folders that they are in.
    pub records: &'a [PathBuf],
    /// Workloads that the report is about; all if none is named.
    pub workloads: &'a [String],
    /// Folder for the report: that of the first record if none is given.
    pub out: Option<&'a Path>,
    /// Columns of the text for a terminal.
    pub text_width: usize,
}

/// What was written, and what to show on a terminal.
#[derive(Debug)]
pub struct ReportWritten {
    /// The page.
    pub page: PathBuf,
    /// The page on how near presets come to the kernel, if records have both.
    pub fidelity: Option<PathBuf>,
    /// The summary.
    pub summary: PathBuf,
    /// The summary's text at the width that was asked for.
    pub text: String,
}

/// Reads records, and writes page and summary.
///
/// # Errors
///
/// Records that cannot be read, or files that cannot be written.
pub fn report(request: &ReportRequest<'_>) -> Result<ReportWritten, OutputError> {
    let mut loaded = load::load(request.records)?;
    let first = loaded.files.first().cloned().unwrap_or_default();
    if request.out.is_none() && is_stream(&first) {
        return Err(OutputError::NoFolder(first));
    }
    let beside = first.parent().unwrap_or(Path::new("."));
    loaded.keep_workloads(request.workloads)?;
    let analysis = analyse(&loaded);
    let html = page::page(&analysis)?;
    let fidelity = page::fidelity(&analysis)?;
    let summary = text::text(&analysis, text::WIDTH_TEXT);
    let dir = request.out.unwrap_or(beside);
    let mut all = vec![(PAGE_NAME, html.as_str()), (SUMMARY_NAME, &summary)];
    all.extend(fidelity.as_deref().map(|html| (FIDELITY_NAME, html)));
    files::write(dir, &all)?;
    Ok(ReportWritten {
        page: dir.join(PAGE_NAME),
        fidelity: fidelity.map(|_| dir.join(FIDELITY_NAME)),
        summary: dir.join(SUMMARY_NAME),
        text: text::text(&analysis, request.text_width),
    })
}
