//! Tests of confirming: regressions and violations, reruns that show them, and that do not.
use iowq_contract::Code;
use iowq_sample as sample;

use super::*;
use crate::compare::test_sets;
use crate::compare::verdict::compare;
use crate::runs::metric::Metric;

const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

fn loaded(records: Vec<Record>) -> Loaded {
    Loaded { records, ..Loaded::default() }
}

fn slower(run: &mut Record) {
    let all = run.latency.response.get_mut("all").expect("it has one");
    all.p99_ns = all.p99_ns * 6 / 5;
}

fn worse(run: &mut Record) {
    slower(run);
    run.ops.per_s *= 0.8;
}

/// Runs as another bench would make them.
fn rerun(change: impl Fn(&mut Record)) -> Vec<Record> {
    let mut records = sample::pairs(10, change);
    for run in &mut records {
        run.key.seed = 2;
        "2026-11-21T03:00:00Z".clone_into(&mut run.started);
    }
    records
}

fn try_confirmed(first: Vec<Record>, rerun: Vec<Vec<Record>>) -> Result<Comparison, ConfirmError> {
    let first = loaded(first);
    let rerun: Vec<Loaded> = rerun.into_iter().map(loaded).collect();
    let sets = test_sets::sets(&first);
    let mut comparisons = compare(&sets, RULES);
    confirm(&mut comparisons, &sets, &rerun, &Decides::usual())?;
    Ok(comparisons.all.remove(0))
}

fn confirmed(first: Vec<Record>, rerun: Vec<Record>) -> Comparison {
    try_confirmed(first, vec![rerun]).expect("they are reruns")
}

#[test]
fn reruns_with_another_value_set_confirm_nothing() {
    let limited = |mut records: Vec<Record>, limits: [&str; 2]| {
        for run in &mut records {
            let limit = limits[usize::from(run.key.policy != "6.12")];
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
            run.settings_unset = Some(run.settings.clone());
        }
        records
    };
    let of = |limits| {
        let first = limited(sample::pairs(10, worse), ["4", "64"]);
        outcome(&confirmed(first, limited(rerun(worse), limits)))
    };
    assert_eq!(of(["4", "64"]), Some(ConfirmationOutcome::Confirmed));
    assert_eq!(of(["4", "32"]), Some(ConfirmationOutcome::Missing));
}

fn outcome(comparison: &Comparison) -> Option<ConfirmationOutcome> {
    comparison.confirmation.as_ref().map(|confirmation| confirmation.outcome)
}

fn verdict(comparison: &Comparison, metric: Metric) -> Option<Verdict> {
    comparison.primary.iter().find(|one| one.metric == metric).and_then(|one| one.verdict)
}

fn note(comparison: &Comparison, code: &Code) -> String {
    let note = comparison.notes.iter().find(|note| note.code == *code);
    note.unwrap_or_else(|| panic!("no {code} in {:?}", comparison.notes)).text.clone()
}

#[test]
fn a_regression_that_reruns_show_too_stays_one() {
    let one = confirmed(sample::pairs(10, slower), rerun(slower));
    assert_eq!(
        (outcome(&one), one.verdict),
        (Some(ConfirmationOutcome::Confirmed), Some(Verdict::Regression))
    );
    let text = note(&one, &Code::Confirmed);
    assert!(text.contains("10 pairs") && text.contains("a regression again"), "{text}");
}

#[test]
fn a_regression_that_reruns_do_not_show_is_inconclusive_and_says_so() {
    let one = confirmed(sample::pairs(10, slower), rerun(|_| ()));
    assert_eq!(outcome(&one), Some(ConfirmationOutcome::NotConfirmed));
    assert_eq!(verdict(&one, Metric::ResponseP99), Some(Verdict::Inconclusive));
    assert_eq!(one.verdict, Some(Verdict::Inconclusive));
    let text = note(&one, &Code::NotConfirmed);
    assert!(text.contains("response p99") && text.contains("equivalent"), "{text}");
    let confirmation = one.confirmation.expect("it was measured again");
    assert_eq!(confirmation.first[0].verdict, Some(Verdict::Regression));
    assert_eq!(confirmation.again[0].verdict, Some(Verdict::Equivalent));
}

#[test]
fn each_metric_is_confirmed_by_itself() {
    let one = confirmed(sample::pairs(10, worse), rerun(slower));
    assert_eq!(one.verdict, Some(Verdict::Regression));
    assert_eq!(verdict(&one, Metric::ResponseP99), Some(Verdict::Regression));
    assert_eq!(verdict(&one, Metric::OpsPerS), Some(Verdict::Inconclusive));
    let elsewhere = confirmed(sample::pairs(10, slower), rerun(|run| run.ops.per_s *= 0.8));
    assert_eq!(elsewhere.verdict, Some(Verdict::Inconclusive), "a new one was not asked for");
}

#[test]
fn reruns_are_judged_alone_and_never_pooled_with_the_first() {
    let mut few = rerun(slower);
    few.retain(|run| run.key.round < 3);
    let one = confirmed(sample::pairs(10, slower), few);
    assert_eq!(
        (outcome(&one), one.verdict),
        (Some(ConfirmationOutcome::NotConfirmed), Some(Verdict::Inconclusive))
    );
    let confirmation = one.confirmation.expect("it was measured again");
    assert_eq!(confirmation.again[0].points.len(), 3);
}

