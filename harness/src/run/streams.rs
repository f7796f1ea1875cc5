//! The streams of a run: each in a thread of its own, and together one result.

use std::ops::Add as _;

use anyhow::Context as _;
use iowq_contract::{DispatchCounts, EngineName, RunRequest, TaskResult};
use iowq_pool::PoolTally;
use iowq_pool::policy::PolicySpec;
use iowq_workloads::{Ledger, OpKind, Plan, seed_of_stream};

use super::measure::{Common, Measured, Stream, measure};
use super::start::Start;
use crate::clock::Nanos;
use crate::drive::DriveStats;
use crate::engine::EngineReport;
use crate::engine::blocking::{SchedReport, SchedSums};
use crate::files::Scratch;
use crate::io;
use crate::probes::watch::Watch;
use crate::sync::atomic::AtomicU64;
use crate::sync::{Arc, spawn_scoped, thread};

/// All streams of a run, whose workers have exited, and whose files are not verified yet.
pub(super) struct AllMeasured {
    pub(super) driven: DriveStats,
    pub(super) remains: EngineReport,
    /// Of each stream.
    pub(super) ledgers: Vec<Ledger>,
    /// What the tasks did, if there are any.
    pub(super) tasks: Vec<TaskResult>,
    /// What the scheduler's probe reported, if it was on.
    pub(super) sleeps: Option<SchedReport>,
    /// Why no op could be tried without a worker, if that matters.
    pub(super) no_attempts: Option<String>,
    /// Why workers waited for direct ops that the kernel's only begin, if they did.
    pub(super) no_begun: Option<String>,
    pub(super) started: Nanos,
    pub(super) ended: Nanos,
}

/// Runs all streams of the request's plan at the same time, each on the files of its own.
pub(super) fn measure_all(
    request: &RunRequest,
    policy: Option<&PolicySpec>,
    report_ops: fn(u64),
    watch: &mut Watch,
    scratches: &[Scratch],
) -> anyhow::Result<AllMeasured> {
    let streams: Vec<&Plan> = request.plan.streams().collect();
    let engine = request.variant.engine;
    let pool = engine == EngineName::Pool;
    let sched = if pool { watch.take_sched(streams.len())? } else { None };
    let observed = sched.is_some();
    let mut sched = sched.into_iter().flatten();
    let sleeps = Arc::new(SchedSums::default());
    let common = Common {
        request,
        policy,
        census: watch.census(),
        sleeps: Arc::clone(&sleeps),
        report_ops,
        ops_ended: AtomicU64::new(0),
        groups_over: AtomicU64::new(0),
        start: Start::of(streams.len()),
        end: Start::of(streams.len()),
    };
    let mut ready = Vec::new();
    let mut slot_first = 0;
    for (number, (&plan, scratch)) in (0..).zip(streams.iter().zip(scratches)) {
        let seed = seed_of_stream(request.seed, number);
        let requests = watch.requests().map(|requests| (requests, slot_first));
        ready.push(Stream { plan, seed, scratch, sched: sched.next(), requests });
        slot_first += plan.depth;
    }
    // One stream is driven from here, but that of io_uring, whose workers end with its thread.
    let measured = match ready.pop() {
        Some(only) if ready.is_empty() && engine != EngineName::Uring => {
            vec![measure(&common, only)?]
        }
        last => in_threads(&common, ready.into_iter().chain(last).collect())?,
    };
    let mut all = merged(&request.plan, measured);
    all.sleeps = observed.then(|| sleeps.report());
    Ok(all)
}

/// Runs each stream in a thread of its own.
fn in_threads(common: &Common<'_>, streams: Vec<Stream<'_>>) -> anyhow::Result<Vec<Measured>> {
    let one = &|stream| {
        // Workers have its name until they have their own, so it must not look like theirs.
        if let Some(census) = common.census {
            census.disregard(io::thread_id());
        }
        measure(common, stream)
    };
    thread::scope(|scope| {
        let spawned = streams.into_iter().map(|stream| {
            let thread = spawn_scoped(scope, move || one(stream));
            // The others wait for it.
            thread.inspect_err(|_| {
                common.start.arrive();
                common.end.arrive();
            })
        });
        let threads: Vec<_> = spawned.collect();
        let join = |thread: std::io::Result<thread::ScopedJoinHandle<'_, _>>| {
            let thread = thread.context("starting a thread that submits")?;
            thread.join().unwrap_or_else(|_| anyhow::bail!("a thread that submits panicked"))
        };
        // All are joined before the first failure is told.
        let ended: Vec<_> = threads.into_iter().map(join).collect();
        ended.into_iter().collect()
    })
}

