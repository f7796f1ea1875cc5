//! The whole comparison: sets in, one finding per metric and one verdict per workload out.

use iowq_record::{Record, Role};

use super::boots::Unit;
use super::judge::{self, Rules};
use super::pairs::{self, Matched};
use super::set::Set;
use super::{Bar, Comparison, Comparisons, Control, Decides, Finding, Metric, Pairing, Verdict};
use super::{bars, hosts, limit, notes};
use crate::format;
use crate::stats::{adjust, power, trend};

/// Power at which the pairs that a control needs are told.
const POWER: f64 = 0.8;

/// Compares each test with the base on each workload.
#[must_use]
pub fn compare(sets: &[Set<'_>], rules: Rules) -> Comparisons {
    let runs = sets.iter().flat_map(|set| set.runs.iter().copied());
    compare_by(sets, &Decides::of_runs(runs), rules)
}

/// The same, by metrics that are chosen elsewhere.
#[must_use]
pub fn compare_by(sets: &[Set<'_>], decides: &Decides, rules: Rules) -> Comparisons {
    let mut all = Vec::new();
    if let [base, tests @ ..] = sets {
        for test in tests {
            let mut workloads = base.workloads();
            workloads.extend(test.workloads().iter().filter(|name| base.of(name).is_empty()));
            let one = |workload| one(base, test, workload, decides, rules);
            all.extend(workloads.into_iter().map(one));
        }
    }
    let decides = decides.why.clone();
    Comparisons { all, threshold: rules.threshold, alpha: rules.alpha, decides }
}

/// One test against the base on one workload.
fn one(
    base: &Set<'_>,
    test: &Set<'_>,
    workload: &str,
    decides: &Decides,
    rules: Rules,
) -> Comparison {
    let matched = pairs::of_sets(base, test, workload);
    let noise_arm = pairs::of_role(base, workload, Role::Noise);
    let control_arm = pairs::of_role(base, workload, Role::Control);
    let noise = noise_arm.as_ref().map_or_else(Vec::new, |arm| findings(arm, decides, rules));
    let mut primary: Vec<Finding> = find_all(&decides.primary, &matched, decides, rules);
    for (finding, noise) in primary.iter_mut().zip(&noise) {
        judge::raise(finding, noise.estimate.map_or(0.0, f64::abs), decides, rules);
    }
    judge::judge(&mut primary, adjust::holm, rules.alpha, matched.is_paired());
    let mut advisory = find_all(&decides.advisory, &matched, decides, rules);
    let adjust = adjust::benjamini_hochberg;
    judge::judge(&mut advisory, adjust, rules.alpha, matched.is_paired());

    let mut bars = of_sides(base, test, workload, &matched);
    bars.extend(of_extra_runs(base, workload));
    bars.extend(rejects(&noise, rules.alpha));
    bars.extend(nothing_to_judge(&primary, &bars));
    let control = control_arm.and_then(|arm| control(&arm, decides, rules));
    let mut notes = notes::notes(base, test, &matched, &primary, rules);
    notes.extend(blind(control));
    if !bars.is_empty() {
        primary.iter_mut().chain(&mut advisory).for_each(|finding| finding.verdict = None);
    }
    let names = [base.name.as_str(), &test.name];
    let faults: Vec<Bar> = limit::broken(names, &matched.base, &matched.test).into_iter().collect();
    let worst = primary.iter().filter_map(|finding| finding.verdict).max();
    let verdict = if faults.is_empty() { worst } else { Some(Verdict::Regression) };
    Comparison {
        workload: workload.to_owned(),
        base: base.name.clone(),
        test: test.name.clone(),
        pairing: matched.pairing,
        faults,
        bars,
        notes,
        primary,
        advisory,
        noise,
        control,
        verdict,
    }
}

fn find_all(
    metrics: &[Metric],
    matched: &Matched<'_>,
    decides: &Decides,
    rules: Rules,
) -> Vec<Finding> {
    metrics.iter().map(|metric| judge::find(*metric, matched, decides, rules)).collect()
}

/// The primary metrics of an arm that stands beside the comparison, judged by themselves.
fn findings(arm: &Matched<'_>, decides: &Decides, rules: Rules) -> Vec<Finding> {
    let mut findings = find_all(&decides.primary, arm, decides, rules);
    judge::judge(&mut findings, adjust::holm, rules.alpha, arm.is_paired());
    findings
}

/// What bars because of the runs of both sides, and of how they were made.
fn of_sides(base: &Set<'_>, test: &Set<'_>, workload: &str, matched: &Matched<'_>) -> Vec<Bar> {
    let (base_runs, test_runs) = (base.of(workload), test.of(workload));
    for (runs, set) in [(&base_runs, base), (&test_runs, test)] {
        if runs.is_empty() {
            let text = format!("{} has no run of {workload}.", set.name);
            return vec![bar("no-runs", text)];
        }
    }
    let both: Vec<&Record> = base_runs.iter().chain(&test_runs).copied().collect();
    let mut found = bars::of_runs(&both, "runs");
    found.extend(hosts::bars(&base_runs, &test_runs));
    if let Pairing::Unpaired { why, .. } = &matched.pairing {
        let text = format!(
            "No verdict, and what is shown is a description: {why}. Run both as arms of one \
             bench (`--policy A --policy B --pairs 10`)."
        );
        found.push(bar("not-interleaved", text));
    } else if trend::block_order(&positions(&matched.base), &positions(&matched.test)) {
        let text = "All or nearly all runs of one side were made before those of the other, so a \
                    drift of the machine would look like an effect. Run them in turns, as `bench` \
                    does.";
        found.push(bar("block-order", text.to_owned()));
    }
    found
}

/// The runs beside the comparison must have gone well too: the noise floor is taken from them.
fn of_extra_runs(base: &Set<'_>, workload: &str) -> Vec<Bar> {
    let records = base.loaded.records.iter().filter(|run| run.cell.workload == workload);
    let extra: Vec<&Record> = records.filter(|run| run.cell.role != Role::Measured).collect();
    bars::of_runs(&extra, "noise and control runs")
}

fn positions(units: &[Unit<'_>]) -> Vec<u32> {
    units.iter().map(Unit::position).collect()
}

/// The base differs from itself: then so may anything.
fn rejects(noise: &[Finding], alpha: f64) -> Option<Bar> {
    let rejected = noise.iter().filter(|finding| finding.p_adjusted.is_some_and(|p| p < alpha));
    let names: Vec<String> = rejected.map(|finding| finding.metric.title().to_owned()).collect();
    if names.is_empty() {
        return None;
    }
    let text = format!(
        "The base differs from itself in {}, so a difference means nothing here. Make the \
         machine quieter, or the runs longer.",
        format::list(&names)
    );
    Some(bar("noise-rejects", text))
}

fn nothing_to_judge(primary: &[Finding], bars: &[Bar]) -> Option<Bar> {
    let none = primary.iter().all(|finding| finding.estimate.is_none());
    let text = "No metric has a value in both runs of a pair.";
    (none && bars.is_empty()).then(|| bar("nothing-to-judge", text.to_owned()))
}

/// Whether the injected delay was found: one metric, named before, so nothing is adjusted.
fn control(arm: &Matched<'_>, decides: &Decides, rules: Rules) -> Option<Control> {
    let delayed = arm.test.iter().flat_map(|unit| &unit.runs);
    let delay_ns = delayed.filter_map(|run| run.settings.injected_delay_ns).next()?;
    let finding = judge::find(Metric::ResponseP50, arm, decides, rules);
    let (base_ns, _) = finding.medians()?;
    let injected = delay_ns as f64 / base_ns;
    let slower = finding.estimate.is_some_and(|estimate| estimate > 0.0);
    let found = slower && finding.p.is_some_and(|p| p < rules.alpha);
    let needed = || power::pairs_needed(&finding.effects(), injected.ln_1p(), rules.alpha, POWER);
    Some(Control { injected, found, pairs_needed: if found { None } else { needed() } })
}

fn blind(control: Option<Control>) -> Option<Bar> {
    let control = control.filter(|control| !control.found)?;
    let percent = format::number(control.injected * 100.0);
    let needed = control.pairs_needed.map_or_else(
        || "no number of pairs that can be run would show it".to_owned(),
        |pairs| format!("some {pairs} pairs would show it"),
    );
    let text = format!(
        "An injected delay of {percent} % of the median response time was not found: these runs \
         are blind to so little; {needed}."
    );
    Some(bar("blind", text))
}

/// A reason.
pub(super) fn bar(code: &str, text: String) -> Bar {
    Bar { code: code.to_owned(), text }
}

impl Comparisons {
    /// What a script learns: 0 no regression, 1 a regression, 3 no verdict on some comparison.
    /// A regression is worse than no verdict, and that is worse than none; 2 is for trouble.
    #[must_use]
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

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::load::Loaded;
    use crate::sample;

    const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

    fn set<'a>(loaded: &'a Loaded, policy: &str, file: usize) -> Set<'a> {
        let runs = loaded.records.iter().filter(|run| run.cell.policy == policy);
        let runs = runs.filter(|run| run.cell.role == Role::Measured).collect();
        Set { name: policy.to_owned(), file, loaded, runs }
    }

    fn between(records: Vec<Record>, base: &str, test: &str) -> Comparison {
        let loaded = Loaded { records, ..Loaded::default() };
        let mut found = compare(&[set(&loaded, base, 0), set(&loaded, test, 0)], RULES);
        found.all.remove(0)
    }

    fn after(change: impl Fn(&mut Record)) -> Comparison {
        between(sample::pairs(10, change), "6.12", "6.17")
    }

    fn verdict(comparison: &Comparison, metric: Metric) -> Option<Verdict> {
        comparison.primary.iter().find(|one| one.metric == metric).and_then(|one| one.verdict)
    }

    fn codes(bars: &[Bar]) -> Vec<&str> {
        bars.iter().map(|bar| bar.code.as_str()).collect()
    }

    fn slower(run: &mut Record, factor: f64) {
        let all = run.latency.response.get_mut("all").expect("it has one");
        all.p99_ns = (all.p99_ns as f64 * factor) as u64;
    }

    #[test]
    fn runs_that_are_alike_are_equivalent() {
        let same = after(|_| ());
        assert_eq!((same.verdict, codes(&same.bars)), (Some(Verdict::Equivalent), vec![]));
        assert_eq!(same.pairing, Pairing::Paired { pairs: 10, left_over: 0 });
    }

    #[test]
    fn a_change_that_is_sure_and_large_enough_takes_a_side() {
        let worse = after(|run| slower(run, 1.2));
        assert_eq!(verdict(&worse, Metric::ResponseP99), Some(Verdict::Regression));
        assert_eq!(verdict(&worse, Metric::OpsPerS), Some(Verdict::Equivalent));
        assert_eq!(worse.verdict, Some(Verdict::Regression));
        let better = after(|run| run.ops.per_s *= 1.2);
        assert_eq!(better.verdict, Some(Verdict::Improvement));
        let churn = after(|run| run.workers.created_per_1000_ops = Some(0.0));
        assert_eq!(verdict(&churn, Metric::CreatedPer1000), Some(Verdict::Improvement));
    }

    #[test]
    fn a_change_that_is_sure_and_small_is_equivalent_and_one_that_is_unsure_is_inconclusive() {
        let small = after(|run| run.ops.per_s *= 0.98);
        assert_eq!(small.verdict, Some(Verdict::Equivalent));
        let unsure = after(|run| {
            run.ops.per_s *= if run.cell.pair.is_multiple_of(2) { 1.3 } else { 0.8 };
        });
        assert_eq!(unsure.verdict, Some(Verdict::Inconclusive));
        let finding = &unsure.primary[0];
        assert!(finding.detectable.is_some_and(|effect| effect > 0.1), "{finding:?}");
        assert!(finding.pairs_needed.is_some_and(|pairs| pairs > 10), "{finding:?}");
    }

    #[test]
    fn advisory_metrics_decide_nothing() {
        let peak = after(|run| {
            run.workers.peak -= 5 * run.workers.peak / 6;
        });
        assert_eq!(peak.advisory[0].verdict, Some(Verdict::Improvement));
        assert_eq!(peak.verdict, Some(Verdict::Equivalent));
    }

    #[test]
    fn five_pairs_show_no_difference_and_say_so() {
        let few = between(sample::pairs(5, |run| slower(run, 2.0)), "6.12", "6.17");
        assert_eq!(verdict(&few, Metric::ResponseP99), Some(Verdict::Inconclusive));
        assert!(codes(&few.notes).contains(&"few-pairs"));
    }

    #[test]
    fn a_metric_that_nobody_has_is_missing_and_a_pair_that_lacks_it_is_lost() {
        let none = after(|run| run.ops.cpu_ns = None);
        let finding = &none.primary[4];
        assert_eq!(finding.metric, Metric::CpuPerOp);
        assert!(finding.missing.is_some() && finding.verdict.is_none() && finding.p.is_none());
        let one = after(|run| run.ops.cpu_ns = run.ops.cpu_ns.filter(|_| run.cell.pair > 0));
        assert_eq!(one.primary[4].points.len(), 9);
        assert!(codes(&one.notes).contains(&"pairs-lost"));
    }

    #[test]
    fn sets_of_two_files_are_described_and_not_judged() {
        let loaded =
            Loaded { records: sample::pairs(10, |run| slower(run, 1.2)), ..Loaded::default() };
        let sets = [set(&loaded, "6.12", 0), set(&loaded, "6.17", 1)];
        let found = compare(&sets, RULES);
        let one = &found.all[0];
        assert_eq!((codes(&one.bars), one.verdict), (vec!["not-interleaved"], None));
        let finding = &one.primary[2];
        assert!(finding.estimate.is_some_and(|estimate| estimate > 0.1));
        assert_eq!((finding.p, finding.verdict), (None, None));
        assert_eq!(found.exit_code(), 3);
    }

    #[test]
    fn runs_of_one_side_before_those_of_the_other_bar_a_verdict() {
        let mut records = sample::pairs(10, |_| ());
        for record in &mut records {
            record.cell.position += if record.cell.policy == "6.17" { 100 } else { 0 };
        }
        let one = between(records, "6.12", "6.17");
        assert_eq!((codes(&one.bars), one.verdict), (vec!["block-order"], None));
    }

    #[test]
    fn a_workload_that_one_side_lacks_is_no_verdict_and_not_silence() {
        let mut records = sample::pairs(10, |_| ());
        records.push(sample::run("nop", "6.17", 0));
        let loaded = Loaded { records, ..Loaded::default() };
        let found = compare(&[set(&loaded, "6.12", 0), set(&loaded, "6.17", 0)], RULES);
        assert_eq!(found.all.len(), 2);
        assert_eq!(codes(&found.all[1].bars), ["no-runs"]);
        assert_eq!(found.exit_code(), 3);
    }

    #[test]
    fn a_base_that_differs_from_itself_bars_a_verdict() {
        let alike = sample::with_role(sample::pairs(10, |_| ()), Role::Noise, |_| ());
        let one = between(alike, "6.12", "6.17");
        assert_eq!((one.noise.len(), one.verdict), (6, Some(Verdict::Equivalent)));
        let records = sample::pairs(10, |_| ());
        let unlike = sample::with_role(records, Role::Noise, |run| run.ops.per_s *= 1.1);
        let one = between(unlike, "6.12", "6.17");
        assert_eq!((codes(&one.bars), one.verdict), (vec!["noise-rejects"], None));
    }

    #[test]
    fn noise_raises_what_counts() {
        let records = sample::pairs(5, |_| ());
        let noisy = sample::with_role(records, Role::Noise, |run| run.ops.per_s *= 1.1);
        let one = between(noisy, "6.12", "6.17");
        assert!(one.bars.is_empty(), "five pairs cannot reject: {:?}", one.bars);
        assert!(one.primary[0].threshold > 1.08_f64.ln());
        assert!(codes(&one.notes).contains(&"noise-floor"));
    }

    #[test]
    fn an_injected_delay_that_is_not_found_is_a_note_of_blindness() {
        let with = |share: f64| {
            let control = move |run: &mut Record| {
                let all = run.latency.response.get_mut("all").expect("it has one");
                run.settings.injected_delay_ns = Some(all.p50_ns / 20);
                let noise = if run.cell.pair.is_multiple_of(2) { 1.3 } else { 0.8 };
                all.p50_ns = (all.p50_ns as f64 * (1.0 + share * noise)) as u64;
            };
            between(
                sample::with_role(sample::pairs(10, |_| ()), Role::Control, control),
                "6.12",
                "6.17",
            )
        };
        let found = with(0.05);
        let control = found.control.expect("there is one");
        assert!(control.found && (control.injected - 0.05).abs() < 0.01, "{control:?}");
        assert!(!codes(&found.notes).contains(&"blind"));
        assert!(codes(&with(0.0).notes).contains(&"blind"));
    }

    /// Thirteen rounds without histograms, made once: they are what takes its time.
    static ROUNDS: LazyLock<Vec<Record>> = LazyLock::new(|| {
        let mut records = sample::pairs(13, |_| ());
        records.iter_mut().for_each(|record| record.latency.drop_histograms());
        records
    });

    proptest! {
        #[test]
        fn swapping_base_and_test_turns_a_regression_into_an_improvement(
            factor in 0.7..1.4_f64,
            spread in 0.0..0.2_f64,
            rounds in 2..14_u32,
        ) {
            let mut records = ROUNDS.clone();
            records.retain(|run| run.cell.pair < rounds);
            for run in records.iter_mut().filter(|run| run.cell.policy == "6.17") {
                let sign = if run.cell.pair.is_multiple_of(3) { -1.0 } else { 1.0 };
                run.ops.per_s *= factor * (1.0 + sign * spread);
            }
            let there = between(records.clone(), "6.12", "6.17");
            let back = between(records, "6.17", "6.12");
            let swapped = match verdict(&there, Metric::OpsPerS) {
                Some(Verdict::Regression) => Some(Verdict::Improvement),
                Some(Verdict::Improvement) => Some(Verdict::Regression),
                other => other,
            };
            prop_assert_eq!(verdict(&back, Metric::OpsPerS), swapped);
        }
    }
}
