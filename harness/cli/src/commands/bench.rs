//! `bench`: makes the runs, then draws the report of what finished.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use iowq_contract::{BenchRequest, BenchTally, RECORD_NAME, WantProbes};
use iowq_harness::bench::{self, Site};
use iowq_harness::clock;
use iowq_pool::policy::Registry;
use serde_json::json;

use super::{list, report};
use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::bench::BenchFlags;
use crate::flags::verbosity::Verbosity;
use crate::print::{note, print, print_json};
use crate::progress::Progress;
use crate::time_spent::time_spent;
use crate::{folders, measuring_program, stop};

/// Runs the command.
pub(crate) fn run(
    flags: &BenchFlags,
    registry: &Registry,
    verbosity: Verbosity,
) -> anyhow::Result<Exit> {
    if flags.list {
        match flags.format {
            Format::Text => print(&list::text(registry)?)?,
            Format::Json => print_json(&list::json(registry)?)?,
        }
        return Ok(Exit::Fine);
    }
    let began = clock::now();
    let request = flags.request(registry)?;
    if flags.fidelity {
        measuring_program(registry)?
            .check_probes(WantProbes::Bpf, Some(request.blocking))
            .context("--fidelity counts the kernel's workers through eBPF, and by nothing else")?;
    }
    let out = flags.out.clone().unwrap_or_else(|| folders::by_time("bench"));
    folders::refuse_used(&out)?;
    let stop = stop::flag()?;
    let tally = measure(&request, registry, flags.dir.as_deref(), &out, &stop, verbosity)?;
    let record = out.join(RECORD_NAME);
    let problem = problem(&tally, &record);
    if let Some(problem) = &problem {
        note(&format!("error: {problem}"));
    }
    // After ^C, or if a run failed, the runs that finished are still worth a report.
    let report =
        (tally.finished > 0).then(|| report::draw(std::slice::from_ref(&record), &[], Some(&out)));
    let report = report.transpose()?;
    let took = clock::now().until(began);
    match (flags.format, &report) {
        (Format::Text, Some(report)) if !verbosity.quiet => {
            print(&(report::shown(report) + &time_spent(&tally.phases, took)))?;
        }
        (Format::Text, _) => {}
        (Format::Json, report) => print_json(&json!({
            "record": record.display().to_string(),
            "report": report.as_ref().map(|report| report.page.display().to_string()),
            "summary": report.as_ref().map(|report| report.summary.display().to_string()),
            "runs": tally,
            "took_ns": clock::duration_ns(took),
        }))?,
    }
    Ok(if problem.is_some() { Exit::Trouble } else { Exit::Fine })
}

/// Makes the runs, with their progress on standard error.
pub(crate) fn measure(
    request: &BenchRequest,
    registry: &Registry,
    dir: Option<&Path>,
    out: &Path,
    stop: &AtomicBool,
    verbosity: Verbosity,
) -> anyhow::Result<BenchTally> {
    let program = measuring_program(registry)?;
    let dir = folders::files_under_test(dir)?;
    if verbosity.verbose {
        note(&format!(
            "measuring with {}, files under test in {}",
            program.path().display(),
            dir.display()
        ));
    }
    let site = Site { registry, program: &program, dir: Some(&dir), out, stop };
    let mut progress = Progress::new(bench::lengths(request), verbosity.quiet);
    bench::run(request, &site, &mut progress)
}

/// What is missing, if anything.
pub(crate) fn problem(tally: &BenchTally, record: &Path) -> Option<String> {
    let BenchTally { wanted, finished, failed, gave_up, interrupted, .. } = *tally;
    let record = record.display();
    if interrupted && finished + failed == 0 {
        return Some(format!("interrupted before the first of {wanted} runs finished"));
    }
    if interrupted {
        return Some(format!("interrupted: {finished} of {wanted} runs finished, in {record}"));
    }
    let stopped = if gave_up { "; stopped after three failures in a row" } else { "" };
    (failed > 0).then(|| {
        format!("{failed} of {wanted} runs failed, {finished} finished, in {record}{stopped}")
    })
}
