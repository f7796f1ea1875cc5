//! Measuring: the engine of a run is made, driven through its plan, and ended.

use std::time::Duration;

use iowq_contract::RunRequest;
use iowq_workloads::Ledger;

use crate::clock::{self, Nanos};
use crate::doorbell::Doorbell;
use crate::drive::{DriveStats, Driver};
use crate::engine::begun::Begun;
use crate::engine::blocking::{DoorbellWait, ProbeWait, SchedReport, SchedSwitch, SharedCounters};
use crate::engine::buffers::Buffers;
use crate::engine::pool::PoolEngine;
use crate::engine::uring::{Attempts, UringEngine};
use crate::engine::{Engine, EngineReport};
use crate::files::Scratch;
use crate::io;
use crate::probes::procfs::ProcCensus;
use crate::probes::watch::Watch;
use crate::sync::{Arc, spawn_scoped, thread};
use iowq_pool::SelfReported;
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::PolicySpec;

/// A run whose workers have all exited, and whose files are not verified yet.
pub(super) struct Measured {
    pub(super) driven: DriveStats,
    pub(super) remains: EngineReport,
    pub(super) ledger: Ledger,
    /// What the scheduler's probe reported, if it was on.
    pub(super) sleeps: Option<SchedReport>,
    /// Why no op could be tried without a worker, if that matters.
    pub(super) no_attempts: Option<String>,
    /// Why workers waited for direct ops that the kernel's only begin, if they did.
    pub(super) no_begun: Option<String>,
    pub(super) started: Nanos,
    /// When the watch after the last close was over and workers were sent away.
    pub(super) ended: Nanos,
}

/// Runs the pool under a policy, or the kernel's io-wq without one.
pub(super) fn measure(
    request: &RunRequest,
    policy: Option<&PolicySpec>,
    report_ops: fn(u64),
    watch: &mut Watch,
    scratch: &Scratch,
) -> anyhow::Result<Measured> {
    match policy {
        Some(policy) => on_pool(request, policy, report_ops, watch, scratch),
        None => on_uring(request, report_ops, watch, scratch),
    }
}

fn on_pool(
    request: &RunRequest,
    policy: &PolicySpec,
    report_ops: fn(u64),
    watch: &mut Watch,
    scratch: &Scratch,
) -> anyhow::Result<Measured> {
    let (plan, files) = (&request.plan, scratch.files());
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
    let Some((page, tracker, blocks)) = watch.take_sched() else {
        let (counters, sleeps) = (LocalCounters::default(), Arc::new(SelfReported));
        let doorbell = Doorbell::new()?;
        attempts.as_ref().map(|ring| doorbell.watch(ring)).transpose()?;
        begun.as_ref().map(|begun| doorbell.watch(begun)).transpose()?;
        let waiter = Box::new(DoorbellWait(doorbell));
        let pool = PoolEngine::new(plan, policy, counters, sleeps, waiter, files, places);
        let pool =
            pool.with_attempts(attempts).with_begun(begun).recording(request.records_latency);
        let measured = drive(request, report_ops, Box::new(pool), buffers, watch.census())?;
        return Ok(Measured { no_attempts, no_begun, ..measured });
    };
    attempts.as_ref().map(|ring| blocks.watch(ring)).transpose()?;
    begun.as_ref().map(|begun| blocks.watch(begun)).transpose()?;
    let sched = Arc::new(SchedSwitch::new(Arc::clone(&page), tracker));
    let (counters, sleeps) =
        (SharedCounters::new(page, policy.build().probe_rule()), Arc::clone(&sched));
    let waiter = Box::new(ProbeWait(blocks));
    let pool = PoolEngine::new(plan, policy, counters, sleeps, waiter, files, places);
    let pool = pool.with_attempts(attempts).with_begun(begun).recording(request.records_latency);
    let measured = drive(request, report_ops, Box::new(pool), buffers, watch.census())?;
    let sleeps = Some(sched.report());
    Ok(Measured { sleeps, no_attempts, no_begun, ..measured })
}

/// On a thread of its own: io-wq's workers belong to the thread that submits, and the kernel ends
/// them with it.
fn on_uring(
    request: &RunRequest,
    report_ops: fn(u64),
    watch: &Watch,
    scratch: &Scratch,
) -> anyhow::Result<Measured> {
    let (seen, census) = (watch.requests(), watch.census());
    thread::scope(|scope| {
        // Workers have its name until they have their own, so it must not look like theirs.
        let driver = spawn_scoped(scope, || {
            if let Some(census) = census {
                census.disregard(io::thread_id());
            }
            let buffers = Buffers::new(&request.plan);
            let places = buffers.places();
            let engine = UringEngine::new(&request.plan, scratch.files(), places, seen);
            drive(request, report_ops, Box::new(engine), buffers, census)
        })?;
        driver.join().unwrap_or_else(|_| anyhow::bail!("the thread that submits panicked"))
    })
}

/// Drives an engine through the plan.
fn drive(
    request: &RunRequest,
    report_ops: fn(u64),
    mut engine: Box<dyn Engine + '_>,
    mut buffers: Buffers,
    census: Option<&ProcCensus>,
) -> anyhow::Result<Measured> {
    let plan = &request.plan;
    let mut ledger = Ledger::new(plan);
    let look = || {
        if let Some(census) = census {
            census.sample();
        }
    };
    let started = clock::now();
    let driver = Driver::new(plan, request.seed, &mut *engine, &mut buffers, &mut ledger, &look);
    let delay = request.delay.map_or(Duration::ZERO, |delay| Duration::from_nanos(delay.ns));
    let driven = match driver.with_delay(delay).with_report(report_ops).run() {
        Ok(driven) => driven,
        Err(error) => {
            // What is in flight in the kernel may still read and write them.
            std::mem::forget(buffers);
            return Err(error.into());
        }
    };
    look();
    let ended = clock::now();
    let remains = engine.finish();
    Ok(Measured {
        driven,
        remains,
        ledger,
        sleeps: None,
        no_attempts: None,
        no_begun: None,
        started,
        ended,
    })
}
