//! Measuring a stream: its engine is made, driven through its plan, and ended.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::time::Duration;

use iowq_contract::{EngineName, RunRequest};
use iowq_workloads::{Ledger, Plan};

use super::start::{Gate, Start};
use crate::clock::{self, Nanos};
use crate::doorbell::Doorbell;
use crate::drive::{DriveStats, Driver};
use crate::engine::begun::Begun;
use crate::engine::blocking::{DoorbellWait, ProbeWait, SchedSums, SchedSwitch, SharedCounters};
use crate::engine::buffers::Buffers;
use crate::engine::no_ring::NoRing;
use crate::engine::pool::{PoolEngine, SLOTS};
use crate::engine::uring::{Attempts, UringEngine};
use crate::engine::{Engine, EngineReport};
use crate::files::Scratch;
use crate::probes::procfs::ProcCensus;
use crate::probes::{Requests, SchedPart};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU64, Ordering};
use iowq_pool::SelfReported;
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::PolicySpec;

/// A stream whose workers have all exited, and whose files are not verified yet.
pub(super) struct Measured {
    pub(super) driven: DriveStats,
    pub(super) remains: EngineReport,
    pub(super) ledger: Ledger,
    /// Why no op could be tried without a worker, if that matters.
    pub(super) no_attempts: Option<String>,
    /// Why workers waited for direct ops that the kernel's only begin, if they did.
    pub(super) no_begun: Option<String>,
    pub(super) started: Nanos,
    /// When the watch after the last close was over and workers were sent away.
    pub(super) ended: Nanos,
}

/// What all streams of a run have in common.
pub(super) struct Common<'a> {
    pub(super) request: &'a RunRequest,
    /// The pool's; none for other engines.
    pub(super) policy: Option<&'a PolicySpec>,
    pub(super) census: Option<&'a ProcCensus>,
    /// What the scheduler's probe observes, of all pools.
    pub(super) sleeps: Arc<SchedSums>,
    pub(super) report_ops: fn(u64),
    /// Ops of all streams that have ended.
    pub(super) ops_ended: AtomicU64,
    /// Groups of streams that one of them has ended, a bit for each.
    pub(super) groups_over: AtomicU64,
    /// Where streams wait for each other before they begin.
    pub(super) start: Start,
    /// And before they send their workers away: all are watched until the last one is done.
    pub(super) end: Start,
}

/// A stream to be measured.
pub(super) struct Stream<'a> {
    pub(super) plan: &'a Plan,
    pub(super) seed: u64,
    pub(super) scratch: &'a Scratch,
    /// What its pool shares with the scheduler's probe, if that runs.
    pub(super) sched: Option<SchedPart>,
    /// What is seen of requests of io_uring, and the first slot there that is its own.
    pub(super) requests: Option<(Arc<Requests>, u32)>,
}

/// Runs a stream on the engine of the request. Workers of the kernel's io-wq belong to this thread, and
/// end with it.
pub(super) fn measure(common: &Common<'_>, stream: Stream<'_>) -> anyhow::Result<Measured> {
    let gates = [Gate::of(&common.start), Gate::of(&common.end)];
    if let Some(policy) = common.policy {
        return on_pool(common, policy, stream, &gates);
    }
    let (plan, files) = (stream.plan, stream.scratch.files());
    let names = stream.scratch.names();
    let buffers = Buffers::new(plan);
    let places = buffers.places();
    let engine: Box<dyn Engine + '_> = match common.request.variant.engine {
        EngineName::Sync => Box::new(NoRing::new(plan, files, places).with_names(names)),
        _ => {
            let engine = UringEngine::new(plan, files, places, stream.requests.clone());
            Box::new(engine.with_names(names))
        }
    };
    drive(common, &stream, engine, buffers, &gates)
}

