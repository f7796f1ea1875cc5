//! From what a run left to its record, with its caveats.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use iowq_contract::{
    Blocking, CameRound, Causes, Churn, Counts, DispatchCounts, EngineName, Files, Host, Kinds,
    Latency, Ops, Probe, Record, RunKey, RunRequest, SCHEMA, Settings, SinceBoot, Tier, Variant,
    Workers,
};
use iowq_pool::policy::PolicySpec;
use iowq_workloads::{Arrival, OpKind, Plan, Rounds};

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
    if let Some(lives) = single.filter(|_| !request.plan.life.linger.is_zero()) {
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
        settings: settings(request, policy).into(),
        asked: request.asked.clone(),
        ops: ops(outcome, duration_ns),
        latency: outcome.remains.recorder.latency(),
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
        // Set once the files are read back.
        ..Ops::default()
    }
}

fn files(plan: &Plan, outcome: &Outcome) -> Files {
    let Rounds { writes, writes_again, reads, reads_again } = outcome.rounds;
    let state = |file: usize| plan.state.get(file).map(|state| state.name().to_owned());
    Files {
        state: state(plan.first_of_mix() as usize).unwrap_or_default(),
        log_state: plan.log.and(state(0)),
        cached: plan.cached,
        came_round: CameRound { writes, writes_again, reads, reads_again },
        settled: outcome.settled,
    }
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
    Workers {
        created: Counts {
            probe: probe.map(Lives::created),
            engine: tally.map(|tally| tally.created),
            proc: proc.map(Lives::created),
        },
        exited: Counts {
            probe: probe.map(Lives::exited),
            engine: tally.map(|tally| tally.exited),
            proc: proc.map(Lives::exited),
        },
        peak,
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
        settings: settings(request, policy).into(),
        asked: request.asked.clone(),
        ops: Ops::default(),
        latency: Latency::default(),
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
        },
        files: None,
        host: machine::describe(folder).into(),
        load: None,
        caveats: Vec::new(),
        error: Some(error),
    }
}

fn key(request: &RunRequest) -> RunKey {
    let Variant { engine, policy, role } = &request.variant;
    RunKey {
        workload: request.plan.name.clone(),
        engine: engine.name().to_owned(),
        policy: policy.clone(),
        round: request.round,
        position: request.position,
        seed: request.seed,
        role: *role,
        boot: None,
    }
}

fn settings(request: &RunRequest, policy: Option<&PolicySpec>) -> Settings {
    let RunRequest { plan, variant, delay, .. } = request;
    let idle_timeout = match variant.engine {
        EngineName::Pool => plan.idle_timeout,
        EngineName::Uring => kernel_idle_timeout(),
    };
    let patches = policy.map(PolicySpec::patches).unwrap_or_default();
    Settings {
        summary: plan.summary.clone(),
        patches: patches.into_iter().map(str::to_owned).collect(),
        files: plan.files,
        block_bytes: u64::from(plan.block_bytes),
        depth: plan.depth,
        limit_bounded: plan.limits[0],
        limit_unbounded: plan.limits[1],
        idle_timeout_ms: millis(idle_timeout),
        arrival: arrival(plan),
        watched_ms: Some(millis(plan.life.linger)),
        cpus: plan.cpus,
        injected_delay_ns: delay.map(|delay| delay.ns),
        injected_delay_percent: delay.map(|delay| delay.percent),
        plan: Some(plan_settings(plan)),
    }
}

fn arrival(plan: &Plan) -> String {
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
