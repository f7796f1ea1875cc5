//! Kernels that were booted: a folder of boots in, text and files of the verdict out.

use std::fs;
use std::path::Path;

use super::{PAGE_NAME, ReportError, SUMMARY_NAME, write_whole};
use crate::compare::Rules;
use crate::compare::confirm::ConfirmError;
use crate::export::ktap;
use crate::kernels;
use crate::kernels::read::{self, Booted, ReadError};
use crate::output::compare::JSON_NAME;
use crate::{page, summary};

/// Name of the page with every pair of kernels in full.
pub const PAIRS_NAME: &str = "pairs.html";

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The folder of boots.
    pub dir: &'a Path,
    /// A folder of fresh boots of the same kernels, which a regression must show in too.
    pub confirmed_by: Option<&'a Path>,
    /// Smallest effect that matters, and error rate.
    pub rules: Rules,
    /// Where to put the files.
    pub out: &'a Path,
}

/// What was found, as text, as JSON and as test results.
#[derive(Debug)]
pub struct Compared {
    /// The text, as in the summary.
    pub text: String,
    /// All figures as JSON.
    pub json: String,
    /// Test results as kernel CI reads them.
    pub ktap: String,
    /// What a script learns, as of `compare`.
    pub exit_code: u8,
}

/// Kernels could not be compared. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KernelsError {
    /// The folder is not one of boots.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Fresh boots confirm nothing.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// Fresh boots are of other kernels, or of another machine.
    #[error(
        "{fresh} holds boots of other kernels, on another machine, or with other noise than {dir}: boot \
         the same ones, with the same flags but for --out and a seed of its own"
    )]
    Unlike {
        /// The folder of the fresh boots.
        fresh: String,
        /// The folder that is to be confirmed.
        dir: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] ReportError),
    /// The values could not be made JSON.
    #[error("the comparison cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads a folder of boots, compares its kernels, and writes pages, summary and figures.
///
/// # Errors
///
/// A folder that is not one of boots, or files that cannot be written.
pub fn kernels(request: &Request<'_>) -> Result<Compared, KernelsError> {
    let booted = read::read(request.dir)?;
    let fresh = request.confirmed_by.map(|dir| fresh(dir, request.dir, &booted)).transpose()?;
    let outcome = kernels::compare(&booted, request.rules, fresh.as_ref())?;
    let sets = kernels::sets(&booted);
    let text = summary::kernels::text(&outcome);
    let json = serde_json::to_string_pretty(&outcome)? + "\n";
    let page = page::kernels::page(&outcome, &sets).map_err(ReportError::from)?;
    let pairs = page::compare::page(&outcome.pairs(), &sets).map_err(ReportError::from)?;
    let dir = request.out;
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Write { path, source }
    };
    fs::create_dir_all(dir).map_err(fail(dir))?;
    let files =
        [(PAGE_NAME, &page), (PAIRS_NAME, &pairs), (SUMMARY_NAME, &text), (JSON_NAME, &json)];
    for (name, bytes) in files {
        let path = dir.join(name);
        write_whole(&path, bytes.as_bytes()).map_err(fail(&path))?;
    }
    let ktap = ktap::with(&outcome.comparisons, &outcome.tests());
    Ok(Compared { text, json, ktap, exit_code: outcome.exit_code() })
}

/// Reads fresh boots, of the same kernels on the same machine.
fn fresh(dir: &Path, first: &Path, booted: &Booted) -> Result<Booted, KernelsError> {
    let fresh = read::read(dir)?;
    let alike = fresh.kernels.kernels == booted.kernels.kernels
        && fresh.kernels.machine == booted.kernels.machine
        && fresh.kernels.noise == booted.kernels.noise;
    if alike {
        return Ok(fresh);
    }
    let shown = |dir: &Path| dir.display().to_string();
    Err(KernelsError::Unlike { fresh: shown(dir), dir: shown(first) })
}
