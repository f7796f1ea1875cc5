//! Judging: from the values of runs to an effect, how sure it is, and one of four verdicts.

use std::collections::BTreeMap;

use super::boots::Unit;
use super::metric;
use super::pairs::Matched;
use super::{Decides, Finding, Metric, Point, Scale, Verdict};
use crate::stats::{power, rank_sum, signed_rank, walsh};

/// Confidence of the intervals that are shown, in percent.
const CONFIDENCES: [u32; 2] = [90, 95];

/// Power at which effects that would have been shown are told.
const POWER: f64 = 0.8;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Smallest effect that matters, as a share, such as 0.05.
    pub threshold: f64,
    /// Error rate after adjustment.
    pub alpha: f64,
}

/// What the runs say on a metric, before anything is adjusted or judged. A run without a value
/// takes its partner with it.
#[must_use]
pub fn find(metric: Metric, matched: &Matched<'_>, decides: &Decides, rules: Rules) -> Finding {
    let (points, reason) = points(metric, matched);
    let base_median = metric::median(points.iter().map(|point| point.base));
    let threshold = metric.threshold(rules.threshold, base_median);
    let mut finding = Finding {
        metric,
        scale: metric.scale(),
        estimate: None,
        intervals: BTreeMap::new(),
        p: None,
        p_adjusted: None,
        threshold,
        detectable: None,
        pairs_needed: None,
        verdict: None,
        missing: reason.filter(|_| points.is_empty()),
        points,
    };
    if matched.is_paired() {
        let effects = finding.effects();
        let alpha = decides.alpha_strictest(metric, rules.alpha);
        finding.estimate = walsh::hodges_lehmann(&effects);
        finding.intervals = intervals(|confidence| walsh::interval(&effects, confidence));
        finding.p = signed_rank::p_two_sided(&effects);
        finding.detectable = power::detectable(&effects, alpha, POWER);
        finding.pairs_needed = power::pairs_needed(&effects, threshold, alpha, POWER);
    } else {
        // A description of two heaps of runs: no p, for what parts them need not be the policy.
        let (base, test) = (scaled(metric, &matched.base), scaled(metric, &matched.test));
        finding.estimate = rank_sum::shift(&base, &test);
        finding.intervals = intervals(|confidence| rank_sum::interval(&base, &test, confidence));
    }
    finding
}

/// The values of units that stand side by side, and why some are missing.
fn points(metric: Metric, matched: &Matched<'_>) -> (Vec<Point>, Option<String>) {
    let mut reason = None;
    let mut points = Vec::new();
    for (base, test) in matched.base.iter().zip(&matched.test) {
        match (base.value(metric), test.value(metric)) {
            (Ok(base_value), Ok(test_value)) => points.push(Point {
                pair: base.round().0,
                base_position: base.position(),
                test_position: test.position(),
                base: base_value,
                test: test_value,
            }),
            (Err(why), _) | (_, Err(why)) => _ = reason.get_or_insert(why),
        }
    }
    (points, reason)
}

/// The values of units on a scale on which a shift between them is an effect.
fn scaled(metric: Metric, units: &[Unit<'_>]) -> Vec<f64> {
    let values = units.iter().filter_map(|unit| unit.value(metric).ok());
    match metric.scale() {
        Scale::Ratio => values.map(f64::ln).collect(),
        Scale::Difference => values.collect(),
    }
}

fn intervals(interval: impl Fn(f64) -> Option<(f64, f64)>) -> BTreeMap<u32, (f64, f64)> {
    let of = |percent: u32| Some((percent, interval(f64::from(percent) / 100.0)?));
    CONFIDENCES.into_iter().filter_map(of).collect()
}

/// Raises the smallest effect that counts to the noise floor, where that is higher.
pub fn raise(finding: &mut Finding, floor: f64, decides: &Decides, rules: Rules) {
    if floor > finding.threshold {
        finding.threshold = floor;
        let alpha = decides.alpha_strictest(finding.metric, rules.alpha);
        let needed = power::pairs_needed(&finding.effects(), floor, alpha, POWER);
        finding.pairs_needed = needed;
    }
}

/// Gives findings their adjusted p, and a verdict where they are of pairs.
pub fn judge(
    findings: &mut [Finding],
    adjust: fn(&[Option<f64>]) -> Vec<Option<f64>>,
    alpha: f64,
    paired: bool,
) {
    let raw: Vec<Option<f64>> = findings.iter().map(|finding| finding.p).collect();
    for (finding, p_adjusted) in findings.iter_mut().zip(adjust(&raw)) {
        finding.p_adjusted = p_adjusted;
        finding.verdict = if paired { verdict(finding, alpha) } else { None };
    }
}

/// The rule. A side is taken where the adjusted p is below alpha, the interval lies on that side
/// and the estimate is at least the threshold. Sameness is shown by two one-sided tests, which is
/// an interval of confidence `1 - 2 alpha` inside the threshold on both sides.
fn verdict(finding: &Finding, alpha: f64) -> Option<Verdict> {
    let estimate = finding.estimate?;
    let effects = finding.effects();
    let threshold = finding.threshold;
    let rejects = finding.p_adjusted.is_some_and(|p| p < alpha);
    let apart =
        walsh::interval(&effects, 1.0 - alpha).is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    if rejects && apart && estimate.abs() >= threshold {
        let worse = (estimate > 0.0) == finding.metric.more_is_worse();
        return Some(if worse { Verdict::Regression } else { Verdict::Improvement });
    }
    let same = walsh::interval(&effects, 1.0 - 2.0 * alpha)
        .is_some_and(|(low, high)| -threshold < low && high < threshold);
    Some(if same { Verdict::Equivalent } else { Verdict::Inconclusive })
}

impl Finding {
    /// Effects pair by pair, on the scale of the metric.
    #[must_use]
    pub fn effects(&self) -> Vec<f64> {
        let effect = |point: &Point| match self.scale {
            Scale::Ratio => (point.test / point.base).ln(),
            Scale::Difference => point.test - point.base,
        };
        self.points.iter().map(effect).collect()
    }

    /// Medians of base and test.
    #[must_use]
    pub fn medians(&self) -> Option<(f64, f64)> {
        let base = metric::median(self.points.iter().map(|point| point.base))?;
        let test = metric::median(self.points.iter().map(|point| point.test))?;
        Some((base, test))
    }
}
