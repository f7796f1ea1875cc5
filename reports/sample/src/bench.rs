//! A made-up bench, with and without the running kernel.

use iowq_contract::{Churn, DispatchCounts, Quantiles, Record};

use crate::noise::Noise;
use crate::pairs::at;
use crate::run::{KERNEL, kernel_run, run};

/// Policies of the made-up bench.
const POLICIES: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];

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
        dispatch(record);
    }
    records
}

/// All writes of a made-up run are hashed, its fsyncs are not, and both wait a third of their time.
fn dispatch(record: &mut Record) {
    for (kind, quantiles) in record.latency.service.iter() {
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

/// Records as the lines of a `record.jsonl`, each with the duration that its rate comes from, and
/// with what else must agree with figures that a test changed.
#[must_use]
pub fn lines(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        let mut record = record.clone();
        record.duration_ns = (record.ops.done as f64 * 1e9 / record.ops.per_s).round() as u64;
        let peak = record.workers.peak.unwrap_or_default();
        record.timeline.iter_mut().for_each(|(_, alive)| *alive = peak.min(*alive));
        if let (Some(per_1000), Some(_)) =
            (record.workers.created_per_1000_ops, record.workers.born_measured)
        {
            let born = (per_1000 * record.ops.done as f64 / 1e3).round() as u64;
            record.workers.born_measured = Some(born);
            record.workers.fill_measured = record.workers.fill_measured.map(|fill| fill.min(born));
        }
        for quantiles in record.latency.response.values_mut() {
            let made = quantiles.histogram().map(|histogram| Quantiles::of(&histogram));
            if made.is_some_and(|made| made != *quantiles) {
                quantiles.hdr_v2.clear();
            }
        }
        text.push_str(&serde_json::to_string(&record).unwrap_or_default());
        text.push('\n');
    }
    text
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
