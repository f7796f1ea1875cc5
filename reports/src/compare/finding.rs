//! A finding: what the runs say on one metric, and what follows from its values.

use std::collections::BTreeMap;

use crate::runs::figures::Spread;
use crate::runs::metric::{Metric, Scale};
use crate::stats::ties;

/// What was found for one metric.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Finding {
    /// Which.
    pub metric: Metric,
    /// Whether effects are ln(test / base) or test - base.
    pub scale: Scale,
    /// Hodges-Lehmann estimate of the effect on that scale; `None` with too few values.
    pub estimate: Option<f64>,
    /// Exact intervals of the estimate by confidence in percent (90 and 95), if that many runs
    /// allow one.
    pub intervals: BTreeMap<u32, (f64, f64)>,
    /// Exact two-sided p.
    pub p: Option<f64>,
    /// The same after Holm (primary) or Benjamini-Hochberg (advisory).
    pub p_adjusted: Option<f64>,
    /// Smallest effect that counts, on the scale, as it was asked for: sameness is held to it.
    pub threshold: f64,
    /// How much the base differs from itself, where an variant of the bench can tell. An effect must be
    /// as large to take a side.
    pub noise_floor: Option<f64>,
    /// Smallest effect that these runs would have called a change with 80 % power.
    pub detectable: Option<f64>,
    /// Pairs that would decide with 80 % power, see [`super::plan`]; `None` if more do not help.
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
    pub round: u32,
    /// Place of the base's run, or boot, in the order of all.
    pub base_position: u32,
    /// Place of the test's run or boot.
    pub test_position: u32,
    /// Value of the base's run, or mean of its boot.
    pub base: f64,
    /// Value of the test's run or boot.
    pub test: f64,
}

impl Finding {
    /// Effects pair by pair, on the scale of the metric.
    pub fn effects(&self) -> Vec<f64> {
        let effect = |point: &Point| match self.scale {
            // As ranks tell: else a mean of a boot would differ from its like by a last bit.
            _ if ties::equal(point.base, point.test) => 0.0,
            Scale::Ratio => point.test.ln() - point.base.ln(),
            Scale::Difference => point.test - point.base,
        };
        self.points.iter().map(effect).collect()
    }

    /// Whether there is a difference, however small: the adjusted p is below alpha.
    pub fn rejects(&self, alpha: f64) -> bool {
        self.p_adjusted.is_some_and(|p| p < alpha)
    }

    /// Smallest effect that takes a side: what was asked for, or the noise floor if that is
    /// higher.
    pub fn side_threshold(&self) -> f64 {
        self.threshold.max(self.noise_floor.unwrap_or(0.0))
    }

    /// Medians of base and test, over the pairs or over all runs of each side.
    pub fn medians(&self) -> Option<(f64, f64)> {
        let [base, test] = &self.alone;
        let base = self.points.iter().map(|one| one.base).chain(base.iter().map(|one| one.value));
        let test = self.points.iter().map(|one| one.test).chain(test.iter().map(|one| one.value));
        Some((Spread::of(base.collect())?.median, Spread::of(test.collect())?.median))
    }

    /// Interval with 95 % confidence.
    pub fn interval_95(&self) -> Option<(f64, f64)> {
        self.intervals.get(&95).copied()
    }

    /// Whether it is shown to be worse.
    pub fn is_regression(&self) -> bool {
        self.verdict == Some(Verdict::Regression)
    }

    /// The estimate in thresholds: how near it is to mattering, whatever the scale.
    pub fn weight(&self) -> f64 {
        let estimate = self.estimate.unwrap_or(0.0).abs();
        if self.threshold > 0.0 { estimate / self.threshold } else { estimate }
    }
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

impl Verdict {
    /// The style of a verdict on a page, and its word.
    pub fn style(verdict: Option<Self>) -> (&'static str, &'static str) {
        verdict.map_or(("none", "no verdict"), |one| (one.name(), one.name()))
    }

    /// Its name, as in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Improvement => "improvement",
            Self::Inconclusive => "inconclusive",
            Self::Regression => "regression",
        }
    }
}
