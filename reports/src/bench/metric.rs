//! Metrics: what is compared, and the words for it.

use crate::format;
use crate::runs::figures::{Figures, Spread};

/// The metrics that answers are given on: few, named before any run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Workers created per 1000 operations.
    Created,
    /// 99th percentile of response time.
    P99,
    /// Operations done per second.
    PerS,
}

impl Metric {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Created, Self::P99, Self::PerS];

    /// What the metric is about.
    #[must_use]
    pub fn topic(self) -> &'static str {
        match self {
            Self::Created => "Workers created",
            Self::P99 => "Latency, p99",
            Self::PerS => "Throughput",
        }
    }

    /// Its figures in a group.
    #[must_use]
    pub fn of(self, figures: &Figures) -> Option<Spread> {
        match self {
            Self::Created => figures.created_per_1000_ops,
            Self::P99 => figures.p99_ns,
            Self::PerS => figures.per_s,
        }
    }

    /// A value of it.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::P99 => format::duration(value),
            Self::Created | Self::PerS => format::number(value),
        }
    }

    /// `6.17 created 38 times fewer workers per 1000 ops than 6.12`, without the policies.
    #[must_use]
    pub fn differs(self, base: f64, test: f64) -> String {
        let factor = format::factor(base, test);
        let way = self.way(base, test);
        match self {
            Self::Created if test == 0.0 => "created no workers, unlike".to_owned(),
            Self::Created if base == 0.0 => "created workers, unlike".to_owned(),
            Self::Created => format!("created {factor} {way} workers per 1000 ops than"),
            Self::P99 => format!("had a p99 response time {factor} {way} than"),
            Self::PerS => format!("finished {factor} {way} ops per second than"),
        }
    }

    /// The same in two or three words: `38 times fewer`.
    #[must_use]
    pub fn differs_briefly(self, base: f64, test: f64) -> String {
        if test == 0.0 {
            "none".to_owned()
        } else if base == 0.0 {
            "some against none".to_owned()
        } else {
            format!("{} {}", format::factor(base, test), self.way(base, test))
        }
    }

    fn way(self, base: f64, test: f64) -> &'static str {
        match (self, test < base) {
            (Self::P99, true) => "lower",
            (Self::P99, false) => "higher",
            (_, true) => "fewer",
            (_, false) => "more",
        }
    }

    /// What is said where a run lacks the metric.
    #[must_use]
    pub fn missing(self) -> &'static str {
        match self {
            Self::Created => "no statement: nobody counted workers, or nothing was done",
            Self::P99 => "no statement, for want of operations (p99 needs 10,000 per run)",
            Self::PerS => "no statement: nothing was done",
        }
    }
}
