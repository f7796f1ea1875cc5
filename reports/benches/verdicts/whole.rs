//! Simulated runs written as records, and what the whole comparison says of them.

use iowq_record::Record;
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{self, Comparison, Rules};
use iowq_reports::load::Loaded;
use iowq_reports::sample;

use crate::simulated::{METRICS, Runs};

/// Enough for every quantile to have its samples beyond it.
const OPS: u64 = 200_000;

/// Records of a base and then of a test, pair by pair, to be written over. They are slow to make.
pub fn blank(pairs: usize) -> Vec<Record> {
    let mut records = sample::pairs(u32::try_from(pairs).unwrap_or(u32::MAX), |_| {});
    records.sort_by_key(|record| (record.cell.policy.clone(), record.cell.pair));
    records
}

/// Compares runs as `iowq-report compare` does with those that it has read.
pub fn compare(blank: &[Record], runs: &Runs, rules: Rules) -> Option<Comparison> {
    let mut records = blank.to_vec();
    let values = runs.base.iter().chain(&runs.test);
    let positions = runs.base_positions.iter().chain(&runs.test_positions);
    for ((record, values), position) in records.iter_mut().zip(values).zip(positions) {
        record.cell.position = *position;
        write(record, values);
    }
    let loaded = Loaded { records, ..Loaded::default() };
    let set = |policy: &str| {
        let runs = loaded.records.iter().filter(|run| run.cell.policy == policy).collect();
        Set { name: policy.to_owned(), file: 0, loaded: &loaded, runs }
    };
    compare::compare(&[set("6.12"), set("6.17")], rules).all.pop()
}

/// The primary metrics of a run, from the logarithms of their shares. The first is response p50.
fn write(record: &mut Record, values: &[f64; METRICS]) {
    let [p50, per_s, p99, p999, cpu, created] = values.map(f64::exp);
    record.ops.done = OPS;
    record.ops.per_s = 10_000.0 * per_s;
    record.ops.cpu_ns = Some((20_000.0 * cpu * OPS as f64) as u64);
    record.workers.created_per_1000_ops = Some(50.0 * created);
    if let Some(all) = record.latency.response.get_mut("all") {
        all.count = OPS;
        all.p50_ns = (400_000.0 * p50) as u64;
        all.p99_ns = (2_000_000.0 * p99) as u64;
        all.p999_ns = (5_000_000.0 * p999) as u64;
    }
}
