//! Comparing: sets as they were named in, text and files of the verdict out.

use std::fs;
use std::path::{Path, PathBuf};

use iowq_contract::Host;

use super::files::{self, JSON_NAME, PAGE_NAME, SUMMARY_NAME, WriteError};
use crate::compare::comparison::Comparisons;
use crate::compare::confirm::{self, ConfirmError};
use crate::compare::judge::Rules;
use crate::compare::rerun::{self, Rerun, RerunError};
use crate::compare::set::{Files, SetError};
use crate::compare::{page, text, verdict};
use crate::load::{self, LoadError, RECORD_NAME};
use crate::render::page::PageError;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct CompareRequest<'a> {
    /// Sets, `PATH` or `PATH@POLICY`; the first is the base.
    pub sets: &'a [PathBuf],
    /// Workloads that are compared; all of them if none is named.
    pub workloads: &'a [String],
    /// Smallest effect that matters, and error rate.
    pub rules: Rules,
    /// Fresh records, or the folders that they are in: a regression counts only where they show it
    /// too. Every regression counts if none is named.
    pub confirmed_by: &'a [PathBuf],
    /// Where to put the files; none are written if it is not said.
    pub out: Option<&'a Path>,
}

/// What was found, as values, as text and as JSON.
#[derive(Debug)]
pub struct Compared {
    /// The values.
    pub comparisons: Comparisons,
    /// The text, as in the summary.
    pub text: String,
    /// The same values as JSON.
    pub json: String,
}

/// Sets could not be compared. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// There are no such sets.
    #[error(transparent)]
    Set(#[from] SetError),
    /// Fresh records could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Fresh runs confirm nothing.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// Regressions cannot be measured again here.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// The page could not be made.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The folder holds what must not be replaced.
    #[error(
        "{}: it is {what}, and a comparison would replace what is beside it: name another folder \
         with --out",
        path.display()
    )]
    Taken {
        /// The file that is there.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The values could not be made JSON.
    #[error("the comparison cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Whether a comparison may be put there: not over the runs of a bench, nor over their page.
fn free(dir: &Path) -> Result<(), CompareError> {
    let path = dir.join(RECORD_NAME);
    if path.exists() {
        return Err(CompareError::Taken { path, what: "the record of a bench" });
    }
    let path = dir.join(PAGE_NAME);
    match fs::read(&path) {
        Ok(html) if !page::is_of_comparison(&html) => {
            Err(CompareError::Taken { path, what: "a page that is of no comparison" })
        }
        _ => Ok(()),
    }
}

/// Reads sets, compares them, and writes page, summary and figures if that was asked for.
///
/// # Errors
///
/// Sets that cannot be read or are none, or files that cannot be written.
pub fn compare(request: &CompareRequest<'_>) -> Result<Compared, CompareError> {
    let files = Files::read(request.sets, request.workloads)?;
    let sets = files.sets()?;
    let mut comparisons = verdict::compare(&sets, request.rules);
    if !request.confirmed_by.is_empty() {
        let fresh =
            request.confirmed_by.iter().map(|path| load::load_strictly(std::slice::from_ref(path)));
        let fresh = fresh.collect::<Result<Vec<_>, _>>()?;
        confirm::confirm(&mut comparisons, &sets, &fresh)?;
    }
    let text = text::text(&comparisons);
    let json = serde_json::to_string_pretty(&comparisons)? + "\n";
    if let Some(dir) = request.out {
        free(dir)?;
        let page = page::page(&comparisons, &sets)?;
        files::write(dir, &[(PAGE_NAME, &page), (SUMMARY_NAME, &text), (JSON_NAME, &json)])?;
    }
    Ok(Compared { comparisons, text, json })
}

/// The benches that would measure the regressions of these sets again. `here` is the host that they
/// would run on.
///
/// # Errors
///
/// Sets that cannot be read or are none, or runs that cannot be made again on this host.
pub fn reruns(request: &CompareRequest<'_>, here: &Host) -> Result<Vec<Rerun>, CompareError> {
    let files = Files::read(request.sets, request.workloads)?;
    let sets = files.sets()?;
    let comparisons = verdict::compare(&sets, request.rules);
    Ok(rerun::reruns(&comparisons, &sets, here)?)
}
