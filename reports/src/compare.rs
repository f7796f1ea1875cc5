//! Comparisons: what changed from one set of runs to another, how sure that is, and whether it
//! matters. Built by the modules below, shown by `page/compare` and `summary/compare`.
//!
//! The unit is the run, or the boot where kernels are booted, never the operation. See `VERDICTS.md` beside this file for the method and
//! its sources.

mod blockers;
pub mod boots;
pub mod confirm;
mod control;
pub mod decide;
pub mod fresh;
pub(crate) mod hosts;
mod judge;
mod limit;
pub mod linger;
pub mod metric;
mod noise;
mod notes;
mod one_sided;
mod order;
mod pairs;
pub mod plan;
pub mod set;
pub mod show;
mod whole;

use iowq_contract::Caveat;
use std::collections::BTreeMap;

pub use decide::Decides;
pub use judge::Rules;
pub use whole::{compare, compare_by};

/// All comparisons of one call, and what comes of them together.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Comparisons {
    /// One per workload and test set, in the order of the command line.
    pub all: Vec<Comparison>,
    /// Smallest effect that matters, as asked for, such as 0.05.
    pub threshold: f64,
    /// Error rate of the verdicts after adjustment.
    pub alpha: f64,
    /// Which metrics decide here, and why.
    pub decides: String,
}

/// One test set against the base on one workload.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Comparison {
    /// Name of the workload.
    pub workload: String,
    /// What the base is called, such as `6.12` or `before.jsonl`.
    pub base: String,
    /// What the test is called.
    pub test: String,
    /// Whether runs belong together two by two.
    pub pairing: Pairing,
    /// What makes the test worse whatever its metrics say, such as a broken limit. It is a
    /// regression even where something forbids a verdict on the metrics.
    pub violations: Vec<Caveat>,
    /// What forbids a verdict; empty where none does.
    pub blockers: Vec<Caveat>,
    /// What a reader should know and what forbids nothing, such as drift.
    pub notes: Vec<Caveat>,
    /// The metrics named in advance, at most six.
    pub primary: Vec<Finding>,
    /// All others; they decide nothing.
    pub advisory: Vec<Finding>,
    /// The base against itself, where the bench had such an arm: findings of the primary metrics.
    pub noise: Vec<Finding>,
    /// Whether an injected delay was found, where the bench had such an arm.
    pub control: Option<Control>,
    /// What runs that were made for it said of its regressions; `None` where there were none, or
    /// nobody measured again.
    pub confirmation: Option<Confirmation>,
    /// What comes of all of it: a regression where there is a violation, `None` where it is barred, and
    /// else the worst of the primary metrics.
    pub verdict: Option<Verdict>,
}

/// Whether runs belong together two by two.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Pairing {
    /// Runs or boots of one round, made back to back in an order drawn from a seed.
    Paired {
        /// Complete pairs.
        pairs: u32,
        /// Runs or boots that had no partner.
        left_over: u32,
    },
    /// Not so; the reason is for a reader.
    Unpaired {
        /// Runs or boots of the base.
        base_runs: u32,
        /// Runs or boots of the test.
        test_runs: u32,
        /// Why.
        why: String,
    },
}

/// What was found for one metric.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Finding {
    /// Which.
    pub metric: Metric,
    /// Whether effects are ln(test / base) or test - base.
    pub scale: Scale,
    /// Hodges-Lehmann estimate of the effect on that scale; `None` with too few values.
    pub estimate: Option<f64>,
    /// Exact intervals of the estimate by confidence in percent (90 and 95), where that many runs
    /// allow one.
    pub intervals: BTreeMap<u32, (f64, f64)>,
    /// Exact two-sided p.
    pub p: Option<f64>,
    /// The same after Holm (primary) or Benjamini-Hochberg (advisory).
    pub p_adjusted: Option<f64>,
    /// Smallest effect that counts, on the scale, as it was asked for: sameness is held to it.
    pub threshold: f64,
    /// How much the base differs from itself, where an arm of the bench can tell. An effect must be
    /// as large to take a side.
    pub noise_floor: Option<f64>,
    /// Smallest effect that these runs would have called a change with 80 % power.
    pub detectable: Option<f64>,
    /// Pairs that would decide with 80 % power, see [`plan`]; `None` where more do not help.
    pub pairs_needed: Option<u32>,
    /// What it is: of the worse or the better side, or neither.
    pub verdict: Option<Verdict>,
    /// Why there is no estimate, such as too few samples beyond a quantile.
    pub missing: Option<String>,
    /// What is so on one side only, and keeps the verdict from being what the values say.
    pub one_sided: Option<OneSided>,
    /// The values, pair by pair; empty without pairs.
    pub points: Vec<Point>,
    /// Without pairs the values of base and test, each in the order of its runs.
    pub alone: [Vec<Lone>; 2],
}

/// What is so on one side only.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct OneSided {
    /// What, for a reader.
    pub text: String,
    /// Whether a regression is uncertain as well, and not only that nothing got worse.
    pub of_regression: bool,
}

/// The value of a run that has no partner.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Lone {
    /// Place of the run in the order of all.
    pub position: u32,
    /// Its value.
    pub value: f64,
}

/// Values of one pair.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// Number of the round.
    pub pair: u32,
    /// Place of the base's run, or boot, in the order of all.
    pub base_position: u32,
    /// Place of the test's run or boot.
    pub test_position: u32,
    /// Value of the base's run, or mean of its boot.
    pub base: f64,
    /// Value of the test's run or boot.
    pub test: f64,
}

/// How an effect is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// ln(test / base).
    Ratio,
    /// test - base, for counts that can be zero.
    Difference,
}

/// A metric of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Measured ops per second. More is better; in all others less is.
    OpsPerS,
    /// Response time, median.
    ResponseP50,
    /// Response time, 99th percentile.
    ResponseP99,
    /// Response time, 99.9th percentile.
    ResponseP999,
    /// Processor time per op.
    CpuPerOp,
    /// Workers created per 1000 ops.
    CreatedPer1000,
    /// Workers created per second.
    BornPerS,
    /// Most workers alive.
    Peak,
    /// Service time, median.
    ServiceP50,
    /// How long the last worker outlived the last ring, or at least did.
    Linger,
}

/// What comes of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Shown to be the same within the threshold (two one-sided tests).
    Equivalent,
    /// Shown to be better by the threshold or more.
    Improvement,
    /// Neither shown.
    Inconclusive,
    /// Shown to be worse by the threshold or more.
    Regression,
}

/// What fresh runs said of the regressions of a comparison, judged alone and by the same rules.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Confirmation {
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the fresh runs are pairs; `None` where there are none.
    pub pairing: Option<Pairing>,
    /// What forbade a verdict on the fresh runs.
    pub blockers: Vec<Caveat>,
    /// The metrics that were a regression, as the first runs had them.
    pub first: Vec<Finding>,
    /// The same metrics in the fresh runs, in the same order; empty where there are none.
    pub again: Vec<Finding>,
    /// The violations of the first runs.
    pub violations: Vec<Caveat>,
    /// Those of them that the fresh runs have too, as these have them.
    pub violations_again: Vec<Caveat>,
}

/// What came of measuring again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A regression is one in the fresh runs too.
    Confirmed,
    /// None is.
    NotConfirmed,
    /// There are no fresh runs of it.
    Missing,
}

/// Whether an injected delay was found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Control {
    /// The delay as a share of the base's median response time, such as 0.05.
    pub injected: f64,
    /// Whether response p50 was found to be a regression.
    pub found: bool,
    /// Pairs that would have been needed, where it was not.
    pub pairs_needed: Option<u32>,
}
