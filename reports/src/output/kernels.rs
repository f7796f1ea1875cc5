//! Kernels that were booted: a folder of boots in, text and files of the verdict out.

use std::path::Path;

use super::error::OutputError;
use super::files::{self, JSON_NAME, PAGE_NAME, SUMMARY_NAME};
use crate::compare::judge::Rules;
use crate::compare::{ktap, page as compare_page};
use crate::kernels::page::PAIRS_NAME;
use crate::kernels::read::{self, Booted};
use crate::kernels::{outcome, page as kernels_page, text};

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct KernelsRequest<'a> {
    /// The folder of boots.
    pub dir: &'a Path,
    /// A folder of reruns of the same kernels, which a regression must show in too.
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

/// Reads a folder of boots, compares its kernels, and writes pages, summary and figures.
///
/// # Errors
///
/// A folder that is not one of boots, or files that cannot be written.
pub fn kernels(request: &KernelsRequest<'_>) -> Result<KernelsCompared, OutputError> {
    let booted = read::read(request.dir)?;
    let rerun = request.confirmed_by.map(|dir| rerun(dir, request.dir, &booted)).transpose()?;
    let outcome = outcome::compare(&booted, request.rules, rerun.as_ref())?;
    let sets = booted.sets();
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

/// Boots that are to confirm, if they are of the same kernels and machine as the first.
fn rerun(dir: &Path, first: &Path, booted: &Booted) -> Result<Booted, OutputError> {
    let rerun = read::read(dir)?;
    let alike = rerun.kernels.kernels == booted.kernels.kernels
        && rerun.kernels.machine == booted.kernels.machine
        && rerun.kernels.noise == booted.kernels.noise;
    if alike {
        return Ok(rerun);
    }
    Err(OutputError::Unlike { rerun: dir.to_owned(), dir: first.to_owned() })
}
