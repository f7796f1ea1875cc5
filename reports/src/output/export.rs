//! Exporting: records in, and out what another tool reads.

use std::path::{Path, PathBuf};
use std::{fs, io};

use iowq_contract::{Caveat, write_whole};

use super::error::OutputError;
use super::files::WriteError;
use crate::export::{Format, Table};
use crate::load;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ExportRequest<'a> {
    /// Records, or the folders that they are in.
    pub records: &'a [PathBuf],
    /// Workloads to export; all if none is named.
    pub workloads: &'a [String],
    /// The format.
    pub format: Format,
    /// Which table, if the format has tables.
    pub table: Table,
    /// The file to write, if the export is to go to one.
    pub out: Option<&'a Path>,
}

/// What was exported.
#[derive(Debug)]
pub struct Exported {
    /// What was exported, as text.
    pub bytes: Vec<u8>,
    /// What a reader should know about the reading itself.
    pub notes: Vec<Caveat>,
    /// Runs that were left out because they failed.
    pub failed: usize,
}

/// Reads records and exports them.
///
/// # Errors
///
/// Records that cannot be read or have no run to export, or a file that cannot be written.
pub fn export(request: &ExportRequest<'_>) -> Result<Exported, OutputError> {
    let mut loaded = load::load(request.records)?;
    loaded.keep_workloads(request.workloads)?;
    let failed = loaded.records.iter().filter(|record| record.error.is_some()).count();
    let failed = if request.format.is_table() { 0 } else { failed };
    if failed == loaded.records.len() {
        return Err(OutputError::NoRun);
    }
    let bytes = request.format.bytes(&loaded.records, &|run| loaded.whole(run), request.table)?;
    if let Some(out) = request.out {
        if loaded.files.iter().any(|file| is_same(file, out).unwrap_or(false)) {
            return Err(OutputError::Same(out.to_owned()));
        }
        let fail = |source| WriteError { path: out.to_owned(), source };
        write_whole(out, &bytes).map_err(fail)?;
    }
    Ok(Exported { bytes, notes: loaded.notes, failed })
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::canonicalize(one)? == fs::canonicalize(other)?)
}
