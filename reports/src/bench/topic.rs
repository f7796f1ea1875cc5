//! Topics: the few metrics that answers are given on, named before any run, and the words for them.

use crate::format;
use crate::runs::metric::Metric;

/// Policies that a sentence names; the others are counted.
pub(crate) const POLICIES_MAX: usize = 24;

/// What an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The metric.
    pub metric: Metric,
    /// What it is called above an answer.
    pub title: &'static str,
    /// What is said if a run lacks the metric.
    pub missing: &'static str,
    less: &'static str,
    more: &'static str,
}

/// All topics, in the order of the page.
pub const TOPICS: [Topic; 3] = [
    Topic {
        metric: Metric::CreatedPer1000,
        title: "Workers created",
        missing: "no statement: workers were not counted, or nothing was done",
        less: "fewer",
        more: "more",
    },
    Topic {
        metric: Metric::ResponseP99,
        title: "Latency, p99",
        missing: "no statement, because there are too few operations (p99 needs 10,000 per run)",
        less: "lower",
        more: "higher",
    },
    Topic {
        metric: Metric::OpsPerS,
        title: "Throughput",
        missing: "no statement: nothing was done",
        less: "fewer",
        more: "more",
    },
];

impl Topic {
    /// `6.17 created 38 times fewer workers per 1000 ops than 6.12`, without the policies.
    pub fn differs(&self, base: f64, test: f64) -> String {
        let factor = format::factor(base, test);
        let way = self.way(base, test);
        match self.metric {
            Metric::CreatedPer1000 if test == 0.0 => "created no workers, unlike".to_owned(),
            Metric::CreatedPer1000 if base == 0.0 => "created workers, unlike".to_owned(),
            Metric::CreatedPer1000 => format!("created {factor} {way} workers per 1000 ops than"),
            Metric::OpsPerS => format!("finished {factor} {way} ops per second than"),
            latency => format!("had a {} response time {factor} {way} than", latency.name()),
        }
    }

    /// The same in two or three words: `38 times fewer`.
    pub fn differs_briefly(&self, base: f64, test: f64) -> String {
        if test == 0.0 {
            "none".to_owned()
        } else if base == 0.0 {
            "some against none".to_owned()
        } else {
            format!("{} {}", format::factor(base, test), self.way(base, test))
        }
    }

    fn way(&self, base: f64, test: f64) -> &'static str {
        if test < base { self.less } else { self.more }
    }
}
