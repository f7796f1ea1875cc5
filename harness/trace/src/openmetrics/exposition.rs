//! The text that is scraped: metrics of all names, and of the trace itself; times in seconds.
//!
//! Formats: OpenMetrics 1.0, <https://github.com/prometheus/OpenMetrics>, and Prometheus' own text
//! 0.0.4, in which the type of a counter is told under its whole name and there is no end.

use std::collections::BTreeMap;

use iowq_contract::Tier;
use iowq_contract::trace::Snapshot;

use super::sums::{BOUNDS_NS, OpSums, Sums};
use crate::words;

/// How a text is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    OpenMetrics,
    Prometheus,
}

/// A text that grows by metrics.
struct Exposition {
    format: Format,
    text: String,
}

/// The metrics, and by which tier they were counted, if that is known.
pub(super) fn text(
    format: Format,
    sums: &BTreeMap<String, Sums>,
    snapshot: &Snapshot,
    tier: Option<Tier>,
) -> String {
    let mut to = Exposition { format, text: String::new() };
    tier.into_iter().for_each(|tier| to.info(tier));
    to.alive(sums);
    to.by_name(sums, "iowq_requests_in_flight", "gauge", "Requests in io-wq.", |it| it.in_flight);
    let polled = tier == Some(Tier::Proc);
    let help = |text: &str| {
        let least = if polled { " A lower bound: /proc is polled." } else { "" };
        format!("{text}{least}")
    };
    to.by_name(sums, "iowq_workers_born", "counter", &help("Workers born."), |it| it.born);
    to.by_name(sums, "iowq_workers_exited", "counter", &help("Workers gone."), |it| it.exited);
    for (metric, help, value) in OPS {
        to.head(metric, "counter", help);
        for (name, op, sums) in of_ops(sums) {
            to.line(&format!("{metric}_total{{{}}} {}", labels(name, op), value(sums)));
        }
    }
    to.times(sums);
    to.head("iowq_trace_lost", "counter", "What the trace lost, by cause.");
    for (cause, count) in &snapshot.lost {
        to.line(&format!("iowq_trace_lost_total{{cause=\"{}\"}} {count}", escaped(cause)));
    }
    to.head("iowq_trace_cpu_seconds", "counter", "Processor time of the tracer itself.");
    to.line(&format!("iowq_trace_cpu_seconds_total {}", snapshot.own_cpu_ns as f64 / 1e9));
    if let Some(programs_ns) = snapshot.programs_cpu_ns {
        let help = "Processor time of the tracer's programs in the kernel, from samples.";
        to.head("iowq_trace_programs_cpu_seconds", "gauge", help);
        to.line(&format!("iowq_trace_programs_cpu_seconds {}", programs_ns as f64 / 1e9));
    }
    if format == Format::OpenMetrics {
        to.line("# EOF");
    }
    to.text
}

/// A counter of ops: its name, what it is, and where it comes from.
type OfOps = (&'static str, &'static str, fn(&OpSums) -> u64);

const OPS: [OfOps; 6] = [
    ("iowq_requests_submitted", "Requests submitted.", |op| op.submitted),
    ("iowq_requests_queued", "Requests that went to io-wq.", |op| op.queued),
    ("iowq_requests_forced", "Requests that went to io-wq without an attempt.", |op| op.forced),
    ("iowq_requests_hashed", "Requests that went to io-wq as hashed work.", |op| op.hashed),
    ("iowq_requests_unbounded", "Requests that went to io-wq as unbounded work.", |op| {
        op.unbounded
    }),
    ("iowq_requests_failed", "Requests in io-wq whose result was an error.", |op| op.failed),
];

impl Exposition {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn head(&mut self, metric: &str, kind: &str, help: &str) {
        let whole = kind == "counter" && self.format == Format::Prometheus;
        let suffix = if whole { "_total" } else { "" };
        self.line(&format!("# HELP {metric}{suffix} {help}\n# TYPE {metric}{suffix} {kind}"));
    }

    /// How the trace is watched. Prometheus' own text knows no such type.
    fn info(&mut self, tier: Tier) {
        let help = "How the trace is watched: bpf, tracefs or proc, which counts births at least.";
        match self.format {
            Format::OpenMetrics => self.head("iowq_trace", "info", help),
            Format::Prometheus => self.head("iowq_trace_info", "gauge", help),
        }
        self.line(&format!("iowq_trace_info{{tier=\"{}\"}} 1", words::tier(tier)));
    }

