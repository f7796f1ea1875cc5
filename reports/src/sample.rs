//! Made-up records for tests and demonstrations: shaped like real ones, measured by nobody.

mod compare;
mod grid;
mod kernels;
mod latency;
mod pairs;
mod workers;

use std::collections::BTreeMap;

use iowq_contract::{
    Asked, Birth, Blocking, Churn, Counts, DispatchCounts, Host, Latency, Ops, Probe, Quantiles,
    Record, RunKey, SCHEMA, Settings, Tier, Workers,
};

pub use compare::{comparisons, sets};
pub use grid::{LARGE, Levels, SMALL, grid, groups};
pub use kernels::{kernels, kernels_with_noise};
pub use pairs::{at, pairs, with_role};

/// Policies of the made-up bench.
const POLICIES: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];

/// Kernel of the made-up runs of io_uring.
const KERNEL: &str = "6.18.44 #1 SMP PREEMPT_DYNAMIC";

/// Workloads of the made-up bench.
const WORKLOADS: [&str; 2] = ["fsync-mix", "dsync"];

/// A bench of two workloads under four policies, `pairs` runs of each, in order of rounds.
#[must_use]
pub fn bench(pairs: u32) -> Vec<Record> {
    let mut records = Vec::new();
    for pair in 0..pairs {
        for workload in WORKLOADS {
            for policy in POLICIES {
                let mut record = run(workload, policy, pair);
                at(&mut record, u32::try_from(records.len()).unwrap_or(u32::MAX));
                records.push(record);
            }
        }
    }
    records
}

/// The same bench with the running kernel beside the policies, and how operations reached workers.
#[must_use]
pub fn bench_with_kernel(pairs: u32) -> Vec<Record> {
    let mut records = Vec::new();
    for mut record in bench(pairs) {
        KERNEL.clone_into(&mut record.host.kernel);
        let last = POLICIES.last() == Some(&record.key.policy.as_str());
        let (workload, pair) = (record.key.workload.clone(), record.key.round);
        records.push(record);
        if last {
            records.push(kernel_run(&workload, pair));
        }
    }
    for (position, record) in (0..).zip(&mut records) {
        record.key.position = position;
        reach(record);
    }
    records
}

/// All writes of a made-up run are hashed, its fsyncs are not, and both wait a third of their time.
fn reach(record: &mut Record) {
    for (kind, quantiles) in &record.latency.service {
        if kind == "all" {
            continue;
        }
        let (count, hashed) = (quantiles.count, kind == "write");
        let inline = if hashed { count / 50 } else { 0 };
        let rest = count - inline;
        let (hashed, unhashed) = if hashed { (rest, 0) } else { (0, rest) };
        record
            .dispatch
            .insert(kind.clone(), DispatchCounts { inline, hashed, unhashed, linked: 0 });
        let mut queue = quantiles.clone();
        let Quantiles { p50_ns, p90_ns, p99_ns, p999_ns, max_ns, .. } = &mut queue;
        for figure in [p50_ns, p90_ns, p99_ns, p999_ns, max_ns] {
            *figure /= 3;
        }
        queue.hdr_v2.clear();
        record.latency.queue.insert(kind.clone(), queue);
    }
}

/// Records as the lines of a `record.jsonl`.
#[must_use]
pub fn lines(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        text.push_str(&serde_json::to_string(record).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// One run. Workers come and go as kernels do it: before 6.17 up to the limit and without end.
#[must_use]
pub fn run(workload: &str, policy: &str, pair: u32) -> Record {
    let done = if workload == "dsync" { 150_000 } else { 24_000 };
    let shape = workers::Shape::of(workload, policy);
    let latency = |noise: &mut Noise| latency::of(workload, policy, done, noise);
    run_of(workload, policy, pair, done, &shape, latency)
}

/// One run of a number of operations whose workers have this shape.
fn run_of(
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
        duration_ns,
        key: cell(workload, policy, pair),
        settings: settings(workload),
        asked: Some(Asked { workload: workload.to_owned(), seconds: None }),
        ops: ops(done, duration_ns, &mut noise),
        latency: latency(&mut noise),
        dispatch: Default::default(),
        workers: Workers {
            created: counts(created),
            exited: counts(exited),
            peak,
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
        host: host(),
        load: None,
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

/// The same run with a timeline of `points`, as no careful writer would leave it.
#[must_use]
pub fn long_run(policy: &str, points: u32) -> Record {
    let mut record = run("fsync-mix", policy, 0);
    let mut noise = Noise::new("long", policy, points);
    let step_ns = 360_000;
    record.duration_ns = u64::from(points) * step_ns;
    record.timeline = (0..points)
        .map(|at| (u64::from(at) * step_ns, 30 + (noise.uniform() * 34.0) as u32))
        .collect();
    record.churn = Churn {
        slice_ns: record.duration_ns / 1_000,
        births: vec![points / 2_000; 1_000],
        deaths: vec![points / 2_000; 1_000],
    };
    record.probe.events_seen = u64::from(points);
    record
}

fn cell(workload: &str, policy: &str, pair: u32) -> RunKey {
    RunKey {
        workload: workload.to_owned(),
        engine: "pool".to_owned(),
        policy: policy.to_owned(),
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

/// Noise that is the same each time: samples must give the same bytes.
struct Noise(u64);

impl Noise {
    fn new(workload: &str, policy: &str, pair: u32) -> Self {
        let seed =
            workload.bytes().chain(policy.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(seed.wrapping_add(u64::from(pair)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// From 0 up to, not including, 1.
    fn uniform(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between `1 - spread` and `1 + spread`.
    fn around_one(&mut self, spread: f64) -> f64 {
        1.0 + spread * (2.0 * self.uniform() - 1.0)
    }
}
