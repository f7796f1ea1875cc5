//! Made-up latency: a body and a heavy tail per kind of operation.

use hdrhistogram::Histogram;
use iowq_contract::{Latency, Quantiles};

use crate::noise::Noise;

/// Values per operation kind at least; each stands for several operations, a thousand at most.
const STEPS_MIN: u64 = 1_500;
const OPS_PER_STEP_MAX: u64 = 1_000;

pub(crate) fn of(workload: &str, policy: &str, done: u64, noise: &mut Noise) -> Latency {
    let crowded = matches!(policy, "6.1" | "6.12" | "6.16");
    let tail = if crowded { 0.62 } else { 0.48 } * noise.around_one(0.04);
    let shift = if crowded { 1.12 } else { 1.0 } * noise.around_one(0.05);
    let kinds: &[(&str, f64, u64)] = match workload {
        "fsync-mix" => &[("write", 42_000.0, 4), ("fsync", 900_000.0, 1)],
        _ => &[("write", 310_000.0, 1)],
    };
    let parts: u64 = kinds.iter().map(|kind| kind.2).sum();
    let mut latency = Latency::default();
    for (clock, wait) in [(&mut latency.response, 1.25), (&mut latency.service, 1.0)] {
        let mut all = empty();
        for (kind, body_ns, part) in kinds {
            let count = done * part / parts;
            let histogram = histogram(body_ns * shift * wait, tail, count);
            // Both have the same bounds, so that the sum always fits.
            let _ = all.add(&histogram);
            clock.insert((*kind).to_owned(), Quantiles::of(&histogram));
        }
        clock.insert("all".to_owned(), Quantiles::of(&all));
    }
    latency
}

fn empty() -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("3 significant digits are allowed");
    histogram.auto(true);
    histogram
}

/// Gumbel in the logarithm: most values near the body, few far above.
fn histogram(body_ns: f64, tail: f64, count: u64) -> Histogram<u64> {
    let mut histogram = empty();
    let steps = STEPS_MIN.max(count / OPS_PER_STEP_MAX);
    for step in 0..steps {
        let share = (step as f64 + 0.5) / steps as f64;
        let value = body_ns * (tail * -(-share.ln()).ln()).exp();
        let repeat = count / steps + u64::from(step < count % steps);
        let _ = histogram.record_n(value as u64, repeat);
    }
    histogram
}
