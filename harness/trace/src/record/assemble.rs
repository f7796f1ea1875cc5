//! The record of a trace.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use iowq_contract::trace::{TraceOp, TraceStart};
use iowq_contract::{
    Blocking, Caveat, Code, Counts, DispatchCounts, EngineName, KERNEL, Kinds, Latency,
    NAME_BYTES_MAX, Ops, Overrides, Probe, Quantiles, Record, Role, RunKey, SCHEMA, Settings, Tier,
    Workers,
};
use iowq_harness::machine;
use iowq_harness::probes::timeline::{births, thin};

use super::Run;

/// The kind of all ops together.
const ALL: &str = "all";

pub(super) fn record(run: &Run) -> Option<Record> {
    let start = run.story.start.as_ref()?;
    let duration_ns = run.story.last.at_ns.max(1);
    let ops = ops(run);
    let submitted: u64 = ops.values().map(|op| op.submitted.max(op.queued)).sum();
    let in_flight: u64 = run.story.last.processes.iter().map(|it| it.in_flight).sum();
    let failed: u64 = ops.values().map(|op| op.failed).sum();
    let done = submitted.saturating_sub(in_flight).saturating_sub(failed);
    let mut timeline = run.timeline.clone();
    timeline.push((duration_ns, run.alive));
    let (born, fill) = births(&timeline, 0);
    Some(Record {
        schema: SCHEMA.to_owned(),
        started: start.started.clone(),
        since_boot: None,
        duration_ns,
        key: key(&start.target),
        settings: settings(&start.target, &ops).into(),
        settings_unset: None,
        asked: None,
        ops: Ops { done, failed, per_s: done as f64 * 1e9 / duration_ns as f64, ..Ops::default() },
        latency: Latency {
            response: Kinds::default(),
            service: service(&ops),
            queue: Kinds::default(),
        },
        tasks: Vec::new(),
        dispatch: ops
            .iter()
            .map(|(op, sums)| (op.clone(), dispatch(sums)))
            .collect::<BTreeMap<_, _>>()
            .into(),
        workers: Workers {
            created: counts(start.tier, run.born),
            exited: counts(start.tier, run.exited),
            peak: Some(run.peak),
            created_per_1000_ops: (done > 0).then(|| run.born as f64 * 1e3 / done as f64),
            born_measured: Some(born),
            fill_measured: Some(fill),
            ..Workers::default()
        },
        timeline: thin(timeline),
        churn: run.churn.clone(),
        probe: probe(start, run),
        blocking: Blocking::Kernel,
        files: None,
        host: start.host.clone().into(),
        load: None,
        phases: None,
        caveats: caveats(start, run),
        error: None,
    })
}

/// A count, in the place of its source.
fn counts(tier: Tier, count: u64) -> Counts {
    match tier {
        Tier::Bpf | Tier::Tracefs => Counts { probe: Some(count), ..Counts::default() },
        Tier::Proc | Tier::Off => Counts { proc: Some(count), ..Counts::default() },
    }
}

/// What was traced, as a workload of the running kernel.
fn key(target: &str) -> RunKey {
    let mut workload: String = target.chars().take(NAME_BYTES_MAX / 4).collect();
    if workload.is_empty() {
        workload.push('?');
    }
    RunKey {
        workload,
        engine: EngineName::Uring.name().to_owned(),
        policy: KERNEL.to_owned(),
        set: Overrides::default(),
        round: 0,
        position: 0,
        seed: 0,
        role: Role::Measured,
        boot: None,
    }
}

fn settings(target: &str, ops: &BTreeMap<String, TraceOp>) -> Settings {
    let names: Vec<_> = ops.keys().map(String::as_str).collect();
    Settings {
        summary: format!("A trace of {target}: {}", names.join(", ")),
        patches: Vec::new(),
        files: 0,
        block_bytes: 0,
        depth: 0,
        limit_bounded: 0,
        limit_unbounded: 0,
        idle_timeout_ms: 0,
        arrival: "as the traced processes had it".to_owned(),
        // Nothing tells when the last ring was closed, so that no worker stayed or left after it.
        watched_ms: Some(0),
        cpus: None,
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
    }
}

/// Sums by op over all processes that are listed, in lower case, as ops are in records.
fn ops(run: &Run) -> BTreeMap<String, TraceOp> {
    let mut sums: BTreeMap<String, TraceOp> = BTreeMap::new();
    for op in run.story.last.processes.iter().flat_map(|process| &process.ops) {
        let sum = sums.entry(op.op.to_lowercase()).or_default();
        sum.submitted += op.submitted;
        sum.queued += op.queued;
        sum.hashed += op.hashed;
        sum.failed += op.failed;
        sum.time = added(&[&sum.time, &op.time]);
    }
    sums
}

fn dispatch(op: &TraceOp) -> DispatchCounts {
    DispatchCounts {
        inline: op.submitted.saturating_sub(op.queued),
        hashed: op.hashed,
        unhashed: op.queued.saturating_sub(op.hashed),
        linked: 0,
    }
}

/// Times in io-wq by op, and of all.
fn service(ops: &BTreeMap<String, TraceOp>) -> Kinds<Quantiles> {
    let queued = ops.iter().filter(|(_, op)| op.time.count > 0);
    let mut service: BTreeMap<_, _> =
        queued.map(|(kind, op)| (kind.clone(), op.time.clone())).collect();
    let all = added(&service.values().collect::<Vec<_>>());
    if all.count > 0 {
        service.insert(ALL.to_owned(), all);
    }
    service.into()
}

