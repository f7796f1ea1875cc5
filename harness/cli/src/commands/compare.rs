//! `compare`: says what changed between sets of runs; with `--confirm` what got worse is measured
//! once more, and counts only if it is worse again.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_contract::{BenchRequest, BenchTally, RECORD_NAME};
use iowq_harness::{machine, run};
use iowq_pool::policy::Registry;
use iowq_reports::compare::ktap;
use iowq_reports::compare::rerun::Rerun;
use iowq_reports::output::{self, CompareRequest, Compared};

use super::{bench, kernels};
use crate::exit::Exit;
use crate::flags::VerdictFormat;
use crate::flags::bench::request_of;
use crate::flags::compare::CompareFlags;
use crate::flags::verbosity::Verbosity;
use crate::print::{note, print};
use crate::{folders, stop};

/// Runs the command.
pub(crate) fn run(
    flags: &CompareFlags,
    registry: &Registry,
    verbosity: Verbosity,
) -> anyhow::Result<Exit> {
    if let [dir] = flags.sets.as_slice()
        && kernels::is_of_boots(dir)
    {
        if flags.confirm || !flags.workloads.is_empty() {
            bail!(
                "{}: is a folder of boots, whose workloads are judged together; omit --workload, and \
                 --confirm, which `iowq kernels` takes",
                dir.display()
            );
        }
        let confirmed_by = flags.confirmed_by.first().map(PathBuf::as_path);
        return kernels::judge(dir, confirmed_by, flags.judging, flags.out.as_deref());
    }
    let first = request(flags, flags.out.as_deref(), &flags.confirmed_by);
    let out = flags.out.clone().unwrap_or_else(|| folders::by_time("bench"));
    let folder = out.join(folders::CONFIRM);
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
    let dir = folders::files_under_test(flags.dir.as_deref())?;
    let benches = output::reruns(&first, &machine::describe(&dir))
        .context("the regression cannot be measured again from here")?;
    // Before any of them takes its time.
    for rerun in &benches {
        request_again(rerun, registry)?;
    }
    let stop = stop::flag()?;
    let records = measure_again(&benches, &folder, &mut |rerun, out| {
        let request = request_again(rerun, registry)?;
        bench::measure(&request, registry, Some(&dir), out, &stop, verbosity)
    })?;
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

/// The request for fresh runs, whose workloads must be what they were.
fn request_again(rerun: &Rerun, registry: &Registry) -> anyhow::Result<BenchRequest> {
    let request = request_of(rerun, registry)?;
    let resolved = iowq_harness::bench::resolved(&request)?;
    for (workload, digests) in resolved.workloads.iter().zip(&rerun.digests) {
        let plans = resolved.variants.iter().filter_map(|variant| workload.plan_of(variant));
        let found: Vec<String> = plans.map(run::digest).collect();
        if let Some(name) =
            Some(&workload.name).filter(|_| digests.iter().any(|it| !found.contains(it)))
        {
            bail!(
                "{name}: is not the workload that the first runs had, so that fresh ones confirm \
                 nothing: it was edited since, or comes with another version of iowq; bring it back"
            );
        }
    }
    Ok(request)
}

/// What makes a bench, with its results in a folder.
type Measure<'a> = &'a mut dyn FnMut(&Rerun, &Path) -> anyhow::Result<BenchTally>;

/// Makes the fresh runs and returns their folders.
fn measure_again(
    benches: &[Rerun],
    folder: &Path,
    measure: Measure<'_>,
) -> anyhow::Result<Vec<PathBuf>> {
    if benches.is_empty() {
        bail!("there is a regression, and no bench that would measure it again");
    }
    let mut folders = Vec::new();
    for (number, rerun) in (1..).zip(benches) {
        let folder = folder.join(number.to_string());
        let flags = rerun.flags().join(" ");
        note(&format!("confirm  bench {number} of {}: {flags}", benches.len()));
        let tally = measure(rerun, &folder)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rerun(workload: &str) -> Rerun {
        Rerun {
            workloads: vec![workload.to_owned()],
            digests: vec![Vec::new()],
            engines: vec!["pool".to_owned()],
            policies: vec!["6.12".to_owned(), "6.17".to_owned()],
            set: Vec::new(),
            rounds: 8,
            seed: 9,
            seconds: None,
            noise: true,
            control: None,
            probes: None,
            blocking: None,
        }
    }

    /// The benches that were made, and what came of them; all runs of the first `good` finish.
    fn made(benches: &[Rerun], good: usize) -> (Vec<String>, anyhow::Result<Vec<PathBuf>>) {
        let mut made = Vec::new();
        let folders = measure_again(benches, Path::new("confirm"), &mut |rerun, out| {
            made.push(format!("{} {}", rerun.workloads[0], out.display()));
            let finished = if made.len() > good { 3 } else { 16 };
            Ok(BenchTally {
                wanted: 16,
                finished,
                interrupted: finished < 16,
                ..BenchTally::default()
            })
        });
        (made, folders)
    }

    #[test]
    fn each_bench_has_a_folder_of_its_own() {
        let (made, folders) = made(&[rerun("dsync"), rerun("nop")], 2);
        assert_eq!(made, ["dsync confirm/1", "nop confirm/2"]);
        assert_eq!(folders.expect("all finished"), ["confirm/1", "confirm/2"].map(PathBuf::from));
    }

    #[test]
    fn runs_that_did_not_all_finish_confirm_nothing_and_no_further_bench_is_made() {
        let (made, folders) = made(&[rerun("dsync"), rerun("nop")], 0);
        assert_eq!(made.len(), 1);
        let error = folders.expect_err("interrupted").to_string();
        assert!(error.contains("neither confirmed nor refuted: interrupted: 3 of 16"), "{error}");
    }

    #[test]
    fn a_regression_that_no_bench_measures_is_an_error() {
        assert!(made(&[], 0).1.is_err());
    }

    #[test]
    fn a_workload_that_was_edited_since_is_not_measured_again() {
        let registry = Registry::builtin();
        let again = |digest: &str| {
            request_again(
                &Rerun { digests: vec![vec![digest.to_owned()]], ..rerun("dsync") },
                &registry,
            )
        };
        let plan = iowq_workloads::builtin("dsync").expect("it is built in");
        assert!(again(&run::digest(&plan)).is_ok());
        let error = again("another").expect_err("it is another").to_string();
        assert!(error.contains("dsync: is not the workload that the first runs had"), "{error}");
    }

    #[test]
    fn a_bench_that_measures_again_is_asked_for_what_the_first_one_was() {
        let request = request_of(&rerun("dsync"), &Registry::builtin()).expect("a request");
        let variants: Vec<String> = request.variants.iter().map(ToString::to_string).collect();
        assert_eq!(variants, ["under 6.12", "under 6.17", "under 6.12 again"]);
        assert_eq!((request.rounds, request.seed), (8, Some(9)));
    }
}
