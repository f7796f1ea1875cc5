//! The whole comparison: sets in, one finding per metric and one verdict per workload out.

use iowq_contract::{Caveat, Code, Record};

use crate::compare::comparison::{Comparison, Comparisons, Pairing};
use crate::compare::decide::Decides;
use crate::compare::finding::{Finding, Verdict};
use crate::compare::judge::{Adjust, Rules};
use crate::compare::noise::Noise;
use crate::compare::pairs::Matched;
use crate::compare::set::Set;
use crate::compare::{blockers, control, differs, hosts, judge, limit, notes, pairs};
use crate::runs::metric::Metric;
use crate::runs::unit::Unit;
use crate::stats::trend;

/// Compares each test with the base on each workload.
pub fn compare(sets: &[Set<'_>], rules: Rules) -> Comparisons {
    let runs = sets.iter().flat_map(|set| set.runs.iter().copied());
    compare_by(sets, &Decides::of_runs(runs), rules)
}

/// The same, by metrics that are chosen elsewhere.
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
pub(crate) fn one(
    base: &Set<'_>,
    test: &Set<'_>,
    workload: &str,
    decides: &Decides,
    rules: Rules,
) -> Comparison {
    let matched = pairs::of_sets(base, test, workload);
    let noise = Noise::of(base, workload, decides, rules);
    let mut primary = find_all(&decides.primary, &matched, rules);
    noise.raise(&mut primary);
    judge::judge(&mut primary, Adjust::Holm, rules.alpha, matched.is_paired());
    let mut advisory = find_all(&decides.advisory, &matched, rules);
    judge::judge(&mut advisory, Adjust::BenjaminiHochberg, rules.alpha, matched.is_paired());

    let mut blockers = of_sides(base, test, workload, &matched);
    blockers.extend(of_extra_runs(base, workload));
    blockers.extend(noise.blockers);
    blockers.extend(nothing_to_judge(&primary, &blockers));
    let (control, of_control) = control::of(base, workload, rules);
    let mut notes = notes::notes(base, test, &matched, &primary, rules);
    notes.extend(noise.notes);
    notes.extend(of_control);
    if !blockers.is_empty() {
        primary.iter_mut().chain(&mut advisory).for_each(|finding| finding.verdict = None);
    }
    let names = [base.name.as_str(), &test.name];
    // Whatever has no partner tells of the limit, too.
    let mut of_base = pairs::units_of(base, workload);
    of_base.extend(pairs::units_beside(base, workload));
    let of_test = pairs::units_of(test, workload);
    let violations: Vec<Caveat> = limit::broken(names, &of_base, &of_test).into_iter().collect();
    let verdict = verdict(&violations, &primary);
    Comparison {
        workload: workload.to_owned(),
        base: base.name.clone(),
        test: test.name.clone(),
        differs: differs::between(&base.of(workload), &test.of(workload)),
        pairing: matched.pairing,
        violations,
        blockers,
        notes,
        primary,
        advisory,
        noise: noise.findings,
        control,
        confirmation: None,
        verdict,
    }
}

/// A violation is a regression whatever the metrics say; else the worst of them counts.
pub(crate) fn verdict(violations: &[Caveat], primary: &[Finding]) -> Option<Verdict> {
    let worst = primary.iter().filter_map(|finding| finding.verdict).max();
    if violations.is_empty() { worst } else { Some(Verdict::Regression) }
}

fn find_all(metrics: &[Metric], matched: &Matched<'_>, rules: Rules) -> Vec<Finding> {
    metrics.iter().map(|metric| judge::find(*metric, matched, rules)).collect()
}

/// What forbids a verdict because of the runs of both sides, and of how they were made.
fn of_sides(base: &Set<'_>, test: &Set<'_>, workload: &str, matched: &Matched<'_>) -> Vec<Caveat> {
    let (base_runs, test_runs) = (base.of(workload), test.of(workload));
    for (runs, set) in [(&base_runs, base), (&test_runs, test)] {
        if runs.is_empty() {
            let text = format!("{} has no run of {workload}.", set.name);
            return vec![Caveat::new(Code::NoRuns, text)];
        }
    }
    let both: Vec<&Record> = base_runs.iter().chain(&test_runs).copied().collect();
    let mut found = blockers::of_runs(&both, "runs");
    for (runs, set) in [(&base_runs, base), (&test_runs, test)] {
        found.extend(blockers::switches_missed(runs, &format!("the runs of {}", set.name)));
    }
    found.extend(hosts::blockers(&base_runs, &test_runs));
    if let Pairing::Unpaired { why, .. } = &matched.pairing {
        let text = format!(
            "No verdict, the figures are descriptive: {why}. Run both as variants of one bench \
             (`--policy A --policy B --pairs 10`)."
        );
        found.push(Caveat::new(Code::NotInterleaved, text));
    } else if trend::block_order(&positions(&matched.base), &positions(&matched.test)) {
        let text = "All or nearly all runs of one side were made before those of the other, so \
                    that a drift of the machine would look like an effect. Interleave them, as \
                    `bench` does.";
        found.push(Caveat::new(Code::BlockOrder, text.to_owned()));
    }
    found
}

/// The runs beside the comparison must have gone well too, and be like those of the base: the noise
/// floor is taken from them.
fn of_extra_runs(base: &Set<'_>, workload: &str) -> Vec<Caveat> {
    let extra = pairs::beside(base, workload);
    let mut found = blockers::of_runs(&extra, "noise and control runs");
    found.extend(blockers::switches_missed(&extra, "the noise and control runs"));
    found.extend(hosts::bars_beside(&base.of(workload), &extra));
    found
}

fn positions(units: &[Unit<'_>]) -> Vec<u32> {
    units.iter().map(Unit::position).collect()
}

fn nothing_to_judge(primary: &[Finding], blockers: &[Caveat]) -> Option<Caveat> {
    let none = primary.iter().all(|finding| finding.estimate.is_none());
    let text = "No metric has a value in both runs of a pair.";
    (none && blockers.is_empty()).then(|| Caveat::new(Code::NothingToJudge, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use iowq_contract::Role;
    use iowq_sample as sample;
    use proptest::prelude::*;

    use super::*;
    use crate::load::Loaded;

    const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

    fn set<'a>(loaded: &'a Loaded, policy: &str, file: usize) -> Set<'a> {
        let runs = loaded.records.iter().filter(|run| run.key.policy == policy);
        let runs = runs.filter(|run| run.key.role == Role::Measured).collect();
        Set::new(policy.to_owned(), file, loaded, runs)
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

    fn codes(caveats: &[Caveat]) -> Vec<Code> {
        caveats.iter().map(|one| one.code.clone()).collect()
    }

    fn slower(run: &mut Record, factor: f64) {
        let all = run.latency.response.get_mut("all").expect("it has one");
        all.p99_ns = (all.p99_ns as f64 * factor) as u64;
    }

    #[test]
    fn runs_that_are_alike_are_equivalent() {
        let same = after(|_| ());
        assert_eq!((same.verdict, codes(&same.blockers)), (Some(Verdict::Equivalent), vec![]));
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
            run.ops.per_s *= if run.key.round.is_multiple_of(2) { 1.3 } else { 0.8 };
        });
        assert_eq!(unsure.verdict, Some(Verdict::Inconclusive));
        let finding = &unsure.primary[0];
        assert!(finding.detectable.is_some_and(|effect| effect > 0.1), "{finding:?}");
        assert!(finding.pairs_needed.is_some_and(|pairs| pairs > 10), "{finding:?}");
    }

    #[test]
    fn advisory_metrics_decide_nothing() {
        let peak = after(|run| {
            run.workers.peak = run.workers.peak.map(|peak| peak - 5 * peak / 6);
        });
        let of = |metric| peak.advisory.iter().find(|one| one.metric == metric);
        let finding = of(Metric::Peak).expect("it is shown");
        assert_eq!(finding.verdict, Some(Verdict::Improvement));
        assert_eq!(peak.verdict, Some(Verdict::Equivalent));
    }

    #[test]
    fn births_per_second_are_shown_and_decide_nothing() {
        let more = after(|run| {
            run.ops.per_s *= 2.0;
            (run.ops.done, run.workers.born_measured) = (2 * run.ops.done, Some(9_000));
        });
        let born = more.advisory.iter().find(|one| one.metric == Metric::BornPerS);
        assert_eq!(born.and_then(|one| one.verdict), Some(Verdict::Regression));
        assert!(more.primary.iter().all(|one| one.metric != Metric::BornPerS));
        assert_eq!(more.verdict, Some(Verdict::Improvement));
    }

    #[test]
    fn five_pairs_show_no_difference_and_say_so() {
        let few = between(sample::pairs(5, |run| slower(run, 2.0)), "6.12", "6.17");
        assert_eq!(verdict(&few, Metric::ResponseP99), Some(Verdict::Inconclusive));
        assert!(codes(&few.notes).contains(&Code::FewPairs));
    }

    #[test]
    fn what_shows_a_difference_with_few_pairs_depends_on_how_many_metrics_have_a_value() {
        let of = |rounds| {
            let mut records = sample::pairs(rounds, |run| slower(run, 1.5));
            for run in &mut records {
                run.ops.cpu_ns = None;
                run.workers.created_per_1000_ops = None;
                run.latency.response.get_mut("all").expect("it has one").count = 99_999;
            }
            let one = between(records, "6.12", "6.17");
            (codes(&one.notes).contains(&Code::FewPairs), verdict(&one, Metric::ResponseP99))
        };
        // 3 metrics: 2 / 2^7 is below 0.05 / 3, and 2 / 2^6 is not.
        assert_eq!(of(6), (true, Some(Verdict::Inconclusive)));
        assert_eq!(of(7), (false, Some(Verdict::Regression)));
    }

    #[test]
    fn a_metric_that_nobody_has_is_missing_and_a_pair_that_lacks_it_is_lost() {
        let mut records = sample::pairs(10, |_| ());
        records.iter_mut().for_each(|run| run.ops.cpu_ns = None);
        let none = between(records, "6.12", "6.17");
        let finding = &none.primary[4];
        assert_eq!(finding.metric, Metric::CpuPerOp);
        assert!(finding.missing.is_some() && finding.verdict.is_none() && finding.p.is_none());
        let one = after(|run| run.ops.cpu_ns = run.ops.cpu_ns.filter(|_| run.key.round > 0));
        assert_eq!(one.primary[4].points.len(), 9);
        assert!(codes(&one.notes).contains(&Code::PairsLost));
    }

    #[test]
    fn sets_of_two_files_are_described_and_not_judged() {
        let loaded =
            Loaded { records: sample::pairs(10, |run| slower(run, 1.2)), ..Loaded::default() };
        let sets = [set(&loaded, "6.12", 0), set(&loaded, "6.17", 1)];
        let found = compare(&sets, RULES);
        let one = &found.all[0];
        assert_eq!((codes(&one.blockers), one.verdict), (vec![Code::NotInterleaved], None));
        let finding = &one.primary[2];
        assert!(finding.estimate.is_some_and(|estimate| estimate > 0.1));
        assert_eq!((finding.p, finding.verdict), (None, None));
        assert_eq!(found.exit_code(), 3);
    }

    #[test]
    fn runs_of_one_side_before_those_of_the_other_bar_a_verdict() {
        let mut records = sample::pairs(10, |_| ());
        records.sort_by_key(|run| (run.key.policy.clone(), run.key.round));
        (0..).zip(&mut records).for_each(|(place, run)| sample::at(run, place));
        let one = between(records, "6.12", "6.17");
        assert_eq!((codes(&one.blockers), one.verdict), (vec![Code::BlockOrder], None));
    }

    #[test]
    fn a_workload_that_one_side_lacks_is_no_verdict_and_not_silence() {
        let mut records = sample::pairs(10, |_| ());
        records.push(sample::run("nop", "6.17", 0));
        let loaded = Loaded { records, ..Loaded::default() };
        let found = compare(&[set(&loaded, "6.12", 0), set(&loaded, "6.17", 0)], RULES);
        assert_eq!(found.all.len(), 2);
        assert_eq!(codes(&found.all[1].blockers), [Code::NoRuns]);
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
        assert_eq!((codes(&one.blockers), one.verdict), (vec![Code::NoiseRejects], None));
    }

    /// Noise of some 10 % that ten pairs do not show to lie on one side.
    fn noisy(run: &mut Record) {
        run.ops.per_s *= if run.key.round.is_multiple_of(3) { 0.97 } else { 1.22 };
    }

    #[test]
    fn noise_makes_it_harder_to_take_a_side_and_no_easier_to_be_the_same() {
        let with = |factor: f64| {
            let records = sample::pairs(10, |run| run.ops.per_s *= factor);
            between(sample::with_role(records, Role::Noise, noisy), "6.12", "6.17")
        };
        let small = with(1.07);
        assert!(small.blockers.is_empty(), "{:?}", small.blockers);
        let finding = &small.primary[0];
        assert!(finding.noise_floor.is_some_and(|floor| floor > 1.075_f64.ln()), "{finding:?}");
        assert_eq!(finding.threshold, 0.05_f64.ln_1p());
        assert_eq!(finding.verdict, Some(Verdict::Inconclusive), "neither a side nor the same");
        assert!(codes(&small.notes).contains(&Code::NoiseFloor));
        assert_eq!(with(1.3).primary[0].verdict, Some(Verdict::Improvement));
        assert_eq!(with(1.0).primary[0].verdict, Some(Verdict::Equivalent));
    }

    #[test]
    fn a_noise_arm_of_one_pair_gives_no_floor_and_says_so() {
        let records = sample::pairs(10, |run| slower(run, 1.3));
        let mut records = sample::with_role(records, Role::Noise, |run| slower(run, 1.5));
        records.retain(|run| run.key.role == Role::Measured || run.key.round == 0);
        let one = between(records, "6.12", "6.17");
        assert_eq!(verdict(&one, Metric::ResponseP99), Some(Verdict::Regression));
        assert!(one.primary.iter().all(|finding| finding.noise_floor.is_none()));
        assert!(codes(&one.notes).contains(&Code::FewNoisePairs), "{:?}", one.notes);
    }

    #[test]
    fn a_noise_arm_of_another_policy_than_the_base_is_not_taken_for_the_base() {
        let unlike = |run: &mut Record| run.ops.per_s *= 1.5;
        let mut records = sample::pairs(10, |_| ());
        records = sample::with_role(records, Role::Noise, unlike);
        records = sample::with_role(records, Role::Control, |run| {
            run.settings.injected_delay_ns = Some(20_000);
        });
        let one = between(records, "6.17", "6.12");
        assert_eq!((one.verdict, codes(&one.blockers)), (Some(Verdict::Equivalent), vec![]));
        assert!(one.noise.is_empty() && one.control.is_none());
        let note = one.notes.iter().find(|note| note.code == Code::NoiseOfAnother);
        assert!(note.is_some_and(|note| note.text.contains("are of 6.12, which is not the base")));
        assert!(codes(&one.notes).contains(&Code::ControlOfAnother));
    }

    #[test]
    fn a_noise_arm_without_partners_bars_and_so_does_one_of_another_machine() {
        let with = |change: fn(&mut Record)| {
            let records = sample::with_role(sample::pairs(10, |_| ()), Role::Noise, change);
            between(records, "6.12", "6.17")
        };
        assert_eq!(codes(&with(|run| run.key.seed += 1000).blockers), [Code::NoiseUnpaired]);
        assert_eq!(
            codes(&with(|run| run.host.device = "sda".to_owned()).blockers),
            [Code::HostsDiffer]
        );
        assert_eq!(codes(&with(|run| run.settings.depth = 1).blockers), [Code::SettingsDiffer]);
        assert_eq!(
            codes(&with(|run| run.host.kernel = "9.9".to_owned()).blockers),
            [Code::HostsDiffer]
        );
    }

    #[test]
    fn two_benches_in_one_file_are_no_pairs_even_with_the_same_rounds_and_seeds() {
        let mut records = sample::pairs(10, |run| slower(run, 1.2));
        records.sort_by_key(|run| (run.key.policy.clone(), run.key.round));
        for (place, run) in (0..).zip(&mut records) {
            sample::at(run, place);
            run.key.position %= 10;
        }
        let one = between(records, "6.12", "6.17");
        assert_eq!((codes(&one.blockers), one.verdict), (vec![Code::NotInterleaved], None));
        assert!(one.blockers[0].text.contains("position 0 occurs twice"), "{:?}", one.blockers);
    }

    #[test]
    fn a_run_that_did_nothing_bars() {
        let idle = after(|run| {
            if run.key.round == 3 {
                (run.ops.done, run.ops.per_s) = (0, 0.0);
            }
        });
        assert_eq!((codes(&idle.blockers), idle.verdict), (vec![Code::NothingDone], None));
    }

    #[test]
    fn a_value_that_only_one_side_lacks_keeps_the_whole_from_being_equivalent() {
        let none = after(|run| run.ops.cpu_ns = None);
        assert_eq!(none.verdict, Some(Verdict::Inconclusive));
        let mut records = sample::pairs(10, |_| ());
        records.iter_mut().for_each(|run| run.ops.cpu_ns = None);
        assert_eq!(between(records, "6.12", "6.17").verdict, Some(Verdict::Equivalent));
    }

    #[test]
    fn an_injected_delay_that_is_not_found_is_a_note_of_blindness() {
        let with = |share: f64| {
            let control = move |run: &mut Record| {
                let all = run.latency.response.get_mut("all").expect("it has one");
                run.settings.injected_delay_ns = Some(all.p50_ns / 20);
                let noise = if run.key.round.is_multiple_of(2) { 1.3 } else { 0.8 };
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
        assert!(!codes(&found.notes).contains(&Code::Blind));
        assert!(codes(&with(0.0).notes).contains(&Code::Blind));
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
            records.retain(|run| run.key.round < rounds);
            for run in records.iter_mut().filter(|run| run.key.policy == "6.17") {
                let sign = if run.key.round.is_multiple_of(3) { -1.0 } else { 1.0 };
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
