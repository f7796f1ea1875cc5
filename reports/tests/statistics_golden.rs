//! Golden vectors: the statistics give what scipy gives; `golden/make.py` made them and says how.

use std::collections::BTreeMap;

use iowq_reports::stats::fisher::{self, Share};
use iowq_reports::stats::{adjust, power, rank_sum, signed_rank, trend, walsh};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    signed_rank: Vec<SignedRank>,
    walsh: Vec<Walsh>,
    shift: Vec<Shift>,
    adjusted: Vec<Adjusted>,
    drift: Vec<Drift>,
    power: Vec<Power>,
    shares: Vec<Shares>,
}

#[derive(Deserialize)]
struct SignedRank {
    effects: Vec<f64>,
    two_sided: f64,
}

#[derive(Deserialize)]
struct Walsh {
    effects: Vec<f64>,
    estimate: f64,
    intervals: BTreeMap<u32, (f64, f64)>,
}

#[derive(Deserialize)]
struct Shift {
    base: Vec<f64>,
    test: Vec<f64>,
    estimate: f64,
    intervals: BTreeMap<u32, (f64, f64)>,
}

#[derive(Deserialize)]
struct Adjusted {
    p: Vec<f64>,
    holm: Vec<f64>,
    benjamini_hochberg: Vec<f64>,
}

#[derive(Deserialize)]
struct Drift {
    values: Vec<f64>,
    p: f64,
}

#[derive(Deserialize)]
struct Power {
    effects: Vec<f64>,
    effect: f64,
    alpha: f64,
    power: f64,
    detectable: f64,
    pairs: u32,
}

#[derive(Deserialize)]
struct Shares {
    base: (u32, u32),
    test: (u32, u32),
    p: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/statistics.json")).expect("the vectors are JSON")
}

/// Equal to nine digits; both sides round in their own order.
#[track_caller]
fn same(found: Option<f64>, expected: f64) {
    let near = found.is_some_and(|found| (found - expected).abs() <= 1e-9 * expected.abs() + 1e-15);
    assert!(near, "{found:?} is not {expected}");
}

#[track_caller]
fn same_interval(found: Option<(f64, f64)>, expected: (f64, f64)) {
    same(found.map(|found| found.0), expected.0);
    same(found.map(|found| found.1), expected.1);
}

#[test]
fn signed_ranks_are_those_of_scipy() {
    for case in golden().signed_rank {
        same(signed_rank::p_two_sided(&case.effects), case.two_sided);
    }
}

#[test]
fn walsh_averages_give_the_shifts_that_scipy_does_not_reject() {
    for case in golden().walsh {
        same(walsh::hodges_lehmann(&case.effects), case.estimate);
        for (percent, interval) in case.intervals {
            same_interval(walsh::interval(&case.effects, f64::from(percent) / 100.0), interval);
        }
    }
}

#[test]
fn differences_give_the_shifts_that_scipy_does_not_reject() {
    for case in golden().shift {
        same(rank_sum::shift(&case.base, &case.test), case.estimate);
        for (percent, interval) in case.intervals {
            let confidence = f64::from(percent) / 100.0;
            same_interval(rank_sum::interval(&case.base, &case.test, confidence), interval);
        }
    }
}

#[test]
fn adjusted_p_are_those_of_scipy() {
    for case in golden().adjusted {
        let p: Vec<_> = case.p.iter().copied().map(Some).collect();
        let expected = case.holm.iter().zip(&case.benjamini_hochberg);
        let found = adjust::holm(&p).into_iter().zip(adjust::benjamini_hochberg(&p));
        for ((holm, benjamini_hochberg), expected) in found.zip(expected) {
            same(holm, *expected.0);
            same(benjamini_hochberg, *expected.1);
        }
    }
}

#[test]
fn drift_is_that_of_scipy() {
    for case in golden().drift {
        same(trend::drift_p(&case.values), case.p);
    }
}

#[test]
fn sizes_are_those_of_the_formula() {
    for case in golden().power {
        let Power { effects, effect, alpha, power, detectable, pairs } = case;
        same(power::detectable(&effects, alpha, power), detectable);
        assert_eq!(power::pairs_needed(&effects, effect, alpha, power), Some(pairs));
    }
}

#[test]
fn two_shares_are_told_apart_as_by_scipy() {
    for case in golden().shares {
        let share = |(with, of)| Share { with, of };
        same(fisher::p_more_often(share(case.base), share(case.test)), case.p);
    }
}
