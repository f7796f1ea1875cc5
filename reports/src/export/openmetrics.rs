//! OpenMetrics text: a series per run, at the moment at which the run ended.
//!
//! Grammar: <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Counts of a run never go on
//! in the next one, so that each run has a series of its own by the label `run`, its place in the
//! export. What no run knows is absent, not zero.

use std::fmt::Write as _;

use iowq_contract::Record;

use crate::export::run::{ended, finished};
use crate::runs::births::Births;
use crate::runs::hosts::Hosts;
use crate::runs::metric::Metric;

/// Samples of one run in a family: what follows the name, labels of their own, and the value.
type Samples = Vec<(&'static str, String, f64)>;

/// A family of metrics.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: fn(&Record) -> Samples,
}

const FAMILIES: [Family; 9] = [
    Family {
        name: "iowq_ops",
        kind: "counter",
        help: "Operations of the measured part.",
        samples: |record| {
            let count = |result: &str, ops: u64| ("_total", label("result", result), ops as f64);
            vec![count("done", record.ops.done), count("failed", record.ops.failed)]
        },
    },
    Family {
        name: "iowq_ops_per_second",
        kind: "gauge",
        help: "Operations done per second.",
        samples: |record| optional(Metric::OpsPerS.value(record)),
    },
    Family {
        name: "iowq_response_seconds",
        kind: "summary",
        help: "Response time of all operations.",
        samples: response,
    },
    Family {
        name: "iowq_cpu_per_op_seconds",
        kind: "gauge",
        help: "Processor time per operation, user and system.",
        samples: |record| optional(Metric::CpuPerOp.value(record).map(|ns| ns / 1e9)),
    },
    Family {
        name: "iowq_worker_births",
        kind: "counter",
        help: "Workers created, by the best source there was.",
        samples: |record| {
            let births = record.workers.created.best();
            births.map(|births| ("_total", String::new(), births as f64)).into_iter().collect()
        },
    },
    Family {
        name: "iowq_worker_births_per_1000_ops",
        kind: "gauge",
        help: "Workers created per thousand operations.",
        samples: |record| optional(Metric::CreatedPer1000.value(record)),
    },
    Family {
        name: "iowq_worker_births_per_second",
        kind: "gauge",
        help: "Workers created per second.",
        samples: |record| optional(Metric::BornPerS.value(record)),
    },
    Family {
        name: "iowq_worker_births_measured",
        kind: "gauge",
        help: "Births of the two above: the first fill, and churn in place of workers that left.",
        samples: |record| {
            let parts = |one: Births| [("fill", one.fill), ("churn", one.churn())];
            let parts = Births::of(record).into_iter().flat_map(parts);
            parts.map(|(part, born)| ("", label("part", part), born as f64)).collect()
        },
    },
    Family {
        name: "iowq_probe_events_lost",
        kind: "counter",
        help: "Events that the probes lost.",
        samples: |record| vec![("_total", String::new(), record.probe.events_lost as f64)],
    },
];

/// The runs as an exposition, with the end mark.
pub fn text(records: &[Record]) -> String {
    let mut text = String::new();
    let hosts = Hosts::of(finished(records));
    for family in &FAMILIES {
        let Family { name, kind, help, samples } = family;
        let _ = writeln!(text, "# TYPE {name} {kind}");
        if name.ends_with("_seconds") {
            let _ = writeln!(text, "# UNIT {name} seconds");
        }
        let _ = writeln!(text, "# HELP {name} {help}");
        for (run, record) in finished(records).enumerate() {
            let (labels, time) = (labels(record, run, &hosts), time(record));
            for (suffix, own, value) in samples(record) {
                let _ = writeln!(text, "{name}{suffix}{{{labels}{own}}} {value}{time}");
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

fn response(record: &Record) -> Samples {
    let Some(all) = record.latency.response.get("all") else {
        return Vec::new();
    };
    let shares = [
        (0.5, Metric::ResponseP50),
        (0.9, Metric::ResponseP90),
        (0.99, Metric::ResponseP99),
        (0.999, Metric::ResponseP999),
    ];
    let known =
        shares.into_iter().filter_map(|(share, metric)| Some((share, metric.value(record)? / 1e9)));
    let mut samples: Samples =
        known.map(|(share, value)| ("", label("quantile", &share.to_string()), value)).collect();
    samples.push(("_count", String::new(), all.count as f64));
    samples
}

fn optional(value: Option<f64>) -> Samples {
    value.map(|value| ("", String::new(), value)).into_iter().collect()
}

fn labels(record: &Record, run: usize, hosts: &Hosts<'_>) -> String {
    let key = &record.key;
    let host = hosts.name(record).map_or_else(String::new, |host| label("host", host));
    let set = key.set.to_string();
    let set = if set.is_empty() { set } else { label("set", &set) };
    format!(
        "workload=\"{}\",engine=\"{}\",policy=\"{}\",role=\"{}\",round=\"{}\",run=\"{run}\"{set}{host}",
        escape(&key.workload),
        escape(&key.engine),
        escape(&key.policy),
        key.role.name(),
        key.round
    )
}

/// One more label, behind those that every sample has.
fn label(name: &str, value: &str) -> String {
    format!(",{name}=\"{}\"", escape(value))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Seconds since 1970 at which the run ended, with a space before; nothing if it is not known.
fn time(record: &Record) -> String {
    ended(record).map_or_else(String::new, |at| format!(" {}", at.as_millisecond() as f64 / 1e3))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn labels_are_escaped_and_a_start_that_is_no_time_leaves_the_time_out() {
        let mut record = sample::run("a\"b\\c\nd", "6.12", 0);
        "yesterday".clone_into(&mut record.started);
        let text = text(&[record]);
        assert!(text.contains(r#"{workload="a\"b\\c\nd",engine="pool""#), "{text}");
        assert!(text.contains("result=\"done\"} 24000\n"), "{text}");
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn what_was_set_is_a_label() {
        let mut record = sample::run("nop", "6.12", 0);
        record.key.set.0.insert("workers.bounded".to_owned(), "4".to_owned());
        assert!(text(&[record]).contains(r#"run="0",set="bounded=4",result="done"}"#));
    }

    #[test]
    fn several_hosts_are_a_label() {
        let mut records = [sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1)];
        assert!(!text(&records).contains("host="));
        records[1].host.filesystem = "xfs".to_owned();
        assert!(text(&records).contains(r#"run="1",host="xfs",result="done"}"#));
    }
}