fn on_pool(
    common: &Common<'_>,
    policy: &PolicySpec,
    mut stream: Stream<'_>,
    gates: &[Gate<'_>; 2],
) -> anyhow::Result<Measured> {
    let (plan, files) = (stream.plan, stream.scratch.files());
    let names = stream.scratch.names();
    let records = common.request.records_latency;
    let buffers = Buffers::new(plan);
    let places = buffers.places();
    let (attempts, no_attempts) = match Attempts::new(plan) {
        Ok(attempts) => (Some(attempts), None),
        Err(error) => (None, Attempts::matter(plan).then(|| error.to_string())),
    };
    let (begun, no_begun) = match Begun::of(plan) {
        Ok(begun) => (begun, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let Some(SchedPart { page, tracker, blocks, slots }) = stream.sched.take() else {
        let (counters, sleeps) = (LocalCounters::default(), Arc::new(SelfReported));
        let doorbell = Doorbell::new()?;
        attempts.as_ref().map(|ring| doorbell.watch(ring)).transpose()?;
        begun.as_ref().map(|begun| doorbell.watch(begun)).transpose()?;
        let waiter = Box::new(DoorbellWait(doorbell));
        let pool = PoolEngine::new(SLOTS, plan, policy, counters, sleeps, waiter, files, places);
        let pool = pool.with_attempts(attempts).with_begun(begun).with_names(names);
        let pool = pool.recording(records);
        let measured = drive(common, &stream, Box::new(pool), buffers, gates)?;
        return Ok(Measured { no_attempts, no_begun, ..measured });
    };
    attempts.as_ref().map(|ring| blocks.watch(ring)).transpose()?;
    begun.as_ref().map(|begun| blocks.watch(begun)).transpose()?;
    let sleeps = Arc::clone(&common.sleeps);
    let sched = Arc::new(SchedSwitch::adding_to(sleeps, Arc::clone(&page), tracker));
    let counters = SharedCounters::new(page, policy.build().probe_rule());
    let waiter = Box::new(ProbeWait(blocks));
    let pool = PoolEngine::new(slots, plan, policy, counters, sched, waiter, files, places);
    let pool = pool.with_attempts(attempts).with_begun(begun).with_names(names);
    let pool = pool.recording(records);
    let measured = drive(common, &stream, Box::new(pool), buffers, gates)?;
    Ok(Measured { no_attempts, no_begun, ..measured })
}

/// Drives an engine through the plan, from when all streams are ready.
fn drive(
    common: &Common<'_>,
    stream: &Stream<'_>,
    mut engine: Box<dyn Engine + '_>,
    buffers: Buffers,
    gates: &[Gate<'_>; 2],
) -> anyhow::Result<Measured> {
    let plan = stream.plan;
    // Freed once the engine has ended: until then workers and kernel may use them, after an error
    // or a panic for ever.
    let mut buffers = ManuallyDrop::new(buffers);
    let mut ledger = Ledger::new(plan);
    let look = || {
        if let Some(census) = common.census {
            census.sample();
        }
    };
    let reported = Cell::new(0);
    let report = |ops: u64| {
        let more = ops - reported.replace(ops);
        (common.report_ops)(common.ops_ended.fetch_add(more, Ordering::Relaxed) + more);
    };
    let [start, end] = gates;
    start.pass();
    let started = clock::now();
    let driver = Driver::new(plan, stream.seed, &mut *engine, &mut buffers, &mut ledger, &look);
    let delay = common.request.delay.map_or(Duration::ZERO, |it| Duration::from_nanos(it.ns));
    let driver = driver.with_delay(delay).with_report(&report);
    let driver = driver.with_far_end(stream.scratch.far_end());
    let driver = driver.with_names(stream.scratch.names());
    let end_groups = || _ = common.groups_over.fetch_or(plan.ends_groups, Ordering::Relaxed);
    let driver = driver.with_end(&end_groups);
    let own_group = 1_u64.checked_shl(plan.group).unwrap_or(0);
    let is_over = || common.groups_over.load(Ordering::Relaxed) & own_group != 0;
    let may_be = common.request.plan.streams().any(|other| other.ends_groups & own_group != 0);
    let driven = if may_be { driver.until(&is_over).run()? } else { driver.run()? };
    look();
    end.pass();
    let ended = clock::now();
    let remains = engine.finish();
    drop(ManuallyDrop::into_inner(buffers));
    Ok(Measured { driven, remains, ledger, no_attempts: None, no_begun: None, started, ended })
}
