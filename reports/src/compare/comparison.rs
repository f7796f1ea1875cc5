//! Comparisons: what the page, the text and the files of a comparison are made of.

use iowq_contract::Caveat;

use crate::compare::finding::{Finding, Verdict};

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
    /// What was set to differ, such as `workers.bounded 4 against 64`, with the value of the base first;
    /// empty if nothing was.
    pub differs: Vec<String>,
    /// Whether runs belong together two by two.
    pub pairing: Pairing,
    /// What makes the test worse whatever its metrics say, such as a broken limit. It is a
    /// regression even where something forbids a verdict on the metrics.
    pub violations: Vec<Caveat>,
    /// What forbids a verdict; empty if none does.
    pub blockers: Vec<Caveat>,
    /// What a reader should know and what forbids nothing, such as drift.
    pub notes: Vec<Caveat>,
    /// The metrics named in advance, at most six.
    pub primary: Vec<Finding>,
    /// All others; they decide nothing.
    pub advisory: Vec<Finding>,
    /// The base against itself, if the bench had such an variant: findings of the primary metrics.
    pub noise: Vec<Finding>,
    /// Whether an injected delay was found, if the bench had such an variant.
    pub control: Option<Control>,
    /// What runs that were made for it said of its regressions; `None` where there were none, or
    /// they were not measured again.
    pub confirmation: Option<Confirmation>,
    /// What comes of all of it: a regression if there is a violation, `None` if it is barred, and
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

/// What reruns said of the regressions of a comparison, judged alone and by the same rules.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Confirmation {
    /// What came of it.
    pub outcome: ConfirmationOutcome,
    /// Whether the reruns are pairs; `None` if there are none.
    pub pairing: Option<Pairing>,
    /// What forbade a verdict on the reruns.
    pub blockers: Vec<Caveat>,
    /// The metrics that were a regression, as the first runs had them.
    pub first: Vec<Finding>,
    /// The same metrics in the reruns, in the same order; empty if there are none.
    pub again: Vec<Finding>,
    /// The violations of the first runs.
    pub violations: Vec<Caveat>,
    /// Those of them that the reruns have too, as these have them.
    pub violations_again: Vec<Caveat>,
}

/// What came of measuring again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfirmationOutcome {
    /// A regression is one in the reruns too.
    Confirmed,
    /// None is.
    NotConfirmed,
    /// There are no reruns of it.
    Missing,
}

/// Whether an injected delay was found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Control {
    /// The delay as a share of the base's median response time, such as 0.05.
    pub injected: f64,
    /// Whether response p50 was found to be a regression.
    pub found: bool,
    /// Pairs that would have been needed, if it was not.
    pub pairs_needed: Option<u32>,
}

impl Comparisons {
    /// What a script learns: 0 no regression, 1 a regression, 3 no verdict on some comparison.
    /// A regression is worse than no verdict, and that is worse than none; 2 is for trouble.
    pub fn exit_code(&self) -> u8 {
        let any = |wanted: fn(Option<Verdict>) -> bool| {
            self.all.iter().any(|comparison| wanted(comparison.verdict))
        };
        if any(|verdict| verdict == Some(Verdict::Regression)) {
            1
        } else if self.all.is_empty()
            || any(|verdict| verdict.is_none_or(|verdict| verdict == Verdict::Inconclusive))
        {
            3
        } else {
            0
        }
    }
}

impl Comparison {
    /// Whether runs are paired.
    pub fn is_paired(&self) -> bool {
        matches!(self.pairing, Pairing::Paired { .. })
    }

    /// Whether a metric that decides is a regression, or there is a violation.
    pub fn got_worse(&self) -> bool {
        !self.violations.is_empty() || self.primary.iter().any(Finding::is_regression)
    }

    /// The primary metric that the verdict stands on: of those with that verdict the one with the
    /// largest effect, seen against its threshold.
    pub fn deciding(&self) -> Option<&Finding> {
        let verdict = self.verdict?;
        let same = self.primary.iter().filter(|one| one.verdict == Some(verdict));
        same.max_by(|a, b| a.weight().total_cmp(&b.weight()))
    }

    /// Whether there was a regression that reruns did not confirm.
    pub fn has_unconfirmed(&self) -> bool {
        let taken_back = self.confirmation.as_ref().is_some_and(|confirmation| {
            confirmation.violations_again.len() < confirmation.violations.len()
        });
        taken_back || self.primary.iter().any(|finding| self.unconfirmed(finding.metric).is_some())
    }
}
