//! A cell: one workload under one policy on one engine, run once, from probes to record.

mod assemble;
mod births;
mod doubts;
mod file_doubts;
mod kernel_doubts;
mod lives;
mod measure;
mod plan_settings;
mod settle;
mod switch_doubts;
mod timing;
mod unmodelled;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use iowq_contract::{Birth, Blocking, Host, Load, NOT_VERIFIED, Record, Role, Settled, Switches};
use iowq_workloads::{FileState, Ledger, Plan, Rounds};

use crate::clock::{self, Nanos};
use crate::drive::Driven;
use crate::engine::blocking::SchedReport;
use crate::engine::{EngineReport, uring};
use crate::files::{Scratch, Step};
use crate::io;
use crate::machine::{self, load::Look};
use crate::pulse::{Pulse, Stillness};
use iowq_pool::policy::{PolicySpec, Registry};

pub use assemble::settings;
pub(crate) use file_doubts::not_verified;
use measure::Measured;
pub use watch::{Probes, WantBlocking};
use watch::{Seen, Wanted, Watch};

/// How often the census looks in a check, which ends before that.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// The policy of the kernel's own io-wq, whatever the kernel.
pub const KERNEL: &str = "kernel";

/// What carries out ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineName {
    /// The userspace io-wq
    Pool,
    /// The running kernel's io-wq, through io_uring
    Uring,
}

impl EngineName {
    /// What it is, in a few words.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            EngineName::Pool => "the userspace io-wq, under each policy",
            EngineName::Uring => "the running kernel's io-wq, through io_uring, by its own rules",
        }
    }

    /// The name, as in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EngineName::Pool => "pool",
            EngineName::Uring => "uring",
        }
    }
}

/// A delay that ops of a control have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InjectedDelay {
    /// How long.
    pub ns: u64,
    /// How much of the median response time without it that is.
    pub percent: f64,
}

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Request {
    /// The workload.
    pub plan: Plan,
    /// What carries out the ops.
    pub engine: EngineName,
    /// The policy; none on the kernel's own io-wq.
    pub policy: Option<PolicySpec>,
    /// Seed of the stream of ops.
    pub seed: u64,
    /// Which round of runs this one belongs to.
    pub pair: u32,
    /// Its place in the order of all runs.
    pub position: u32,
    /// What it is for.
    pub role: Role,
    /// How much later ops are handed over, in a control.
    pub delay: Option<InjectedDelay>,
    /// Where the files under test go; `None` for the default.
    pub dir: Option<PathBuf>,
    /// What watches the workers.
    pub probes: Probes,
    /// Who tells that a worker sleeps.
    pub blocking: WantBlocking,
    /// Whether latencies are recorded; not so to find out what that costs.
    pub records_latency: bool,
    /// Told now and then how many ops are done, for as long as any are: a sign of life.
    pub tell: fn(u64),
}

/// All that a run left, before it is made into a record.
struct Outcome {
    driven: Driven,
    remains: EngineReport,
    seen: Seen,
    blocking: Blocking,
    /// What the scheduler told, where it was asked.
    sleeps: Option<SchedReport>,
    started: Nanos,
    /// When the watch after the last close was over and workers were sent away.
    ended: Nanos,
    birth: Birth,
    /// Why no op could be tried without a worker, where that matters.
    no_attempts: Option<String>,
    /// Why workers waited for direct ops that the kernel's only begin, if they did.
    no_begun: Option<String>,
    /// How long process and machine stood still.
    stillness: Stillness,
    load: Load,
    time_namespace: bool,
    settled: Settled,
    rounds: Rounds,
}

/// What a run tells while it goes on.
pub enum Told<'a> {
    /// How far a step beside the measured part is: bytes done, of how many.
    Progress(Step, u64, u64),
    /// The record, as soon as the measured part is over, and once more when what was written has
    /// been read back: the later one holds.
    Record(&'a Record),
}

