//! Bencher's metric format: per cell the median of its runs, with their least and most as bounds.
//!
//! Published schema: <https://bencher.dev/bmf.json>, described at
//! <https://bencher.dev/docs/reference/bencher-metric-format/>. `latency` in nanoseconds and
//! `throughput` in ops per second are measures that Bencher knows; the others it makes itself when
//! it first sees them.

use crate::export::run::{cpu_ns_per_op, finished, name};
use crate::runs::figures::{Figures, Spread};
use std::collections::BTreeMap;

use iowq_contract::Record;
use serde_json::{Map, Value, json};

/// The runs as JSON, one benchmark per cell.
#[must_use]
pub fn text(records: &[Record]) -> String {
    let mut cells: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in finished(records) {
        cells.entry(name(record)).or_default().push(record);
    }
    let benchmarks: Map<String, Value> =
        cells.into_iter().map(|(name, runs)| (name, measures(&runs))).collect();
    format!("{:#}\n", Value::Object(benchmarks))
}

fn measures(runs: &[&Record]) -> Value {
    let figures = Figures::of(runs);
    let cpu = runs.iter().map(|record| cpu_ns_per_op(record)).collect::<Option<Vec<f64>>>();
    let all = [
        ("throughput", figures.per_s),
        ("latency", figures.p50_ns),
        ("response-p99", figures.p99_ns),
        ("response-p999", figures.p999_ns),
        ("cpu-time-per-op", cpu.and_then(Spread::of)),
        ("workers-per-1000-ops", figures.created_per_1000_ops),
        ("workers-per-second", figures.born_per_s),
    ];
    let known = all.into_iter().filter_map(|(measure, spread)| {
        let Spread { median, least, most, .. } = spread?;
        let metric = json!({ "value": median, "lower_value": least, "upper_value": most });
        Some((measure.to_owned(), metric))
    });
    Value::Object(known.collect())
}
