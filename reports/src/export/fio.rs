//! JSON as fio writes it, as far as its readers look: a job per run.
//!
//! Fields: HOWTO of fio 3, "JSON output" and "JSON+ output",
//! <https://fio.readthedocs.io/en/latest/fio_doc.html#json-output>. `clat_ns` and `lat_ns` are
//! service time, which is what fio measures; response time has no place there. All kinds of sync
//! are in `sync`, as fio has them. What a run did not measure, such as bytes, is absent, and so is a
//! percentile with fewer than 100 samples beyond it.

use std::io;

use iowq_contract::Record;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::export::run::{Whole, ended, finished, name, started};
use crate::runs::hosts::Hosts;
use crate::runs::sample_size;

/// Percentiles that fio prints unless told otherwise. Those with too few samples are left out.
const PERCENTILES: [f64; 17] = [
    1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95,
    99.99,
];

/// Kinds of operation that fio counts as sync.
const SYNC: [&str; 2] = ["fsync", "fdatasync"];

/// The runs as one document.
pub fn text(records: &[Record], whole: Whole<'_>) -> io::Result<String> {
    let hosts = Hosts::of(finished(records));
    let job =
        |(group, record): (usize, &Record)| Ok(job(group, &*whole(record)?, &name(record, &hosts)));
    let jobs: Vec<Value> = finished(records).enumerate().map(job).collect::<io::Result<_>>()?;
    let ended = finished(records).filter_map(ended).max();
    let timestamp = ended.map_or(0, Timestamp::as_second);
    let version = concat!("iowq-lab-", env!("CARGO_PKG_VERSION"));
    let all = json!({ "fio version": version, "timestamp": timestamp, "jobs": jobs });
    Ok(format!("{all:#}\n"))
}

fn job(group: usize, record: &Record, name: &str) -> Value {
    let runtime_ms = record.duration_ns / 1_000_000;
    json!({
        "jobname": name,
        "groupid": group,
        "error": 0,
        "elapsed": record.duration_ns / 1_000_000_000,
        "job options": options(record, name),
        "job_start": started(record).map_or(0, Timestamp::as_millisecond),
        "job_runtime": runtime_ms,
        "total_err": record.ops.failed,
        "read": data(record, "read"),
        "write": data(record, "write"),
        "trim": data(record, "trim"),
        "sync": {
            "total_ios": SYNC.iter().map(|kind| count(record, kind)).sum::<u64>(),
            "lat_ns": latency(record, &SYNC),
        },
    })
}

/// What was set, without what is not known.
fn options(record: &Record, name: &str) -> Value {
    let settings = &record.settings;
    let numbers = [
        ("bs", settings.block_bytes),
        ("iodepth", settings.depth.into()),
        ("nrfiles", settings.files.into()),
    ];
    let known = numbers.into_iter().filter(|(_, number)| *number > 0);
    let known = known.map(|(option, number)| (option.to_owned(), json!(number.to_string())));
    let own = [("name", name), ("ioengine", &record.key.engine)];
    let own = own.map(|(option, text)| (option.to_owned(), json!(text)));
    Value::Object(own.into_iter().chain(known).collect())
}

fn count(record: &Record, kind: &str) -> u64 {
    record.latency.service.get(kind).map_or(0, |quantiles| quantiles.count)
}

/// One direction of data, with zeros if it was not used, as fio has it.
fn data(record: &Record, kind: &str) -> Value {
    let done = count(record, kind);
    let seconds = record.duration_ns as f64 / 1e9;
    let per_s = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
    let latency = latency(record, &[kind]);
    json!({
        "total_ios": done,
        "iops": per_s,
        "runtime": if done > 0 { record.duration_ns / 1_000_000 } else { 0 },
        "slat_ns": { "min": 0, "max": 0, "mean": 0.0, "stddev": 0.0, "N": 0 },
        "clat_ns": latency,
        "lat_ns": latency,
    })
}

/// Service time over some kinds of operation. Without a histogram only what the record's own
/// figures say is there.
fn latency(record: &Record, kinds: &[&str]) -> Value {
    let all = kinds.iter().filter_map(|kind| record.latency.service.get(kind)?.histogram());
    let sum = all.filter(|one| !one.is_empty()).reduce(|mut sum, one| {
        // The sum grows as it must, so that adding never fails.
        let _ = sum.add(&one);
        sum
    });
    let Some(sum) = sum else {
        return plain(record, kinds);
    };
    let sure = PERCENTILES.iter().filter(|percentile| is_sure(sum.len(), **percentile));
    let percentile = sure.map(|&percentile| {
        let value = sum.value_at_quantile(percentile / 100.0);
        (format!("{percentile:.6}"), json!(value))
    });
    let bins = sum.iter_recorded().map(|bin| {
        let (value, count) = (bin.value_iterated_to(), bin.count_since_last_iteration());
        (value.to_string(), json!(count))
    });
    json!({
        "min": sum.min(),
        "max": sum.max(),
        "mean": sum.mean(),
        "stddev": sum.stdev(),
        "N": sum.len(),
        "percentile": percentile.collect::<Map<_, _>>(),
        "bins": bins.collect::<Map<_, _>>(),
    })
}

/// Whether enough samples lie beyond a percentile, on its smaller side: what the fastest hundredth
/// did is as much a matter of a few operations as what the slowest did.
fn is_sure(count: u64, percentile: f64) -> bool {
    let smaller = percentile.min(100.0 - percentile) / 100.0;
    sample_size::is_sure(count, (smaller * sample_size::ALL_PPB as f64).round() as u64)
}

fn plain(record: &Record, kinds: &[&str]) -> Value {
    let known = kinds.iter().find_map(|kind| record.latency.service.get(kind));
    let Some(known) = known else {
        return json!({ "min": 0, "max": 0, "mean": 0.0, "stddev": 0.0, "N": 0 });
    };
    let all =
        [(50.0, known.p50_ns), (90.0, known.p90_ns), (99.0, known.p99_ns), (99.9, known.p999_ns)];
    let sure = all.into_iter().filter(|(percentile, _)| is_sure(known.count, *percentile));
    let sure = sure.map(|(percentile, ns)| (format!("{percentile:.6}"), json!(ns)));
    json!({
        "max": known.max_ns,
        "N": known.count,
        "percentile": sure.collect::<Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn a_percentile_with_too_few_samples_is_left_out_with_bins_and_without() {
        let named = |value: &Value| {
            let all = value["percentile"].as_object().cloned().unwrap_or_default();
            all.keys().cloned().collect::<Vec<_>>()
        };
        let mut record = sample::run("dsync", "6.12", 0);
        assert_eq!(record.latency.service["write"].count, 150_000);
        let with_bins = named(&latency(&record, &["write"]));
        assert!(with_bins.contains(&"99.900000".to_owned()), "{with_bins:?}");
        assert!(!with_bins.contains(&"99.950000".to_owned()), "{with_bins:?}");
        let write = record.latency.service.get_mut("write").expect("it writes");
        write.hdr_v2.clear();
        write.count = 99_999;
        assert_eq!(named(&latency(&record, &["write"])), ["50.000000", "90.000000", "99.000000"]);
    }
}