impl Outcome {
    /// Switches of the pool's workers, where the scheduler told. Returns in works that the probe
    /// missed were noticed by itself or by the worker.
    fn switches(&self) -> Option<Switches> {
        let SchedReport { switches, returns_repaired, .. } = self.sleeps?;
        let ins_missed_in_works = self.seen.switches_missed + returns_repaired;
        Some(Switches { ins_missed_in_works, ..switches })
    }
}

/// Runs a cell in this process. The files under test are gone on return.
///
/// # Errors
/// Where it cannot be run at all, what was written is not what is there, or the files cannot be
/// removed: in words for a person. The record was told before the latter two.
pub fn run(
    request: &Request,
    tell: &mut dyn FnMut(Told<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let started_at = clock::wall_clock();
    if request.engine == EngineName::Uring {
        uring::check(&request.plan)?;
    }
    let cpus = confine(&request.plan)?;
    let birth = births::before();
    let mut watch = Watch::start(&request.wanted())?;
    let mut progress = |step, done, all| {
        // A message that cannot be sent is no failure of the run.
        let _ = tell(Told::Progress(step, done, all));
    };
    let scratch = Scratch::new_telling(request.dir.as_deref(), &request.plan, &mut progress)?;
    let host = Host { cpus, ..machine::describe(scratch.folder()) };
    let settled = settle::settle(scratch.folder());
    let (pulse, look) = (Pulse::start(), Look::now());
    let outcome = measure::measure(request, &mut watch, &scratch);
    let (still, load) = (pulse.finish(), Look::now().since(&look));
    let outcome =
        outcome.and_then(|measured| finish(measured, (birth, still, load), watch, settled));
    let outcome = outcome.and_then(|(outcome, ledger)| {
        let record = assemble::record(request, &outcome, host, started_at);
        verify(record, request, &scratch, &ledger, tell)
    });
    // Removed also after a failure, and a failure to remove does not hide the other one.
    let removed = scratch.remove_telling(&mut |step, done, all| {
        let _ = tell(Told::Progress(step, done, all));
    });
    outcome?;
    removed?;
    Ok(())
}

/// Tells the record, reads back what was written, and tells the record again.
fn verify(
    mut record: Record,
    request: &Request,
    scratch: &Scratch,
    ledger: &Ledger,
    tell: &mut dyn FnMut(Told<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let plan = &request.plan;
    if !plan.verify {
        return tell(Told::Record(&record));
    }
    record.caveats.push(not_verified("the run was ended before that was done"));
    tell(Told::Record(&record))?;
    let verified = scratch.verify(plan, request.seed, ledger, &mut |step, done, all| {
        let _ = tell(Told::Progress(step, done, all));
    })?;
    record.caveats.retain(|caveat| caveat.code != NOT_VERIFIED);
    let from = (verified.blocks > 0).then_some(verified.from);
    record.caveats.extend(from.and_then(file_doubts::of_verifying));
    record.ops.verified_blocks = Some(verified.blocks);
    record.ops.verified_from = from.map(|from| from.name().to_owned());
    record.ops.verified_written_back_bytes = verified.written_back_bytes;
    tell(Told::Record(&record))
}

/// Whether the files of a run can be made in `dir`, by making and removing them, with space for all
/// blocks but without their data.
///
/// # Errors
/// Says what is in the way and what helps.
pub fn check_files(dir: Option<&Path>, plan: &Plan) -> anyhow::Result<()> {
    let state = vec![FileState::Allocated; plan.state.len()];
    Ok(Scratch::new(dir, &Plan { state, ..plan.clone() })?.remove()?)
}

/// Whether what is to watch a run works, where the run would not be made without it. `blocking` is
/// none where only the kernel's io-wq runs, which nobody has to tell that a worker sleeps.
///
/// # Errors
/// Says what is in the way and what helps.
pub fn check_probes(probes: Probes, blocking: Option<WantBlocking>) -> anyhow::Result<()> {
    if probes == Probes::Auto && blocking != Some(WantBlocking::Sched) {
        return Ok(());
    }
    let requests = u32::from(blocking.is_none());
    let wanted = Wanted { probes, blocking, requests, idle_timeout: CHECK_TIMEOUT };
    Watch::start(&wanted).map(drop)
}

/// The policy of that name; none for the kernel's own rules.
///
/// # Errors
/// If the engine has no policy of that name; says which there are.
pub fn parse_policy(
    registry: &Registry,
    engine: EngineName,
    name: &str,
) -> anyhow::Result<Option<PolicySpec>> {
    match engine {
        EngineName::Pool => Ok(Some(registry.parse(name)?)),
        EngineName::Uring if name == KERNEL => Ok(None),
        EngineName::Uring => anyhow::bail!(
            "--engine uring: found policy {name}; the kernel has its own rules, named {KERNEL}"
        ),
    }
}

/// The name of a policy, as in records.
#[must_use]
pub fn policy_name(policy: Option<&PolicySpec>) -> &str {
    policy.map_or(KERNEL, PolicySpec::name)
}

/// Confines this thread, and with it all threads that a run will have, the probes' too, to the
/// processors of its plan; returns how many it could use before, which is the machine's to say.
fn confine(plan: &Plan) -> anyhow::Result<u32> {
    let before = machine::cpus();
    if let Some(cpus) = plan.cpus {
        io::confine(cpus).map_err(|errno| {
            anyhow::anyhow!(
                "run.cpus: found {cpus}, and this process may use {before} ({errno}); lower it"
            )
        })?;
    }
    Ok(before)
}

impl Request {
    fn wanted(&self) -> Wanted {
        let uring = self.engine == EngineName::Uring;
        Wanted {
            probes: self.probes,
            blocking: (!uring).then_some(self.blocking),
            requests: if uring { self.plan.depth } else { 0 },
            idle_timeout: self.plan.idle_timeout,
        }
    }
}

/// Lets the probes see the last exits.
fn finish(
    measured: Measured,
    (birth, stillness, load): (Birth, Stillness, Load),
    watch: Watch,
    settled: Settled,
) -> anyhow::Result<(Outcome, Ledger)> {
    let blocking = watch.blocking();
    let seen = watch.finish()?;
    let birth = Birth {
        creator_ns_p50: births::median(measured.remains.creation_ns.clone()),
        start_ns_p50: seen.start_ns,
        ..birth
    };
    let rounds = measured.ledger.rounds();
    let outcome = Outcome {
        driven: measured.driven,
        remains: measured.remains,
        seen,
        blocking,
        sleeps: measured.sleeps,
        started: measured.started,
        ended: measured.ended,
        birth,
        no_attempts: measured.no_attempts,
        no_begun: measured.no_begun,
        stillness,
        load,
        time_namespace: timing::in_time_namespace(),
        settled,
        rounds,
    };
    Ok((outcome, measured.ledger))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::thread;

    fn plan(cpus: &str) -> Plan {
        Plan::parse("confined", "confined.toml", &format!("[run]\n{cpus}")).expect("a valid spec")
    }

    #[test]
    fn a_run_on_one_processor_confines_its_thread_and_those_that_it_makes() {
        let before = machine::cpus();
        // On a thread of its own, because it stays confined.
        let confined = thread::spawn(move || {
            let found = confine(&plan("cpus = 1")).map_err(|error| error.to_string());
            let later = thread::spawn(machine::cpus).join().expect("it ends");
            (found, machine::cpus(), later)
        });
        assert_eq!(confined.join().expect("it ends"), (Ok(before), 1, 1));
        assert_eq!(confine(&plan("")).map_err(|error| error.to_string()), Ok(before));
        assert_eq!(machine::cpus(), before, "nothing is asked for");
    }

    #[test]
    fn more_processors_than_there_are_is_an_error_that_names_both() {
        let error =
            confine(&plan("cpus = 1024")).expect_err("more than this machine has").to_string();
        let before = machine::cpus();
        assert!(
            error.starts_with(&format!("run.cpus: found 1024, and this process may use {before} ")),
            "{error}"
        );
    }
}