#[test]
fn reruns_that_are_barred_or_unlike_the_first_confirm_nothing() {
    let lost = rerun(|run| {
        slower(run);
        run.probe.events_lost = 1;
    });
    let mut elsewhere = rerun(slower);
    elsewhere.iter_mut().for_each(|run| "sda".clone_into(&mut run.host.device));
    let mut other_kernel = rerun(slower);
    other_kernel.iter_mut().for_each(|run| "6.99".clone_into(&mut run.host.kernel));
    let mut longer = rerun(slower);
    for run in &mut longer {
        run.asked.as_mut().expect("it says").seconds = Some(9.0);
    }
    let cases = [
        (lost, Code::EventsLost, "lost probe events"),
        (elsewhere, Code::UnlikeFirstRuns, "device: nvme0n1 and sda"),
        (other_kernel, Code::UnlikeFirstRuns, "kernel: 6.12.117 #1 SMP PREEMPT_DYNAMIC and 6.99"),
        (longer, Code::UnlikeFirstRuns, "length: the workload's own and 9 s"),
    ];
    for (rerun, code, why) in cases {
        let one = confirmed(sample::pairs(10, slower), rerun);
        assert_eq!(one.verdict, Some(Verdict::Inconclusive), "{code}");
        let text = note(&one, &Code::NotConfirmed);
        assert!(text.contains(code.name()) && text.contains(why), "{text}");
    }
}

fn unlimited(run: &mut Record) {
    run.workers.peak = Some(200);
}

#[test]
fn a_limit_that_reruns_break_too_stays_a_fault() {
    let one = confirmed(sample::pairs(10, unlimited), rerun(unlimited));
    assert_eq!(
        (outcome(&one), one.verdict),
        (Some(ConfirmationOutcome::Confirmed), Some(Verdict::Regression))
    );
    let text = note(&one, &Code::Confirmed);
    assert!(text.contains("limit-broken again: "), "{text}");
}

#[test]
fn a_limit_that_reruns_break_is_a_fault_though_something_bars_their_verdict() {
    let one = confirmed(
        sample::pairs(10, unlimited),
        rerun(|run| {
            unlimited(run);
            run.ops.failed = u64::from(run.key.round == 0);
        }),
    );
    assert_eq!(
        (outcome(&one), one.verdict),
        (Some(ConfirmationOutcome::Confirmed), Some(Verdict::Regression))
    );
    assert!(note(&one, &Code::Confirmed).contains("limit-broken again: "));
}

#[test]
fn a_limit_that_reruns_keep_to_is_a_note() {
    let one = confirmed(sample::pairs(10, unlimited), rerun(|_| ()));
    assert_eq!(
        (outcome(&one), one.verdict),
        (Some(ConfirmationOutcome::NotConfirmed), Some(Verdict::Inconclusive))
    );
    assert!(one.violations.is_empty() && one.has_unconfirmed(), "{one:?}");
    assert!(note(&one, &Code::LimitBroken).contains("under a limit of"));
    assert!(note(&one, &Code::NotConfirmed).contains("limit-broken not again"));
    let mut unlike = rerun(unlimited);
    unlike.iter_mut().for_each(|run| run.settings.patches.push("exit-on-idle".to_owned()));
    let one = confirmed(sample::pairs(10, unlimited), unlike);
    let text = note(&one, &Code::NotConfirmed);
    assert!(
        text.contains("patches: ") && text.contains("limit-broken not measured again"),
        "{text}"
    );
    let mut elsewhere = rerun(unlimited);
    elsewhere.iter_mut().for_each(|run| "nop".clone_into(&mut run.key.workload));
    let one = confirmed(sample::pairs(10, unlimited), elsewhere);
    assert_eq!((outcome(&one), one.verdict), (Some(ConfirmationOutcome::Missing), None));
}

#[test]
fn without_reruns_of_it_a_regression_is_no_verdict() {
    let mut elsewhere = rerun(slower);
    elsewhere.iter_mut().for_each(|run| "nop".clone_into(&mut run.key.workload));
    let one = confirmed(sample::pairs(10, slower), elsewhere);
    assert_eq!((outcome(&one), one.verdict), (Some(ConfirmationOutcome::Missing), None));
    assert_eq!(one.blockers[0].code, Code::NotMeasuredAgain);
}

#[test]
fn what_is_no_regression_is_left_as_it_is() {
    let one = confirmed(sample::pairs(10, |_| ()), rerun(worse));
    assert_eq!((outcome(&one), one.verdict), (None, Some(Verdict::Equivalent)));
    let barred = sample::pairs(10, |run| {
        slower(run);
        run.probe.events_lost = 1;
    });
    let one = confirmed(barred, rerun(slower));
    assert_eq!((outcome(&one), one.verdict), (None, None));
}

#[test]
fn the_same_runs_and_two_files_of_reruns_are_refused() {
    let first = || sample::pairs(10, slower);
    let with_first = [rerun(slower), first()].concat();
    for same in [first(), with_first] {
        let error = try_confirmed(first(), vec![same]).expect_err("they are no reruns");
        assert!(matches!(error, ConfirmError::Same { .. }), "{error}");
    }
    let error = try_confirmed(first(), vec![rerun(|_| ()), rerun(slower)]).expect_err("twice");
    assert!(matches!(error, ConfirmError::Twice { .. }), "{error}");
}

#[test]
fn another_build_of_the_reruns_is_a_note() {
    let mut rerun = rerun(slower);
    rerun.iter_mut().for_each(|run| "1111111".clone_into(&mut run.host.commit));
    let one = confirmed(sample::pairs(10, slower), rerun);
    assert_eq!(one.verdict, Some(Verdict::Regression));
    assert!(note(&one, &Code::BuildsDiffer).contains("0000000 and 1111111"));
}
