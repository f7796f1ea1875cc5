//! Judging: from the values of runs to an effect, how sure it is, and one of four verdicts.

use std::collections::BTreeMap;

use iowq_contract::Record;

use crate::compare::finding::{Finding, Lone, OneSided, Point, Verdict};
use crate::compare::pairs::Matched;
use crate::compare::{missing_values, plan};
use crate::runs::metric::{Metric, Scale};
use crate::runs::unit::Unit;
use crate::stats::{adjust, power, rank_sum, signed_rank, walsh};

/// Confidence of the intervals that are shown, in percent.
const CONFIDENCES: [u32; 2] = [90, 95];

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Smallest effect that matters, as a share, such as 0.05.
    pub threshold: f64,
    /// Error rate after adjustment.
    pub alpha: f64,
}

/// How the p of several metrics are adjusted for each other. The family is one everywhere: the
/// metrics that have an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjust {
    /// For metrics that decide.
    Holm,
    /// For those that do not.
    BenjaminiHochberg,
}

impl Adjust {
    fn p(self, raw: &[Option<f64>]) -> Vec<Option<f64>> {
        match self {
            Self::Holm => adjust::holm(raw),
            Self::BenjaminiHochberg => adjust::benjamini_hochberg(raw),
        }
    }

    /// What the smallest p of a family is held to.
    fn alpha_strictest(self, family: usize, alpha: f64) -> f64 {
        match self {
            Self::Holm => alpha / family.max(1) as f64,
            Self::BenjaminiHochberg => alpha,
        }
    }
}

/// How many metrics are tested at once.
pub fn family(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.estimate.is_some()).count()
}

/// Fewest pairs with which Holm lets any of the metrics show a difference.
pub fn pairs_min(findings: &[Finding], alpha: f64) -> Option<u32> {
    power::pairs_min(Adjust::Holm.alpha_strictest(family(findings), alpha))
}

/// What the runs say on a metric, before anything is adjusted or judged. A run without a value
/// takes its partner with it.
pub fn find(metric: Metric, matched: &Matched<'_>, rules: Rules) -> Finding {
    let mut finding = Finding {
        metric,
        scale: metric.scale(),
        estimate: None,
        intervals: BTreeMap::new(),
        p: None,
        p_adjusted: None,
        threshold: 0.0,
        noise_floor: None,
        detectable: None,
        pairs_needed: None,
        verdict: None,
        missing: None,
        one_sided: None,
        points: Vec::new(),
        alone: [Vec::new(), Vec::new()],
    };
    let why = if matched.is_paired() {
        let why = pairs_of(&mut finding, matched);
        let effects = finding.effects();
        finding.estimate = walsh::hodges_lehmann(&effects);
        finding.intervals = intervals(|confidence| walsh::interval(&effects, confidence));
        finding.p = signed_rank::p_two_sided(&effects);
        why
    } else {
        // A description of two heaps of runs: no p, for what parts them need not be the policy.
        let (base, why_base) = alone(metric, &matched.base);
        let (test, why_test) = alone(metric, &matched.test);
        finding.alone = [base, test];
        let [base, test] = finding.alone.each_ref().map(|side| scaled(metric, side));
        finding.estimate = rank_sum::shift(&base, &test);
        finding.intervals = intervals(|confidence| rank_sum::interval(&base, &test, confidence));
        why_base.or(why_test)
    };
    if finding.estimate.is_none() {
        let why = why.unwrap_or_else(|| "there is no run".to_owned());
        finding.missing = Some(why);
    }
    let base_median = finding.medians().map(|(base, _)| base);
    finding.threshold = metric.threshold(rules.threshold, base_median);
    finding
}

/// Takes over the values of pairs, with what is one-sided if one side alone lacks some. Says why the
/// first is missing.
fn pairs_of(finding: &mut Finding, matched: &Matched<'_>) -> Option<String> {
    let metric = finding.metric;
    let (mut lacking, mut pairs, mut reason) = ([0, 0], 0, None);
    for (base, test) in matched.base.iter().zip(&matched.test) {
        pairs += 1;
        match (base.value(metric), test.value(metric)) {
            (Ok(base_value), Ok(test_value)) => finding.points.push(Point {
                round: base.round().0,
                base_position: base.position(),
                test_position: test.position(),
                base: base_value,
                test: test_value,
            }),
            (Err(why), other) => {
                lacking[0] += u32::from(other.is_ok());
                reason.get_or_insert(why);
            }
            (Ok(_), Err(why)) => {
                lacking[1] += 1;
                reason.get_or_insert(why);
            }
        }
    }
    let why = reason.as_deref().unwrap_or_default();
    finding.one_sided =
        missing_values::latency(metric, &runs_of(&matched.base), &runs_of(&matched.test))
            .or_else(|| missing_values::one_sided(lacking, pairs, why));
    reason
}

