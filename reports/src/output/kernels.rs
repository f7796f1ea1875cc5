//! Kernels that were booted: a folder of boots in, text and files of the verdict out.

use std::path::Path;

use super::files::{self, JSON_NAME, PAGE_NAME, SUMMARY_NAME, WriteError};
use crate::compare::confirm::ConfirmError;
use crate::compare::judge::Rules;
use crate::compare::{ktap, page as compare_page};
use crate::kernels::page::PAIRS_NAME;
use crate::kernels::read::{self, Booted, ReadError};
use crate::kernels::{outcome, page as kernels_page, sets, text};
use crate::render::page::PageError;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct KernelsRequest<'a> {
    /// The folder of boots.
    pub dir: &'a Path,
    /// A folder of fresh boots of the same kernels, which a regression must show in too.
    pub confirmed_by: Option<&'a Path>,
    /// Smallest effect that matters, and error rate.
    pub rules: Rules,
    /// Where to put the files; none are written if it is not given.
    pub out: Option<&'a Path>,
}

/// What was found, as text, as JSON and as test results.
#[derive(Debug)]
pub struct KernelsCompared {
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
    /// A page could not be made.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The values could not be made JSON.
    #[error("the comparison cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads a folder of boots, compares its kernels, and writes pages, summary and figures.
///
/// # Errors
///
/// A folder that is not one of boots, or files that cannot be written.
pub fn kernels(request: &KernelsRequest<'_>) -> Result<KernelsCompared, KernelsError> {
    let booted = read::read(request.dir)?;
    let fresh = request.confirmed_by.map(|dir| fresh(dir, request.dir, &booted)).transpose()?;
    let outcome = outcome::compare(&booted, request.rules, fresh.as_ref())?;
    let sets = sets::sets(&booted);
    let text = text::text(&outcome);
    let json = serde_json::to_string_pretty(&outcome)? + "\n";
    let page = kernels_page::page(&outcome, &sets)?;
    let pairs = compare_page::page(&outcome.pairs(), &sets)?;
    let all =
        [(PAGE_NAME, &*page), (PAIRS_NAME, &pairs), (SUMMARY_NAME, &text), (JSON_NAME, &json)];
    if let Some(out) = request.out {
        files::write(out, &all)?;
    }
    let ktap = ktap::with(&outcome.comparisons, &outcome.tests());
    Ok(KernelsCompared { text, json, ktap, exit_code: outcome.exit_code() })
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
