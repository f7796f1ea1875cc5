//! Bencher's metric format: per cell the median of its runs, with their least and most as bounds.
//!
//! Published schema: <https://bencher.dev/bmf.json>, described at
//! <https://bencher.dev/docs/reference/bencher-metric-format/>. `latency` in nanoseconds and
//! `throughput` in ops per second are measures that Bencher knows; the others it makes itself when
//! it first sees them.

use std::collections::BTreeMap;

use iowq_contract::Record;
use serde_json::{Map, Value, json};

use crate::export::run::{finished, name};
use crate::runs::figures::{Figures, Spread};
use crate::runs::hosts::Hosts;
use crate::runs::metric::Metric;

/// The runs as JSON, one benchmark per cell.
pub fn text(records: &[Record]) -> String {
    let hosts = Hosts::of(finished(records));
    let mut cells: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in finished(records) {
        cells.entry(name(record, &hosts)).or_default().push(record);
    }
    let benchmarks: Map<String, Value> =
        cells.into_iter().map(|(name, runs)| (name, measures(&runs))).collect();
    format!("{:#}\n", Value::Object(benchmarks))
}

fn measures(runs: &[&Record]) -> Value {
    let figures = Figures::new(runs);
    let known = Metric::all().filter_map(|metric| {
        let measure = metric.row().bmf?;
        let Spread { median, least, most, .. } = figures.of(metric)?;
        let metric = json!({ "value": median, "lower_value": least, "upper_value": most });
        Some((measure.to_owned(), metric))
    });
    Value::Object(known.collect())
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn runs_of_two_hosts_are_two_benchmarks() {
        let mut records = [sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1)];
        assert!(text(&records).contains("\"nop/6.12/pool\""));
        records[1].host.filesystem = "xfs".to_owned();
        let text = text(&records);
        assert!(text.contains("\"nop/6.12/pool/ext4\""), "{text}");
        assert!(text.contains("\"nop/6.12/pool/xfs\""), "{text}");
    }
}
