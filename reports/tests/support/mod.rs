//! Made-up comparisons of the made-up bench: for pages to look at, with no statistics behind them.

use std::collections::BTreeMap;

use iowq_contract::{Caveat, Code, Record, Role};
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{
    Comparison, Comparisons, Control, Decides, Finding, Metric, Pairing, Point, Scale, Verdict,
};
use iowq_reports::load::Loaded;
use iowq_reports::runs::metric::{ADVISORY, PRIMARY};

/// Policies that are compared.
const BASE: &str = "6.12";
const TEST: &str = "6.17";

/// Compares two policies of a bench on each workload. The first has all that a comparison can
/// have, the second is barred.
#[must_use]
pub fn comparisons(records: &[Record]) -> Comparisons {
    let full = comparison(records, "fsync-mix");
    let mut barred = comparison(records, "dsync");
    barred.verdict = None;
    barred.control = None;
    barred.noise.clear();
    let lost = "The probe lost 12 events in run 7: workers created may be too few. Repeat the run \
                with --probe-buffer twice as large.";
    barred.blockers.push(Caveat::new(Code::EventsLost, lost));
    let decides = Decides::usual().why;
    Comparisons { all: vec![full, barred], threshold: 0.05, alpha: 0.05, decides }
}

/// The sets of those comparisons: the base first.
#[must_use]
pub fn sets(loaded: &Loaded) -> Vec<Set<'_>> {
    let set = |policy: &str| {
        let measured = loaded.records.iter().filter(|run| run.key.role == Role::Measured);
        let runs = measured.filter(|run| run.key.policy == policy).collect();
        Set::new(policy.to_owned(), 0, loaded, runs)
    };
    [BASE, TEST].map(set).into()
}

fn comparison(records: &[Record], workload: &str) -> Comparison {
    let runs = |policy: &str| -> Vec<&Record> {
        let all = records.iter().filter(|run| run.key.workload == workload);
        all.filter(|run| run.key.policy == policy).collect()
    };
    let (base, test) = (runs(BASE), runs(TEST));
    let pairs = u32::try_from(base.len().min(test.len())).unwrap_or(u32::MAX);
    let of = |metric| finding(metric, &base, &test);
    let primary: Vec<Finding> = PRIMARY.into_iter().map(of).collect();
    let slope = "Response p99 rises with the order of runs in base and test alike: the machine \
                 drifted, and pairs keep most of that out of the estimate.";
    Comparison {
        workload: workload.to_owned(),
        base: BASE.to_owned(),
        test: TEST.to_owned(),
        differs: Vec::new(),
        pairing: Pairing::Paired { pairs, left_over: 1 },
        violations: Vec::new(),
        blockers: Vec::new(),
        notes: vec![Caveat::new(Code::Drift, slope)],
        noise: primary.iter().map(noise).collect(),
        verdict: primary.iter().filter_map(|finding| finding.verdict).max(),
        primary,
        advisory: ADVISORY.map(of).into(),
        control: Some(Control { injected: 0.05, found: false, pairs_needed: Some(24) }),
        confirmation: None,
    }
}

fn finding(metric: Metric, base: &[&Record], test: &[&Record]) -> Finding {
    let points = base.iter().zip(test).filter_map(|(base, test)| {
        Some(Point {
            round: base.key.round,
            base_position: base.key.position,
            test_position: test.key.position,
            base: metric.of(base).ok()?,
            test: metric.of(test).ok()?,
        })
    });
    judged(metric, metric.scale(), metric.threshold(0.05, None), points.collect())
}

/// With the middle of the effects for an estimate, and for an interval all but the outermost.
fn judged(metric: Metric, scale: Scale, threshold: f64, points: Vec<Point>) -> Finding {
    let mut finding = Finding {
        metric,
        scale,
        estimate: None,
        intervals: BTreeMap::new(),
        p: None,
        p_adjusted: None,
        threshold,
        detectable: None,
        noise_floor: None,
        pairs_needed: None,
        verdict: None,
        missing: None,
        one_sided: None,
        points,
        alone: [Vec::new(), Vec::new()],
    };
    let mut effects = finding.effects();
    effects.sort_by(f64::total_cmp);
    if effects.len() < 3 {
        finding.missing = Some("too few runs have a value".to_owned());
        return finding;
    }
    let ends = (effects[1], effects[effects.len() - 2]);
    let estimate = effects[effects.len() / 2];
    finding.estimate = Some(estimate);
    finding.intervals = BTreeMap::from([(90, ends), (95, ends)]);
    let sure = ends.0 > 0.0 || ends.1 < 0.0;
    finding.p = Some(if sure { 0.002 } else { 0.34 });
    finding.p_adjusted = Some(if sure { 0.012 } else { 1.0 });
    finding.detectable = Some(threshold * 1.6);
    finding.pairs_needed = Some(26);
    let better = (estimate > 0.0) == (metric == Metric::OpsPerS);
    finding.verdict = Some(match (sure && estimate.abs() >= threshold, better) {
        (true, true) => Verdict::Improvement,
        (true, false) => Verdict::Regression,
        _ if ends.0 > -threshold && ends.1 < threshold => Verdict::Equivalent,
        _ => Verdict::Inconclusive,
    });
    finding
}

/// The base against itself: the same values once more, a little off.
fn noise(finding: &Finding) -> Finding {
    let points = finding.points.iter().zip([1.01, 0.98, 1.02, 0.99, 1.0].into_iter().cycle());
    let points = points.map(|(point, off)| {
        let test = point.base * off;
        Point { test, test_position: point.test_position + 1, ..*point }
    });
    judged(finding.metric, finding.scale, finding.threshold, points.collect())
}