/// Times of several.
fn added(times: &[&Quantiles]) -> Quantiles {
    let mut histograms = times.iter().filter_map(|times| times.histogram());
    let Some(mut sum) = histograms.next() else { return Quantiles::default() };
    // One that grows by itself takes any.
    histograms.for_each(|more: Histogram<u64>| _ = sum.add(more));
    Quantiles::of(&sum)
}

fn probe(start: &TraceStart, run: &Run) -> Probe {
    let lost = &run.story.last.lost;
    Probe {
        tier: start.tier,
        reason: start.reason.clone(),
        events_seen: run.born + run.exited,
        events_lost: lost.values().sum(),
        lost: lost.clone(),
        switches_missed: 0,
        switches: None,
        unseen: start.unseen.clone(),
    }
}

fn caveats(start: &TraceStart, run: &Run) -> Vec<Caveat> {
    let mut caveats = machine::caveats(&start.host);
    let ended = match run.story.last.ended.count {
        0 => String::new(),
        count => format!("; the requests of {count} processes that were over early are left out"),
    };
    caveats.push(Caveat::new(
        Code::Live,
        format!(
            "a trace of a live system: ops are what the traced processes submitted, latency is time in \
             io-wq alone, and workers that were there before are left out{ended}"
        ),
    ));
    caveats.extend(start.caveats.iter().cloned());
    caveats
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{Snapshot, TraceBirth, TraceExit, TraceLine, TraceProcess};

    use super::*;
    use crate::sinks::Sink as _;

    fn op(name: &str, submitted: u64, queued: u64) -> TraceOp {
        let mut times = Histogram::<u64>::new(2).expect("a histogram");
        times.record_n(50_000, queued).expect("in range");
        let time = Quantiles::of(&times);
        TraceOp { op: name.into(), submitted, queued, done: queued, time, ..TraceOp::default() }
    }

    fn process(pid: u32, ops: Vec<TraceOp>) -> TraceProcess {
        TraceProcess { pid, ops, ..TraceProcess::default() }
    }

    fn run(target: &str) -> Run {
        run_by(Tier::Bpf, target)
    }

    fn run_by(tier: Tier, target: &str) -> Run {
        let start = TraceStart {
            schema: String::new(),
            started: "2026-11-27T00:00:00Z".into(),
            target: target.into(),
            interval_ms: 1000,
            tier,
            reason: String::new(),
            unseen: Vec::new(),
            caveats: vec![Caveat::new(Code::ProcMissed, "at least")],
            host: iowq_contract::Host::default(),
        };
        let processes = vec![
            process(1, vec![op("WRITE", 60, 50), op("NOP", 5, 0)]),
            process(2, vec![op("WRITE", 35, 35)]),
        ];
        let birth =
            |tid| TraceBirth { at_ns: 10, pid: 1, tid, by_tid: 1, account: None, cause: None };
        let exit = |tid, born_ns| TraceExit { at_ns: 20, pid: 1, tid, born_ns };
        let lines = [
            TraceLine::Start(Box::new(start)),
            TraceLine::Birth(birth(7)),
            TraceLine::Birth(birth(8)),
            TraceLine::Exit(exit(7, Some(10))),
            TraceLine::Exit(exit(3, None)),
            TraceLine::Snapshot(Snapshot {
                at_ns: 1_000_000_000,
                processes,
                ..Snapshot::default()
            }),
        ];
        let mut run = Run::default();
        lines.iter().for_each(|line| run.take(line).expect("it is kept"));
        run
    }

    #[test]
    fn all_processes_together_are_one_run() {
        let record = run("all processes").record().expect("there was a first line");
        assert_eq!((record.ops.done, record.ops.per_s), (100, 100.0));
        assert_eq!(record.dispatch.get("write").map(|it| (it.inline, it.unhashed)), Some((10, 85)));
        assert_eq!(record.latency.service.get("all").map(|it| it.count), Some(85));
        assert_eq!((record.workers.created.probe, record.workers.exited.probe), (Some(2), Some(1)));
        assert_eq!((record.workers.peak, record.workers.fill_measured), (Some(2), Some(2)));
        assert_eq!(record.timeline.last(), Some(&(1_000_000_000, 1)));
        assert_eq!(record.settings.watched_ms, Some(0), "reports say of no worker that it stayed");
    }

    #[test]
    fn what_was_polled_counts_as_such_and_keeps_its_caveats() {
        let record = run_by(Tier::Proc, "all processes").record().expect("there was a first line");
        assert_eq!((record.workers.created.probe, record.workers.created.proc), (None, Some(2)));
        assert_eq!(record.probe.tier, Tier::Proc);
        assert!(record.caveats.iter().any(|caveat| caveat.code == Code::ProcMissed));
    }

    #[test]
    fn a_long_or_odd_target_is_a_name_that_readers_take() {
        for target in ["x".repeat(10_000), "\u{1f980}".repeat(500), String::new()] {
            let record = run(&target).record().expect("there was a first line");
            assert!(iowq_contract::check_name(&record.key.workload).is_ok(), "{target}");
        }
    }

    #[test]
    fn a_trace_that_did_not_begin_is_no_run() {
        assert!(Run::default().record().is_none());
    }
}
