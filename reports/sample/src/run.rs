//! One made-up run.

use std::collections::BTreeMap;

use iowq_contract::{
    Asked, Birth, Blocking, Counts, Host, Latency, Ops, Overrides, Probe, Record, RunKey, SCHEMA,
    Settings, Tier, Workers,
};

use crate::noise::Noise;
use crate::{latency, workers};

/// Kernel of the made-up runs of io_uring.
pub(crate) const KERNEL: &str = "6.18.44 #1 SMP PREEMPT_DYNAMIC";

/// One run. Workers come and go as kernels do it: before 6.17 up to the limit and without end.
#[must_use]
pub fn run(workload: &str, policy: &str, pair: u32) -> Record {
    run_of_ops(workload, policy, pair, if workload == "dsync" { 150_000 } else { 24_000 })
}

/// The same of any number of operations.
#[must_use]
pub fn run_of_ops(workload: &str, policy: &str, pair: u32, done: u64) -> Record {
    let shape = workers::Shape::of(workload, policy);
    let latency = |noise: &mut Noise| latency::of(workload, policy, done, noise);
    run_of(workload, policy, pair, done, &shape, latency)
}

/// One run of a number of operations whose workers have this shape.
pub(crate) fn run_of(
    workload: &str,
    policy: &str,
    pair: u32,
    done: u64,
    shape: &workers::Shape,
    latency: impl FnOnce(&mut Noise) -> Latency,
) -> Record {
    let mut noise = Noise::new(workload, policy, pair);
    let duration_ns = 3_000_000_000;
    let per_1000 = shape.created_per_1000 * noise.around_one(0.12);
    let created = (per_1000 * done as f64 / 1_000.0) as u64;
    let (timeline, churn) = workers::life(shape, created, duration_ns, &mut noise);
    let exited = churn.deaths.iter().map(|deaths| u64::from(*deaths)).sum();
    let counts = |number| Counts { probe: Some(number), engine: Some(number), proc: Some(number) };
    let peak = timeline.iter().map(|point| point.1).max().unwrap_or(0);
    let leaves = policy == "exit-on-idle";
    Record {
        schema: SCHEMA.to_owned(),
        started: "2026-11-21T02:00:00Z".to_owned(),
        since_boot: None,
        duration_ns,
        key: cell(workload, policy, pair),
        settings: settings(workload).into(),
        settings_unset: None,
        asked: Some(Asked { workload: workload.to_owned(), seconds: None }),
        ops: ops(done, duration_ns, &mut noise),
        latency: latency(&mut noise),
        tasks: Vec::new(),
        dispatch: Default::default(),
        workers: Workers {
            created: counts(created),
            exited: counts(exited),
            peak: Some(peak),
            peak_bounded: None,
            peak_unbounded: None,
            created_per_1000_ops: Some(created as f64 * 1_000.0 / done as f64),
            born_measured: Some(created),
            fill_measured: Some(created.min(u64::from(peak))),
            linger_ms: leaves.then(|| 20.0 * noise.around_one(0.2)),
            outlived_ms: Vec::new(),
            causes: None,
            birth: Some(Birth {
                creator_ns_p50: Some(18_000),
                start_ns_p50: Some(42_000),
                before_thread_ns_p50: Some(15_000),
                before_kernel_ns_p50: Some(9_000),
            }),
            creations_failed: 0,
            sleeps: Some(done / 3),
        },
        timeline,
        churn,
        probe: probe(created + exited),
        blocking: Blocking::Sched,
        files: None,
        host: host().into(),
        load: None,
        phases: None,
        caveats: Vec::new(),
        error: None,
    }
}

/// One run of io_uring on Linux 6.18: as the preset `6.17`, with no counts of the engine.
#[must_use]
pub fn kernel_run(workload: &str, pair: u32) -> Record {
    let mut record = run(workload, "6.17", pair);
    record.key.engine = "uring".to_owned();
    record.key.policy = "kernel".to_owned();
    record.blocking = Blocking::Kernel;
    record.workers.created.engine = None;
    record.workers.exited.engine = None;
    record.workers.sleeps = None;
    record.workers.birth = record.workers.birth.map(|one| Birth { creator_ns_p50: None, ..one });
    KERNEL.clone_into(&mut record.host.kernel);
    record
}

fn cell(workload: &str, policy: &str, pair: u32) -> RunKey {
    RunKey {
        workload: workload.to_owned(),
        engine: "pool".to_owned(),
        policy: policy.to_owned(),
        set: Overrides::default(),
        round: pair,
        position: pair,
        seed: 1,
        role: Default::default(),
        boot: None,
    }
}

fn ops(done: u64, duration_ns: u64, noise: &mut Noise) -> Ops {
    Ops {
        done,
        failed: 0,
        per_s: done as f64 * 1e9 / duration_ns as f64 * noise.around_one(0.06),
        cpu_ns: Some(done * 20_000),
        failures: BTreeMap::new(),
        never_started: None,
        timed_at_reaping: None,
        timed_one_in: None,
        verified_blocks: Some(done / 2),
        verified_from: Some("device".to_owned()),
        verified_written_back_bytes: None,
    }
}

fn settings(workload: &str) -> Settings {
    let summary = match workload {
        "fsync-mix" => "writes and fsyncs on several files in one ring, with a pause per loop",
        "dsync" => "hashed writes that block, on four files opened O_DSYNC",
        _ => "a workload made up for tests",
    };
    Settings {
        summary: summary.to_owned(),
        patches: Vec::new(),
        files: 4,
        block_bytes: 4_096,
        depth: 16,
        limit_bounded: 64,
        limit_unbounded: 64,
        idle_timeout_ms: 250,
        arrival: "closed loop, 2 ms pause per loop".to_owned(),
        watched_ms: Some(1_000),
        cpus: None,
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
    }
}

fn probe(events_seen: u64) -> Probe {
    let lost = BTreeMap::new();
    Probe {
        tier: Tier::Bpf,
        reason: String::new(),
        events_seen,
        events_lost: 0,
        lost,
        switches_missed: 0,
        switches: None,
        unseen: Vec::new(),
    }
}

fn host() -> Host {
    Host {
        kernel: "6.12.117 #1 SMP PREEMPT_DYNAMIC".to_owned(),
        cpu: "Example CPU at 3 GHz".to_owned(),
        cpus: 2,
        memory_bytes: 16 << 30,
        filesystem: "ext4".to_owned(),
        mount_options: "rw,relatime".to_owned(),
        device: "nvme0n1".to_owned(),
        governor: "performance".to_owned(),
        accelerator: "none seen".to_owned(),
        commit: "0000000".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        profile: "release".to_owned(),
    }
}
