//! From what a run left to its record, with its caveats.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use iowq_contract::{
    Blocking, CameRound, Causes, Churn, Counts, DispatchCounts, EngineName, Files, Host, Kinds,
    Latency, Ops, Probe, Record, RunKey, RunRequest, SCHEMA, Settings, Shared, SinceBoot, Tier,
    Variant, Workers,
};
use iowq_pool::policy::PolicySpec;
use iowq_workloads::{Arrival, OpKind, Plan, Rounds, Task};

use super::caveats::{of_run, unmodelled};
use super::outcome::Outcome;
use super::plan_settings::plan_settings;
use crate::clock;
use crate::machine::{self, kernel_idle_timeout};
use crate::probes::lives::Lives;
use crate::probes::timeline;

/// Makes the record of a run.
pub(super) fn record(
    request: &RunRequest,
    policy: Option<&PolicySpec>,
    outcome: &Outcome,
    host: Host,
    (started, since_boot): (String, Option<SinceBoot>),
) -> Record {
    let duration_ns = outcome.driven.measured_until.since(outcome.driven.measured_from);
    let engine = outcome.remains.tally.map(|_| Lives::of_books(&outcome.remains.lives));
    let seen = &outcome.seen;
    let known = seen.probe.as_ref().or(engine.as_ref()).or(seen.proc.as_ref());
    let nothing = Lives::default();
    let best = known.unwrap_or(&nothing);
    let mut events = best.events(outcome.started);
    let alive = timeline::alive(&mut events);
    let length_ns = outcome.ended.since(outcome.started);
    // Without a warm-up all births count, also those before the first ring.
    let measured = outcome.driven.measured_from.since(outcome.started);
    let births = timeline::births(&alive, if request.plan.warmup.is_zero() { 0 } else { measured });
    let births = known.map(|_| births);
    let mut workers = workers(outcome, best, births, timeline::peak(&alive));
    // Not by /proc, which is only sampled. Without a linger no worker is watched.
    let single = seen.probe.as_ref().or(engine.as_ref());
    if let Some(lives) = single.filter(|_| !linger(&request.plan).is_zero()) {
        workers.outlived_ms = lives.outlived_ms(outcome.driven.closed, outcome.ended);
    }
    // The pool knows each worker's account; for the kernel's workers the probe does.
    let known = engine.as_ref().or(seen.probe.as_ref());
    let peaks = known.and_then(|lives| lives.peaks(seen.queued));
    [workers.peak_bounded, workers.peak_unbounded] =
        peaks.map_or([None; 2], |peaks| peaks.map(Some));
    let mut caveats = machine::caveats(&host);
    caveats.extend(machine::load::caveat(&outcome.load));
    caveats.extend(of_run(request, outcome, &workers, host.cpus));
    caveats.extend(unmodelled::caveat(policy));
    Record {
        schema: SCHEMA.to_owned(),
        started,
        since_boot,
        duration_ns,
        key: key(request),
        settings: settings(request, &request.plan, policy).into(),
        settings_unset: unset(request, policy),
        asked: request.asked.clone(),
        ops: ops(outcome, duration_ns),
        latency: outcome.remains.recorder.latency(),
        tasks: outcome.tasks.clone(),
        dispatch: dispatch(outcome.remains.dispatch).into(),
        workers,
        timeline: timeline::thin(alive),
        churn: timeline::churn(&events, length_ns),
        probe: Probe {
            tier: outcome.seen.tier,
            reason: outcome.seen.reason.clone(),
            events_seen: outcome.seen.events_seen,
            events_lost: outcome.seen.lost.iter().map(|(_, lost)| lost).sum(),
            lost: outcome.seen.lost.iter().map(|&(name, lost)| (name.to_owned(), lost)).collect(),
            switches_missed: outcome.seen.switches_missed,
            switches: outcome.switches(),
            unseen: outcome.seen.unseen.clone(),
        },
        blocking: outcome.blocking,
        files: Some(files(&request.plan, outcome)),
        host: host.into(),
        load: Some(outcome.load),
        phases: Some(outcome.phases),
        caveats,
        error: None,
    }
}

