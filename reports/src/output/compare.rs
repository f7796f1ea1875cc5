//! Comparing: sets as they were named in, text and files of the verdict out.

use std::fs;
use std::path::{Path, PathBuf};

use iowq_contract::Host;

use super::error::OutputError;
use super::files::{self, JSON_NAME, PAGE_NAME, SUMMARY_NAME};
use crate::compare::comparison::Comparisons;
use crate::compare::decide::Decides;
use crate::compare::judge::Rules;
use crate::compare::rerun::{self, Rerun};
use crate::compare::set::Files;
use crate::compare::{confirm, page, text, verdict};
use crate::load::{self, RECORD_NAME};

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct CompareRequest<'a> {
    /// Sets, `PATH` or `PATH@POLICY`; the first is the base.
    pub sets: &'a [PathBuf],
    /// Workloads that are compared; all of them if none is named.
    pub workloads: &'a [String],
    /// Smallest effect that matters, and error rate.
    pub rules: Rules,
    /// Records of reruns, or the folders that they are in: a regression counts only where they show it
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

/// Whether a comparison may be put there: not over the runs of a bench, nor over their page.
fn free(dir: &Path) -> Result<(), OutputError> {
    let path = dir.join(RECORD_NAME);
    if path.exists() {
        return Err(OutputError::Taken { path, what: "the record of a bench" });
    }
    let path = dir.join(PAGE_NAME);
    match fs::read(&path) {
        Ok(html) if !page::is_of_comparison(&html) => {
            Err(OutputError::Taken { path, what: "a page that is of no comparison" })
        }
        _ => Ok(()),
    }
}

/// Reads sets, compares them, and writes page, summary and figures if that was asked for.
///
/// # Errors
///
/// Sets that cannot be read or are none, or files that cannot be written.
pub fn compare(request: &CompareRequest<'_>) -> Result<Compared, OutputError> {
    let files = Files::read(request.sets, request.workloads)?;
    let sets = files.sets()?;
    let mut comparisons = verdict::compare(&sets, request.rules);
    if !request.confirmed_by.is_empty() {
        let reruns =
            request.confirmed_by.iter().map(|path| load::load_strictly(std::slice::from_ref(path)));
        let reruns = reruns.collect::<Result<Vec<_>, _>>()?;
        let decides = Decides::of_runs(sets.iter().flat_map(|set| set.runs.iter().copied()));
        confirm::confirm(&mut comparisons, &sets, &reruns, &decides)?;
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
pub fn reruns(request: &CompareRequest<'_>, here: &Host) -> Result<Vec<Rerun>, OutputError> {
    let files = Files::read(request.sets, request.workloads)?;
    let sets = files.sets()?;
    let comparisons = verdict::compare(&sets, request.rules);
    Ok(rerun::reruns(&comparisons, &sets, here)?)
}
