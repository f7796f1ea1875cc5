//! A cell: one workload under one policy on one engine, run once, from probes to record.

mod assemble;
mod births;
mod doubts;
mod kernel_doubts;
mod lives;
mod measure;
mod switch_doubts;
mod timing;
mod unmodelled;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use iowq_record::{Birth, Blocking, Host, Load, Record, Role, Switches};
use iowq_workloads::Plan;

use crate::clock::{self, Nanos};
use crate::drive::Driven;
use crate::engine::{Remains, uring};
use crate::files::Scratch;
use crate::io;
use crate::machine::{self, load::Look};
use crate::pool::policy;
use crate::pulse::{Pulse, Stillness};

pub use assemble::settings;
use measure::{Measured, Sleeps};
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
    /// Name of the policy; [`KERNEL`] on the kernel's own io-wq.
    pub policy: String,
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
}

/// All that a run left, before it is made into a record.
struct Outcome {
    driven: Driven,
    remains: Remains,
    seen: Seen,
    blocking: Blocking,
    /// What the scheduler told, where it was asked.
    sleeps: Option<Sleeps>,
    started: Nanos,
    /// When the watch after the last close was over and workers were sent away.
    ended: Nanos,
    birth: Birth,
    /// Why no op could be tried without a worker, where that matters.
    no_attempts: Option<String>,
    /// How long process and machine stood still.
    stillness: Stillness,
    load: Load,
    time_namespace: bool,
    verified_blocks: Option<u64>,
}

impl Outcome {
    /// Switches of the pool's workers, where the scheduler told. Returns in works that the probe
    /// missed were noticed by itself or by the worker.
    fn switches(&self) -> Option<Switches> {
        let Sleeps { switches, returns_repaired, .. } = self.sleeps?;
        let ins_missed_in_works = self.seen.switches_missed + returns_repaired;
        Some(Switches { ins_missed_in_works, ..switches })
    }
}

/// Runs a cell in this process. The files under test are gone on return.
///
/// # Errors
/// Where it cannot be run at all, or what was written is not what is there: in words for a person.
pub fn run(request: &Request) -> anyhow::Result<Record> {
    let started_at = clock::wall_clock();
    check_policy(request.engine, &request.policy)?;
    if request.engine == EngineName::Uring {
        uring::check(&request.plan)?;
    }
    let cpus = confine(&request.plan)?;
    let birth = births::before();
    let mut watch = Watch::start(&request.wanted())?;
    let scratch = Scratch::new(request.dir.as_deref(), &request.plan)?;
    let host = Host { cpus, ..machine::describe(scratch.folder()) };
    let (pulse, look) = (Pulse::start(), Look::now());
    let outcome = measure::measure(request, &mut watch, &scratch);
    let (still, load) = (pulse.finish(), Look::now().since(&look));
    let outcome = outcome
        .and_then(|measured| finish(measured, (birth, still, load), request, watch, &scratch));
    // Removed also after a failure, and a failure to remove does not hide the other one.
    let removed = scratch.remove();
    let outcome = outcome?;
    removed?;
    Ok(assemble::record(request, &outcome, host, started_at))
}

/// Whether the files of a run can be made in `dir`, by making and removing them.
///
/// # Errors
/// Says what is in the way and what helps.
pub fn check_files(dir: Option<&Path>, plan: &Plan) -> anyhow::Result<()> {
    Ok(Scratch::new(dir, plan)?.remove()?)
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

/// Whether an engine knows a policy of that name.
///
/// # Errors
/// Says which there are.
pub fn check_policy(engine: EngineName, name: &str) -> anyhow::Result<()> {
    match engine {
        EngineName::Pool => policy::parse(name).map(drop).map_err(Into::into),
        EngineName::Uring if name == KERNEL => Ok(()),
        EngineName::Uring => anyhow::bail!(
            "--engine uring: found policy {name}; the kernel has its own rules, named {KERNEL}"
        ),
    }
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

/// Lets the probes see the last exits, and checks the files.
fn finish(
    measured: Measured,
    (birth, stillness, load): (Birth, Stillness, Load),
    request: &Request,
    watch: Watch,
    scratch: &Scratch,
) -> anyhow::Result<Outcome> {
    let blocking = watch.blocking();
    let seen = watch.finish()?;
    let birth = Birth {
        creator_ns_p50: births::median(measured.remains.creation_ns.clone()),
        start_ns_p50: seen.start_ns,
        ..birth
    };
    let verified_blocks = if request.plan.verify {
        Some(scratch.verify(&request.plan, request.seed, &measured.ledger)?)
    } else {
        None
    };
    Ok(Outcome {
        driven: measured.driven,
        remains: measured.remains,
        seen,
        blocking,
        sleeps: measured.sleeps,
        started: measured.started,
        ended: measured.ended,
        birth,
        no_attempts: measured.no_attempts,
        stillness,
        load,
        time_namespace: timing::in_time_namespace(),
        verified_blocks,
    })
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
        let error = confine(&plan("cpus = 1024")).expect_err("so many are not there").to_string();
        let before = machine::cpus();
        assert!(
            error.starts_with(&format!("run.cpus: found 1024, and this process may use {before} ")),
            "{error}"
        );
    }
}