    fn alive(&mut self, sums: &BTreeMap<String, Sums>) {
        let metric = "iowq_workers_alive";
        self.head(metric, "gauge", "Workers alive, by account.");
        for (name, sums) in sums {
            let name = escaped(name);
            for (account, count) in ["bounded", "unbounded", "unknown"].iter().zip(sums.alive) {
                self.line(&format!("{metric}{{comm=\"{name}\",account=\"{account}\"}} {count}"));
            }
        }
    }

    fn by_name(
        &mut self,
        sums: &BTreeMap<String, Sums>,
        metric: &str,
        kind: &str,
        help: &str,
        value: fn(&Sums) -> u64,
    ) {
        self.head(metric, kind, help);
        let suffix = if kind == "counter" { "_total" } else { "" };
        for (name, sums) in sums {
            self.line(&format!("{metric}{suffix}{{comm=\"{}\"}} {}", escaped(name), value(sums)));
        }
    }

    /// How long requests were in io-wq.
    fn times(&mut self, sums: &BTreeMap<String, Sums>) {
        let metric = "iowq_request_seconds";
        self.head(metric, "histogram", "From queueing for a worker to completion.");
        for (name, op, sums) in of_ops(sums).filter(|(.., sums)| sums.done > 0) {
            let labels = labels(name, op);
            for (bound, count) in BOUNDS_NS.iter().zip(sums.at_most) {
                let bound = *bound as f64 / 1e9;
                self.line(&format!("{metric}_bucket{{{labels},le=\"{bound:?}\"}} {count}"));
            }
            self.line(&format!("{metric}_bucket{{{labels},le=\"+Inf\"}} {}", sums.done));
            self.line(&format!("{metric}_sum{{{labels}}} {}", sums.time_ns as f64 / 1e9));
            self.line(&format!("{metric}_count{{{labels}}} {}", sums.done));
        }
    }
}

fn of_ops(sums: &BTreeMap<String, Sums>) -> impl Iterator<Item = (&str, &str, &OpSums)> {
    sums.iter().flat_map(|(name, sums)| {
        sums.ops.iter().map(move |(op, counts)| (name.as_str(), op.as_str(), counts))
    })
}

fn labels(name: &str, op: &str) -> String {
    format!("comm=\"{}\",op=\"{}\"", escaped(name), escaped(op))
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_a_type_its_samples_and_the_end() {
        let op = OpSums {
            submitted: 9,
            queued: 7,
            done: 6,
            at_most: [0, 2, 6, 6, 6, 6, 6, 6],
            ..OpSums::default()
        };
        let sums = Sums {
            born: 4,
            alive: [3, 1, 0],
            ops: [("WRITE".into(), op)].into(),
            ..Sums::default()
        };
        let sums = [("a\"b\\".to_owned(), sums)].into();
        let proc = Some(Tier::Proc);
        let plain = text(Format::Prometheus, &sums, &Snapshot::default(), proc);
        assert!(plain.contains("# TYPE iowq_trace_info gauge\niowq_trace_info{tier=\"proc\"} 1\n"));
        let text = text(Format::OpenMetrics, &sums, &Snapshot::default(), proc);
        for line in [
            "# TYPE iowq_trace info",
            "iowq_trace_info{tier=\"proc\"} 1",
            "# HELP iowq_workers_born Workers born. A lower bound: /proc is polled.",
            "# TYPE iowq_workers_alive gauge",
            "iowq_workers_alive{comm=\"a\\\"b\\\\\",account=\"bounded\"} 3",
            "iowq_workers_born_total{comm=\"a\\\"b\\\\\"} 4",
            "iowq_requests_queued_total{comm=\"a\\\"b\\\\\",op=\"WRITE\"} 7",
            "iowq_request_seconds_bucket{comm=\"a\\\"b\\\\\",op=\"WRITE\",le=\"0.0001\"} 2",
            "iowq_request_seconds_bucket{comm=\"a\\\"b\\\\\",op=\"WRITE\",le=\"+Inf\"} 6",
            "iowq_trace_cpu_seconds_total 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
