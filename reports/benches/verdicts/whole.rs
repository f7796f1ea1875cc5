//! Simulated runs written as records, and what the whole comparison says of them.

use iowq_contract::{Record, Role};
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{self, Comparison, Rules};
use iowq_reports::load::Loaded;
use iowq_sample as sample;

use crate::simulated::{METRICS, Runs};

/// Enough for every quantile to have its samples beyond it.
const OPS: u64 = 200_000;

/// Too few for the last of them.
const OPS_FEW: u64 = 50_000;

/// What is special about the metrics of all runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Metrics {
    /// All have a value.
    All,
    /// No worker is ever created.
    Zeros,
    /// No run has enough ops for p99.9.
    Missing,
}

/// Records by arm and round, to be written over. They are slow to make.
pub struct Blank {
    arms: [Vec<Record>; 3],
}

impl Blank {
    /// Of as many rounds as are ever needed.
    pub fn new(rounds: usize) -> Self {
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        let records = sample::with_role(sample::pairs(rounds, |_| {}), Role::Noise, |_| {});
        let of = |policy: &str, role: Role| {
            let arm = records.iter().filter(|run| run.key.policy == policy && run.key.role == role);
            let mut arm: Vec<Record> = arm.cloned().collect();
            arm.iter_mut().for_each(|run| run.latency.drop_histograms());
            arm
        };
        let arms =
            [of("6.12", Role::Measured), of("6.17", Role::Measured), of("6.12", Role::Noise)];
        Self { arms }
    }

    /// Compares runs as `iowq-report compare` does with those that it has read.
    pub fn compare(&self, runs: &Runs, metrics: Metrics, rules: Rules) -> Option<Comparison> {
        let mut records = Vec::new();
        for (blank, runs) in self.arms.iter().zip(&runs.arms) {
            for (blank, (values, place)) in blank.iter().zip(runs) {
                let mut record = blank.clone();
                sample::at(&mut record, *place);
                write(&mut record, values, metrics);
                records.push(record);
            }
        }
        let loaded = Loaded { records, ..Loaded::default() };
        let set = |policy: &str| {
            let measured = loaded.records.iter().filter(|run| run.key.role == Role::Measured);
            let runs = measured.filter(|run| run.key.policy == policy).collect();
            Set::new(policy.to_owned(), 0, &loaded, runs)
        };
        compare::compare(&[set("6.12"), set("6.17")], rules).all.pop()
    }
}

/// The primary metrics of a run, from the logarithms of their shares. The first is response p50.
fn write(record: &mut Record, values: &[f64; METRICS], metrics: Metrics) {
    let [p50, per_s, p99, p999, cpu, created] = values.map(f64::exp);
    let ops = if metrics == Metrics::Missing { OPS_FEW } else { OPS };
    let created = if metrics == Metrics::Zeros { 0.0 } else { created };
    record.ops.done = ops;
    record.ops.per_s = 10_000.0 * per_s;
    record.ops.cpu_ns = Some((20_000.0 * cpu * ops as f64) as u64);
    record.workers.created_per_1000_ops = Some(50.0 * created);
    if let Some(all) = record.latency.response.get_mut("all") {
        all.count = ops;
        all.p50_ns = (400_000.0 * p50) as u64;
        all.p99_ns = (2_000_000.0 * p99) as u64;
        all.p999_ns = (5_000_000.0 * p999) as u64;
    }
}