/// What the streams of a plan did, as one.
fn merged(plan: &Plan, streams: Vec<Measured>) -> AllMeasured {
    let tasks = of_tasks(plan, &streams);
    let mut all = AllMeasured {
        driven: DriveStats::default(),
        remains: EngineReport::default(),
        ledgers: Vec::new(),
        tasks,
        sleeps: None,
        no_attempts: None,
        no_begun: None,
        started: Nanos(u64::MAX),
        ended: Nanos(0),
    };
    for (number, stream) in streams.into_iter().enumerate() {
        all.started = all.started.min(stream.started);
        all.ended = all.ended.max(stream.ended);
        all.no_attempts = all.no_attempts.or(stream.no_attempts);
        all.no_begun = all.no_begun.or(stream.no_begun);
        all.ledgers.push(stream.ledger);
        if number == 0 {
            (all.driven, all.remains) = (stream.driven, stream.remains);
        } else {
            add_driven(&mut all.driven, stream.driven);
            add_remains(&mut all.remains, stream.remains);
        }
    }
    // Each has its own in order.
    all.remains.lives.sort_by_key(|(at, ..)| *at);
    all
}

/// What the streams of each task did together.
fn of_tasks(plan: &Plan, streams: &[Measured]) -> Vec<TaskResult> {
    let mut rest = streams;
    let mut results = Vec::new();
    for task in &plan.tasks {
        let (own, others) = rest.split_at((task.count as usize).min(rest.len()));
        rest = others;
        let mut recorder = crate::recorder::Recorder::default();
        own.iter().for_each(|stream| recorder.add(&stream.remains.recorder));
        let mut latency = recorder.latency();
        latency.drop_histograms();
        results.push(TaskResult {
            name: task.name.clone(),
            count: task.count,
            done: own.iter().map(|stream| stream.driven.done).sum(),
            failed: own.iter().map(|stream| stream.driven.failed).sum(),
            never_started: own.iter().filter_map(|it| it.driven.never_started).reduce(u64::add),
            duration_ns: duration_ns(own),
            latency,
        });
    }
    results
}

/// From the first moment that one of them measured to the last.
fn duration_ns(streams: &[Measured]) -> u64 {
    let from = streams.iter().map(|stream| stream.driven.measured_from).min();
    let until = streams.iter().map(|stream| stream.driven.measured_until).max();
    until.zip(from).map_or(0, |(until, from)| until.since(from))
}

/// Adds what another stream drove. Processor time is the process's, so that of the longest counts.
fn add_driven(all: &mut DriveStats, one: DriveStats) {
    all.opened = all.opened.min(one.opened);
    all.measured_from = all.measured_from.min(one.measured_from);
    all.measured_until = all.measured_until.max(one.measured_until);
    all.closed = all.closed.max(one.closed);
    all.done += one.done;
    all.failed += one.failed;
    all.never_started = match (all.never_started, one.never_started) {
        (None, None) => None,
        (some, other) => Some(some.unwrap_or(0) + other.unwrap_or(0)),
    };
    all.cpu_ns = all.cpu_ns.max(one.cpu_ns);
    for (error, count) in one.failures {
        *all.failures.entry(error).or_default() += count;
    }
}

/// Adds what another stream's engine reported.
fn add_remains(all: &mut EngineReport, one: EngineReport) {
    all.recorder.add(&one.recorder);
    if let (Some(all), Some(one)) = (&mut all.tally, one.tally) {
        add_tally(all, one);
    }
    all.lives.extend(one.lives);
    all.creation_ns.extend(one.creation_ns);
    if let (Some(all), Some(one)) = (&mut all.dispatch, one.dispatch) {
        add_dispatch(all, &one);
    }
    all.timed_at_reaping =
        all.timed_at_reaping.zip(one.timed_at_reaping).map(|(all, one)| all + one);
    all.timed_one_in = all.timed_one_in.max(one.timed_one_in);
}

fn add_tally(all: &mut PoolTally, one: PoolTally) {
    all.created += one.created;
    all.exited += one.exited;
    all.spawned_on_enqueue += one.spawned_on_enqueue;
    all.requests += one.requests;
    all.requests_woken += one.requests_woken;
    all.requests_dropped += one.requests_dropped;
    all.creations_failed += one.creations_failed;
    all.creations_retried += one.creations_retried;
}

type Dispatch = [DispatchCounts; OpKind::ALL.len()];

fn add_dispatch(all: &mut Dispatch, one: &Dispatch) {
    for (all, one) in all.iter_mut().zip(one) {
        all.inline += one.inline;
        all.hashed += one.hashed;
        all.unhashed += one.unhashed;
        all.linked += one.linked;
    }
}
