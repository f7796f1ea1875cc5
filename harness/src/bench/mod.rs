//! A bench: every variant on every workload once per round, each run in a process of its own.

mod child;
mod ending;
mod folder;
mod length;
mod output;
mod pilot;
mod runs;
mod silence;
mod site;
mod unverified;

use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::order::{ScheduledRun, rounds};
use iowq_contract::{
    BenchRequest, BenchTally, EngineName, Record, Variant, WantProbes, Workload, check_name,
};
use iowq_workloads::Plan;

use crate::engine;
use crate::probes::kept::KeptEvents;
use crate::run::{self, failed};
use crate::{machine, workload};

use child::{Ended, Message};
use folder::OwnFolder;
pub use length::length;
use length::time_max;
use output::Output;
use runs::Bench;
pub use site::{Observer, Program, Site};

/// Seed of the order if none is named.
const SEED: u64 = 1;
/// How long it may take to begin, also on an emulated processor: request, files and probes are
/// checked.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Failures in a row after which the rest is not tried: the cause is then none of the runs.
const FAILURES_IN_A_ROW_MAX: u32 = 3;

/// The request as this machine carries it out: limits and idle timeouts may be the kernel's own.
///
/// # Errors
/// An idle timeout that no plan may have.
pub fn resolved(request: &BenchRequest) -> anyhow::Result<BenchRequest> {
    let idle_timeout_ms = request.idle_timeout.map(|it| it.ms(machine::kernel_idle_timeout()));
    let resolve = |plan: &Plan| {
        let plan = workload::on_this_machine(plan.clone());
        match idle_timeout_ms {
            Some(ms) => plan.with_idle_timeout_ms(ms).context("--idle-timeout"),
            None => Ok(plan),
        }
    };
    let workloads = request.workloads.iter().map(|it| it.try_map(resolve));
    let workloads = workloads.collect::<anyhow::Result<_>>()?;
    Ok(BenchRequest { workloads, ..request.clone() })
}

/// Finds out once, and not in every run, what would keep all of them from being made.
///
/// # Errors
/// What is in the way, and what to do.
pub fn check(request: &BenchRequest, site: &Site<'_>) -> anyhow::Result<()> {
    check_names(request)?;
    let mut checked: Vec<&Plan> = Vec::new();
    for (place, Workload { name, plan, .. }) in request.workloads.iter().enumerate() {
        let before = &request.workloads[..place];
        if let Some(other) = before.iter().find(|other| other.plan.name == plan.name) {
            anyhow::bail!(
                "workloads {} and {name} have the same name, {}, and would be taken for one \
                 another in the record; rename one",
                other.name,
                plan.name
            );
        }
    }
    for (workload, variant, plan) in request.all() {
        let plan =
            plan.with_context(|| format!("{} {variant}: there is no such plan", workload.name))?;
        // Once is enough if the files are the same, as they are all over the grid.
        if !checked.iter().any(|other| same_files(other, plan)) {
            run::check_files(site.dir, plan)?;
            checked.push(plan);
        }
        engine::check(variant.engine, plan)?;
    }
    let pool = request.variants.iter().any(|variant| variant.engine == EngineName::Pool);
    let blocking = pool.then_some(request.blocking);
    if run::does_without(request.probes, blocking) {
        return Ok(());
    }
    site.program.check_probes(request.probes, blocking)
}

/// Whether readers take the names that records will have.
fn check_names(request: &BenchRequest) -> anyhow::Result<()> {
    for Workload { name, plan, .. } in &request.workloads {
        check_name(&plan.name)
            .map_err(|found| anyhow::anyhow!("workload {name}: found {found}; rename it"))?;
    }
    for Variant { policy, .. } in &request.variants {
        check_name(policy).map_err(|found| {
            anyhow::anyhow!(
                "policy {policy}: found {found}; name fewer patches, or register a policy of its \
                 own name (harness/cli/examples/policies.rs)"
            )
        })?;
    }
    Ok(())
}

/// Makes the runs. Finished ones are in `record.jsonl`, whatever ends the bench.
///
/// # Errors
/// If nothing can be run, or results cannot be written.
pub fn run(
    request: &BenchRequest,
    site: &Site<'_>,
    observer: &mut dyn Observer,
) -> anyhow::Result<BenchTally> {
    let request = &resolved(request)?;
    let may_bpf = matches!(request.probes, WantProbes::Auto | WantProbes::Bpf);
    let _kept = may_bpf.then(KeptEvents::open);
    // Before the results, so that an invalid request leaves nothing behind.
    check(request, site)?;
    let folder = OwnFolder::make(site.dir)?;
    let mut output = Output::create(site.out)?;
    let mut bench = Bench { request, folder: &folder, site, delays: Vec::new() };
    if let Some(percent) = request.control_percent {
        bench.delays = pilot::delays(&bench, percent, observer)?;
    }
    let tally = bench.run_all(&order(request), &mut output, observer)?;
    folder.remove()?;
    Ok(tally)
}