fn ops(outcome: &Outcome, duration_ns: u64) -> Ops {
    let driven = &outcome.driven;
    Ops {
        done: driven.done,
        failed: driven.failed,
        per_s: per_second(driven.done, duration_ns),
        cpu_ns: driven.cpu_ns,
        failures: driven.failures.clone(),
        never_started: driven.never_started,
        timed_at_reaping: outcome.remains.timed_at_reaping,
        timed_one_in: outcome.remains.timed_one_in,
        // Set once the files are read back.
        ..Ops::default()
    }
}

fn files(plan: &Plan, outcome: &Outcome) -> Files {
    let Rounds { writes, writes_again, reads, reads_again } = outcome.rounds;
    let state = |plan: &Plan, file: u32| plan.state.get(file as usize).map(|state| state.name());
    let of_mix = plan.streams().filter_map(|plan| state(plan, plan.first_of_mix()));
    let of_logs = plan.streams().filter_map(|plan| plan.log.and(state(plan, 0)));
    Files {
        state: each_once(of_mix),
        log_state: Some(each_once(of_logs)).filter(|states| !states.is_empty()),
        cached: plan.streams().any(|plan| plan.cached),
        came_round: CameRound { writes, writes_again, reads, reads_again },
        settled: outcome.settled,
    }
}

/// The words, each once, in their order.
fn each_once<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for word in words {
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen.join(", ")
}

/// By the names of kinds, without kinds that had no op.
fn dispatch(
    counts: Option<[DispatchCounts; OpKind::ALL.len()]>,
) -> BTreeMap<String, DispatchCounts> {
    let by_kind = OpKind::ALL.into_iter().zip(counts.into_iter().flatten());
    by_kind
        .filter(|(_, counts)| *counts != DispatchCounts::default())
        .map(|(kind, counts)| (kind.name().to_owned(), counts))
        .collect()
}

fn workers(outcome: &Outcome, best: &Lives, births: Option<(u64, u64)>, peak: u32) -> Workers {
    let tally = outcome.remains.tally;
    let probe = outcome.seen.probe.as_ref();
    let proc = outcome.seen.proc.as_ref();
    let done = outcome.driven.done;
    let created = Counts {
        probe: probe.map(Lives::created),
        engine: tally.map(|tally| tally.created),
        proc: proc.map(Lives::created),
    };
    Workers {
        created,
        exited: Counts {
            probe: probe.map(Lives::exited),
            engine: tally.map(|tally| tally.exited),
            proc: proc.map(Lives::exited),
        },
        peak: created.best().map(|_| peak),
        peak_bounded: None,
        peak_unbounded: None,
        created_per_1000_ops: births
            .filter(|_| done > 0)
            .map(|(born, _)| born as f64 * 1000.0 / done as f64),
        born_measured: births.map(|(born, _)| born),
        fill_measured: births.map(|(_, fill)| fill),
        linger_ms: best
            .all_gone(outcome.ended)
            .map(|gone| gone.since(outcome.driven.closed) as f64 / 1e6),
        outlived_ms: Vec::new(),
        causes: tally.map(|tally| Causes {
            enqueue: tally.spawned_on_enqueue,
            request: tally.requests.saturating_sub(tally.requests_woken + tally.requests_dropped),
            request_woken: tally.requests_woken,
            request_dropped: tally.requests_dropped,
        }),
        birth: Some(outcome.birth),
        creations_failed: tally.map_or(0, |tally| tally.creations_failed),
        sleeps: outcome.sleeps.map(|sleeps| sleeps.in_works),
    }
}

/// The record of a run that failed: what was to be run, and why there is nothing else.
pub(crate) fn failed(
    request: &RunRequest,
    policy: Option<&PolicySpec>,
    folder: &Path,
    error: String,
) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        started: clock::wall_clock(),
        since_boot: machine::since_boot(clock::now().0),
        duration_ns: 0,
        key: key(request),
        settings: settings(request, &request.plan, policy).into(),
        settings_unset: unset(request, policy),
        asked: request.asked.clone(),
        ops: Ops::default(),
        latency: Latency::default(),
        tasks: Vec::new(),
        dispatch: Kinds::default(),
        workers: Workers::default(),
        timeline: Vec::new(),
        churn: Churn::default(),
        probe: Probe {
            tier: Tier::Off,
            reason: "the run failed".to_owned(),
            events_seen: 0,
            events_lost: 0,
            lost: BTreeMap::default(),
            switches_missed: 0,
            switches: None,
            unseen: Vec::new(),
        },
        blocking: match request.variant.engine {
            EngineName::Pool => Blocking::Declared,
            EngineName::Uring => Blocking::Kernel,
            EngineName::Sync => Blocking::None,
        },
        files: None,
        host: machine::describe(folder).into(),
        load: None,
        phases: None,
        caveats: Vec::new(),
        error: Some(error),
    }
}