fn runs_of<'a>(units: &[Unit<'a>]) -> Vec<&'a Record> {
    units.iter().flat_map(|unit| &unit.runs).copied().collect()
}

/// The values of units that have no partners, and why the first is missing.
fn alone(metric: Metric, units: &[Unit<'_>]) -> (Vec<Lone>, Option<String>) {
    let (mut values, mut reason) = (Vec::new(), None);
    for unit in units {
        match unit.value(metric) {
            Ok(value) => values.push(Lone { position: unit.position(), value }),
            Err(why) => _ = reason.get_or_insert(why),
        }
    }
    (values, reason)
}

/// Values on a scale on which a shift between them is an effect.
fn scaled(metric: Metric, side: &[Lone]) -> Vec<f64> {
    let values = side.iter().map(|one| one.value);
    match metric.scale() {
        Scale::Ratio => values.map(f64::ln).collect(),
        Scale::Difference => values.collect(),
    }
}

fn intervals(interval: impl Fn(f64) -> Option<(f64, f64)>) -> BTreeMap<u32, (f64, f64)> {
    let of = |percent: u32| Some((percent, interval(f64::from(percent) / 100.0)?));
    CONFIDENCES.into_iter().filter_map(of).collect()
}

/// Gives findings their adjusted p, and a plan and a verdict if they are of pairs.
pub fn judge(findings: &mut [Finding], adjust: Adjust, alpha: f64, paired: bool) {
    let raw: Vec<Option<f64>> = findings.iter().map(|finding| finding.p).collect();
    let strictest = adjust.alpha_strictest(family(findings), alpha);
    for (finding, p_adjusted) in findings.iter_mut().zip(adjust.p(&raw)) {
        finding.p_adjusted = p_adjusted;
        if paired {
            finding.detectable = plan::detectable(finding, strictest);
            finding.pairs_needed = plan::pairs_needed(finding, strictest, alpha);
            finding.verdict = restrained(finding.one_sided.as_ref(), verdict(finding, alpha));
        }
    }
}

/// The rule. A side is taken where the adjusted p is below alpha, the interval lies on that side
/// and the estimate is at least the threshold, and the noise floor. Sameness is shown by two
/// one-sided tests, which is an interval of confidence `1 - 2 alpha` inside the threshold on both
/// sides; noise makes that harder by itself, and never easier.
fn verdict(finding: &Finding, alpha: f64) -> Option<Verdict> {
    let estimate = finding.estimate?;
    let effects = finding.effects();
    let threshold = finding.threshold;
    let apart =
        walsh::interval(&effects, 1.0 - alpha).is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    if finding.rejects(alpha) && apart && estimate.abs() >= finding.side_threshold() {
        let worse = (estimate > 0.0) == finding.metric.more_is_worse();
        return Some(if worse { Verdict::Regression } else { Verdict::Improvement });
    }
    let same = walsh::interval(&effects, 1.0 - 2.0 * alpha)
        .is_some_and(|(low, high)| -threshold < low && high < threshold);
    Some(if same { Verdict::Equivalent } else { Verdict::Inconclusive })
}

/// What is left of a verdict.
fn restrained(one_sided: Option<&OneSided>, verdict: Option<Verdict>) -> Option<Verdict> {
    match (one_sided, verdict) {
        (None, _) => verdict,
        (Some(one_sided), Some(Verdict::Regression)) if !one_sided.of_regression => verdict,
        (Some(_), _) => Some(Verdict::Inconclusive),
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::{Caveat, Code};
    use iowq_sample as sample;

    use super::*;
    use crate::compare::comparison::Pairing;
    use crate::runs::unit::units;

    const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

    fn paired(records: &[Record]) -> Matched<'_> {
        let of = |policy: &str| -> Vec<&Record> {
            records.iter().filter(|run| run.key.policy == policy).collect()
        };
        let (base, test) = (units(&of("6.12")), units(&of("6.17")));
        let pairs = u32::try_from(base.len()).expect("they are few");
        Matched { base, test, pairing: Pairing::Paired { pairs, left_over: 0 } }
    }

    fn judged(records: &[Record], metric: Metric) -> Finding {
        let mut finding = [find(metric, &paired(records), RULES)];
        judge(&mut finding, Adjust::Holm, RULES.alpha, true);
        let [finding] = finding;
        finding
    }

    #[test]
    fn values_at_the_ends_of_what_numbers_can_be_have_an_effect_or_a_reason() {
        let mut records = sample::pairs(8, |run| run.ops.per_s = 1e308);
        for run in records.iter_mut().filter(|run| run.key.policy == "6.12") {
            run.ops.per_s = 1e-300;
        }
        let finding = judged(&records, Metric::OpsPerS);
        assert!(finding.estimate.is_some_and(|effect| (effect - 1400.0).abs() < 5.0));
        assert_eq!(finding.verdict, Some(Verdict::Improvement));
        let none = Matched { base: vec![], test: vec![], ..paired(&records) };
        assert!(find(Metric::OpsPerS, &none, RULES).missing.is_some());
    }

    #[test]
    fn effects_that_are_all_zero_are_a_test_that_shows_nothing() {
        let mut records = sample::pairs(8, |_| ());
        records.iter_mut().for_each(|run| run.workers.created_per_1000_ops = Some(0.0));
        let finding = judged(&records, Metric::CreatedPer1000);
        assert_eq!((finding.p, finding.verdict), (Some(1.0), Some(Verdict::Equivalent)));
        assert_eq!((finding.detectable, finding.pairs_needed), (None, None), "nothing scatters");
    }

    #[test]
    fn what_is_missing_on_one_side_alone_is_never_the_same_or_better_and_may_be_worse() {
        let few = |run: &mut Record, pair: u32| {
            let all = run.latency.response.get_mut("all").expect("it has one");
            all.count = if run.key.round < pair { 99_500 } else { 100_000 };
        };
        let of = |change: &dyn Fn(&mut Record)| {
            let mut records = sample::pairs(10, change);
            for run in records.iter_mut().filter(|run| run.key.policy == "6.12") {
                few(run, 0);
            }
            judged(&records, Metric::ResponseP999)
        };
        let finding = of(&|run| few(run, 2));
        assert_eq!(finding.verdict, Some(Verdict::Inconclusive));
        let one_sided = finding.one_sided.expect("it says why").text;
        assert!(
            one_sided.starts_with("the test alone lacks it in 2 of 10 pairs (it needs"),
            "{one_sided}"
        );
        assert_eq!(of(&|run| few(run, 0)).verdict, Some(Verdict::Equivalent));
        assert_eq!(of(&|run| few(run, 99)).verdict, Some(Verdict::Inconclusive), "in all");
        let slower = of(&|run| {
            few(run, 2);
            let all = run.latency.response.get_mut("all").expect("it has one");
            (all.p999_ns, all.max_ns) = (all.p999_ns * 2, all.max_ns * 2);
        });
        assert_eq!(slower.verdict, Some(Verdict::Regression));
    }

    #[test]
    fn latencies_by_another_clock_on_one_side_say_nothing_either_way() {
        let caveat = |run: &mut Record| {
            run.caveats.push(Caveat::new(Code::TimedAtReaping, "later"));
            let all = run.latency.response.get_mut("all").expect("it has one");
            all.p50_ns *= 2;
            run.ops.per_s /= 2.0;
        };
        let mut records = sample::pairs(10, caveat);
        let of = |records: &[Record], metric| judged(records, metric).verdict;
        assert_eq!(of(&records, Metric::ResponseP50), Some(Verdict::Inconclusive));
        assert_eq!(of(&records, Metric::OpsPerS), Some(Verdict::Regression), "no latency");
        for run in records.iter_mut().filter(|run| run.key.policy == "6.12") {
            caveat(run);
        }
        assert_eq!(judged(&records, Metric::ResponseP50).one_sided, None, "both sides");
    }

    #[test]
    fn without_pairs_the_medians_are_those_of_all_runs_of_a_side() {
        let mut records = sample::pairs(10, |_| ());
        records.retain(|run| run.key.policy == "6.12" || run.key.round < 3);
        for run in records.iter_mut().filter(|run| run.key.policy == "6.12") {
            run.ops.per_s = 1000.0 * f64::from(run.key.round + 1);
        }
        let pairing = Pairing::Unpaired { base_runs: 10, test_runs: 3, why: String::new() };
        let finding = find(Metric::OpsPerS, &Matched { pairing, ..paired(&records) }, RULES);
        assert_eq!(finding.alone.each_ref().map(Vec::len), [10, 3]);
        assert_eq!(finding.medians().map(|medians| medians.0), Some(5500.0));
        assert!(finding.points.is_empty());
    }
}
