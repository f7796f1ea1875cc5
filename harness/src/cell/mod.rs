//! A cell: one workload under one policy on one engine, run once, from probes to record.

mod assemble;
mod doubts;
mod lives;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use iowq_record::{Blocking, Record};
use iowq_workloads::{Ledger, Plan};

use crate::clock::{self, Nanos};
use crate::drive::{Driven, Driver};
use crate::engine::call::Buffers;
use crate::engine::pool::PoolEngine;
use crate::engine::sleeps::{Declared, Hearing, PageBoard, Sched};
use crate::engine::{Engine, Remains};
use crate::files::Scratch;
use crate::machine;
use crate::pool::board::Plain;
use crate::pool::{Parked, policy};
use crate::sync::Arc;

pub use assemble::settings;
pub use watch::{Probes, WantBlocking};
use watch::{Seen, Watch};

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
    /// The name, as in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EngineName::Pool => "pool",
            EngineName::Uring => "uring",
        }
    }
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
    /// Where the files under test go; `None` for the default.
    pub dir: Option<PathBuf>,
    /// What watches the workers.
    pub probes: Probes,
    /// Who tells that a worker sleeps.
    pub blocking: WantBlocking,
}

/// All that a run left, before it is made into a record.
struct Outcome {
    driven: Driven,
    remains: Remains,
    seen: Seen,
    blocking: Blocking,
    /// Sleeps inside works, where the scheduler told, and workers it did not know of.
    sleeps: Option<(u64, u64)>,
    started: Nanos,
    /// When the watch after the last close was over and workers were sent away.
    ended: Nanos,
    verified_blocks: Option<u64>,
}

/// Runs a cell in this process. The files under test are gone on return.
///
/// # Errors
/// Where it cannot be run at all, or what was written is not what is there: in words for a person.
pub fn run(request: &Request) -> anyhow::Result<Record> {
    let started_at = clock::wall_clock();
    policy::parse(&request.policy)?;
    let mut watch = Watch::start(request.probes, request.blocking, request.plan.idle_timeout)?;
    let scratch = Scratch::new(request.dir.as_deref(), &request.plan)?;
    let host = machine::describe(scratch.folder());
    let outcome = measure(request, &mut watch, &scratch, clock::now());
    let outcome = outcome.and_then(|measured| measured.finish(request, watch, &scratch));
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

/// Whether what is to watch a run works, where the run would not be made without it.
///
/// # Errors
/// Says what is in the way and what helps.
pub fn check_probes(probes: Probes, blocking: WantBlocking) -> anyhow::Result<()> {
    if probes == Probes::Auto && blocking != WantBlocking::Sched {
        return Ok(());
    }
    Watch::start(probes, blocking, CHECK_TIMEOUT).map(drop)
}

/// A run whose workers have all left, and whose files are not looked at yet.
struct Measured {
    driven: Driven,
    remains: Remains,
    ledger: Ledger,
    sleeps: Option<(u64, u64)>,
    started: Nanos,
    ended: Nanos,
}

impl Measured {
    /// Lets the probes see the last exits, and checks the files.
    fn finish(self, request: &Request, watch: Watch, scratch: &Scratch) -> anyhow::Result<Outcome> {
        let blocking = watch.blocking();
        let seen = watch.finish()?;
        let verified_blocks = if request.plan.verify {
            Some(scratch.verify(&request.plan, request.seed, &self.ledger)?)
        } else {
            None
        };
        Ok(Outcome {
            driven: self.driven,
            remains: self.remains,
            seen,
            blocking,
            sleeps: self.sleeps,
            started: self.started,
            ended: self.ended,
            verified_blocks,
        })
    }
}

/// Drives the engine through the plan.
fn measure(
    request: &Request,
    watch: &mut Watch,
    scratch: &Scratch,
    started: Nanos,
) -> anyhow::Result<Measured> {
    let plan = &request.plan;
    let mut buffers = Buffers::new(plan);
    let places = buffers.places();
    let mut ledger = Ledger::new(plan);
    let policy = || policy::parse(&request.policy);
    let mut told = None;
    let files = scratch.files();
    let policies = [policy()?, policy()?];
    let mut engine: Box<dyn Engine + '_> = match watch.take_sched() {
        Some((page, tracker, blocks)) => {
            let sleeps = Arc::new(Sched::new(Arc::clone(&page), tracker));
            told = Some(Arc::clone(&sleeps));
            let board = PageBoard::new(page, &*policies[0]);
            let waiter = Box::new(Hearing(blocks));
            Box::new(PoolEngine::new(plan, policies, board, sleeps, waiter, files, places))
        }
        None => {
            let (board, sleeps) = (Plain::default(), Arc::new(Declared));
            let waiter = Box::new(Parked::default());
            Box::new(PoolEngine::new(plan, policies, board, sleeps, waiter, files, places))
        }
    };
    let before_close = || watch.look();
    let driver =
        Driver::new(plan, request.seed, &mut *engine, &mut buffers, &mut ledger, &before_close);
    let driven = driver.run()?;
    watch.look();
    let ended = clock::now();
    let remains = engine.finish();
    let sleeps = told.map(|sched| (sched.sleeps(), sched.untracked()));
    Ok(Measured { driven, remains, ledger, sleeps, started, ended })
}