fn order(request: &BenchRequest) -> Vec<ScheduledRun> {
    let seed = request.seed.unwrap_or(SEED);
    rounds(request.workloads.len(), request.variants.len(), request.rounds, seed)
}

/// How long each run is meant to take, in order.
#[must_use]
pub fn lengths(request: &BenchRequest) -> Vec<Duration> {
    let plan = |run: &ScheduledRun| {
        let workload = &request.workloads[run.group];
        workload.plan_of(&request.variants[run.variant]).unwrap_or(&workload.plan)
    };
    order(request).iter().map(|run| length(plan(run))).collect()
}

/// How long a bench may take before it counts as hung.
#[must_use]
pub fn whole_time_max(request: &BenchRequest) -> Duration {
    let of = |plan: Option<&Plan>| plan.map_or(Duration::ZERO, time_max);
    let a_round: Duration = request.all().map(|(_, _, plan)| of(plan)).sum();
    // A control has a pilot run of each workload with the first variant.
    let pilot = |workload: &Workload| {
        request.variants.first().map_or(Duration::ZERO, |first| of(workload.plan_of(first)))
    };
    let pilots = request
        .control_percent
        .map_or(Duration::ZERO, |_| request.workloads.iter().map(pilot).sum());
    START_TIME_MAX + pilots + a_round.saturating_mul(request.rounds)
}

/// Whether two plans have the same files laid out and opened.
fn same_files(one: &Plan, other: &Plan) -> bool {
    let files = |plan: &Plan| {
        (plan.open.clone(), plan.block_bytes, plan.file_blocks * u64::from(plan.block_bytes))
    };
    one.streams().map(files).eq(other.streams().map(files))
}

impl Bench<'_> {
    fn run_all(
        &self,
        scheduled: &[ScheduledRun],
        output: &mut Output,
        observer: &mut dyn Observer,
    ) -> anyhow::Result<BenchTally> {
        let mut tally = BenchTally { wanted: scheduled.len(), ..BenchTally::default() };
        let mut failed_in_a_row = 0;
        for scheduled in scheduled {
            let request = self.run_request(scheduled);
            let name = &self.request.workloads[scheduled.group].name;
            observer.start(&request.plan.name, &request.variant);
            let ended = child::run(self.site, &request, &mut |message| {
                self.on_message(message, output, observer)
            })?;
            let record = match ended {
                Ended::Record(record) => {
                    tally.finished += 1;
                    failed_in_a_row = 0;
                    *record
                }
                Ended::Failed(error, measured) => {
                    tally.failed += 1;
                    failed_in_a_row += 1;
                    match measured {
                        Some(record) => Record { error: Some(error), ..*record },
                        None => {
                            let policy = run::policy_of(self.site.registry, &request.variant)?;
                            failed(&request, policy.as_ref(), self.folder.path(), error)
                        }
                    }
                }
                Ended::Interrupted(measured) => {
                    tally.interrupted = true;
                    if let Some(record) = measured {
                        tally.finished += 1;
                        output.append(&record)?;
                    }
                    break;
                }
            };
            tally.phases += record.phases.unwrap_or_default();
            output.append(&record)?;
            observer.done(&record, name, &request.variant)?;
            // A process that was killed leaves its files; one that ended has removed them.
            self.folder.clear()?;
            if failed_in_a_row == FAILURES_IN_A_ROW_MAX {
                tally.gave_up = true;
                break;
            }
        }
        Ok(tally)
    }

    /// Takes in what a run says while it goes on. Once it was measured it is on the device.
    fn on_message(
        &self,
        message: Message<'_>,
        output: &mut Output,
        observer: &mut dyn Observer,
    ) -> anyhow::Result<()> {
        match message {
            Message::Nothing => observer.look(),
            Message::Progress(step, done_bytes, all_bytes) => {
                observer.step(step, done_bytes, all_bytes);
            }
            Message::Record(record) => {
                if self.request.drops_histograms {
                    record.latency.drop_histograms();
                }
                if child::is_unverified(record) {
                    output.keep_unverified(record)?;
                }
            }
        }
        Ok(())
    }
}
