//! `compare`: says what changed between sets of runs; with `--confirm` what got worse is measured
//! once more, and counts only if it is worse again.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_contract::RECORD_NAME;
use iowq_harness::machine;
use iowq_pool::policy::Registry;
use iowq_reports::compare::ktap;
use iowq_reports::output::{self, CompareRequest, Compared};

use super::bench;
use crate::exit::Exit;
use crate::flags::VerdictFormat;
use crate::flags::bench::request_of;
use crate::flags::compare::CompareFlags;
use crate::flags::verbosity::Verbosity;
use crate::print::{note, print};
use crate::{folders, stop};

/// Folder for fresh runs and what comes of them, in the folder for the results.
pub(crate) const CONFIRM: &str = "confirm";

/// Runs the command.
pub(crate) fn run(
    flags: &CompareFlags,
    registry: &Registry,
    verbosity: Verbosity,
) -> anyhow::Result<Exit> {
    let first = request(flags, flags.out.as_deref(), &flags.confirmed_by);
    let out = flags.out.clone().unwrap_or_else(|| folders::by_time("bench"));
    let folder = out.join(CONFIRM);
    if flags.confirm {
        folders::refuse_used(&folder)?;
    }
    let compared = output::compare(&first)?;
    let exit = Exit::of(compared.comparisons.exit_code());
    if !flags.confirm || exit != Exit::Regression {
        print(&shown(flags, &compared))?;
        return Ok(exit);
    }
    note(&shown(flags, &compared));
    let records = measure_again(flags, registry, &first, &folder, verbosity)?;
    let compared = output::compare(&request(flags, Some(&folder), &records))?;
    print(&shown(flags, &compared))?;
    note(&format!("confirm  {}", folder.display()));
    Ok(Exit::of(compared.comparisons.exit_code()))
}

fn request<'a>(
    flags: &'a CompareFlags,
    out: Option<&'a Path>,
    confirmed_by: &'a [PathBuf],
) -> CompareRequest<'a> {
    CompareRequest {
        sets: &flags.sets,
        workloads: &flags.workloads,
        rules: flags.judging.rules(),
        confirmed_by,
        out,
    }
}

fn shown(flags: &CompareFlags, compared: &Compared) -> String {
    match flags.judging.format {
        VerdictFormat::Text => compared.text.clone(),
        VerdictFormat::Json => compared.json.clone(),
        VerdictFormat::Ktap => ktap::text(&compared.comparisons),
    }
}

/// Makes the fresh runs and returns their folders.
fn measure_again(
    flags: &CompareFlags,
    registry: &Registry,
    first: &CompareRequest<'_>,
    folder: &Path,
    verbosity: Verbosity,
) -> anyhow::Result<Vec<PathBuf>> {
    let dir = folders::files_under_test(flags.dir.as_deref())?;
    let benches = output::reruns(first, &machine::describe(&dir))
        .context("the regression cannot be measured again from here")?;
    if benches.is_empty() {
        bail!("there is a regression, and no bench that would measure it again");
    }
    let stop = stop::flag()?;
    let mut folders = Vec::new();
    for (number, rerun) in (1..).zip(&benches) {
        let folder = folder.join(number.to_string());
        note(&format!("confirm  bench {number} of {}: {}", benches.len(), rerun.flags().join(" ")));
        let tally = bench::measure(
            &request_of(rerun, registry)?,
            registry,
            Some(&dir),
            &folder,
            &stop,
            verbosity,
        )?;
        if let Some(problem) = bench::problem(&tally, &folder.join(RECORD_NAME)) {
            // Some of the rounds are no ground for a verdict: who stops at will may stop where it
            // fits.
            bail!(
                "the fresh runs did not all finish, so the regression is neither confirmed nor \
                 refuted: {problem}"
            );
        }
        folders.push(folder);
    }
    Ok(folders)
}