fn key(request: &RunRequest) -> RunKey {
    let Variant { engine, policy, set, role } = &request.variant;
    RunKey {
        workload: request.plan.name.clone(),
        engine: engine.name().to_owned(),
        policy: policy.clone(),
        set: set.clone(),
        round: request.round,
        position: request.position,
        seed: request.seed,
        role: *role,
        boot: None,
    }
}

/// The settings without what the variant sets.
fn unset(request: &RunRequest, policy: Option<&PolicySpec>) -> Option<Shared<Settings>> {
    request.plan_unset.as_ref().map(|plan| settings(request, plan, policy).into())
}

fn settings(request: &RunRequest, plan: &Plan, policy: Option<&PolicySpec>) -> Settings {
    let RunRequest { variant, delay, .. } = request;
    let idle_timeout = match variant.engine {
        EngineName::Pool | EngineName::Sync => plan.idle_timeout,
        EngineName::Uring => kernel_idle_timeout(),
    };
    let patches = policy.map(PolicySpec::patches).unwrap_or_default();
    Settings {
        summary: plan.summary.clone(),
        patches: patches.into_iter().map(str::to_owned).collect(),
        files: plan.streams().map(|plan| plan.files).sum(),
        block_bytes: plan.streams().map(op_bytes_min).max().unwrap_or(0),
        depth: plan.streams().map(|plan| plan.depth).sum(),
        limit_bounded: limit(plan, 0),
        limit_unbounded: limit(plan, 1),
        idle_timeout_ms: millis(idle_timeout),
        arrival: arrival(plan),
        watched_ms: Some(millis(linger(plan))),
        cpus: plan.cpus,
        injected_delay_ns: delay.map(|delay| delay.ns),
        injected_delay_percent: delay.map(|delay| delay.percent),
        plan: Some(plan_settings(plan)),
    }
}

/// How long workers are watched after the last ring; of several tasks, after that of each.
fn linger(plan: &Plan) -> Duration {
    plan.streams().map(|plan| plan.life.linger).min().unwrap_or_default()
}

/// How many workers of an account there may be at any time, of all streams together.
fn limit(plan: &Plan, account: usize) -> u32 {
    plan.streams().fold(0, |sum, plan| sum.saturating_add(plan.limit_max(account)))
}

/// Bytes of the smallest op.
fn op_bytes_min(plan: &Plan) -> u64 {
    let blocks = plan.sizes.iter().map(|size| size.blocks).min().unwrap_or(1);
    u64::from(blocks) * u64::from(plan.block_bytes)
}

fn arrival(plan: &Plan) -> String {
    if !plan.tasks.is_empty() {
        let of_task = |task: &Task| format!("{}: {}", task.name, arrival(&task.plan));
        return plan.tasks.iter().map(of_task).collect::<Vec<_>>().join("; ");
    }
    match plan.arrival {
        Arrival::Closed { pause, min_complete } => closed_loop(pause, min_complete),
        Arrival::Rate { per_s } => format!("open loop, {per_s} ops/s evenly"),
        Arrival::Poisson { per_s } => format!("open loop, {per_s} ops/s at random (Poisson)"),
        Arrival::Bursts { ops, gap } => {
            format!("open loop, {ops} ops at once each {} ms", millis(gap))
        }
    }
}

fn closed_loop(pause: Duration, min_complete: u32) -> String {
    let mut text = "closed loop".to_owned();
    if 1 < min_complete {
        text += &format!(", {min_complete} completions per round");
    }
    if !pause.is_zero() {
        text += &format!(", {} ms pause per round", pause.as_secs_f64() * 1e3);
    }
    text
}

fn per_second(count: u64, duration_ns: u64) -> f64 {
    if duration_ns == 0 { 0.0 } else { count as f64 * 1e9 / duration_ns as f64 }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
