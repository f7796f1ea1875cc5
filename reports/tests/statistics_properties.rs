//! Properties of the statistics: what holds for any values, and no value that makes one panic.

use iowq_reports::stats::{adjust, power, rank_sum, signed_rank, trend, walsh};
use proptest::prelude::*;

/// Effects on a coarse grid, so that ties and zeros are common and shifts by whole steps are exact.
fn effects(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    let step = (-64_i32..=64).prop_map(|step| f64::from(step) / 16.0);
    prop::collection::vec(step, sizes)
}

/// Any bits at all: infinities, numbers that are none, and the largest.
fn anything() -> impl Strategy<Value = Vec<f64>> {
    let hard = prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, 0.0, -0.0]);
    prop::collection::vec(prop_oneof![any::<f64>(), hard, Just(1.0)], 0..70)
}

fn negative(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

fn shifted(values: &[f64], by: f64) -> Vec<f64> {
    values.iter().map(|value| value + by).collect()
}

fn is_p(p: Option<f64>) -> bool {
    p.is_none_or(|p| (0.0..=1.0).contains(&p))
}

/// A finite interval the right way round, and the estimate in it.
fn holds(interval: Option<(f64, f64)>, estimate: Option<f64>) -> bool {
    interval.is_none_or(|(low, high)| {
        low.is_finite() && high.is_finite() && estimate.is_some_and(|at| low <= at && at <= high)
    })
}

fn within(inner: Option<(f64, f64)>, outer: Option<(f64, f64)>) -> bool {
    match (inner, outer) {
        (Some(inner), Some(outer)) => outer.0 <= inner.0 && inner.1 <= outer.1,
        // Few values may give the lower confidence and not the higher.
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

proptest! {
    // Exact counts are slow without optimization; these find a wrong step in a few dozen cases.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_values_give_a_p_an_interval_around_its_estimate_or_nothing(
        base in anything(),
        test in anything(),
        confidence in prop_oneof![0.0..1.0, any::<f64>()],
        effect in any::<f64>(),
    ) {
        prop_assert!(is_p(signed_rank::p_two_sided(&base)));
        prop_assert!(is_p(trend::drift_p(&base)));
        prop_assert!(holds(walsh::interval(&base, confidence), walsh::hodges_lehmann(&base)));
        let two = rank_sum::interval(&base, &test, confidence);
        // The estimate may be known where a bound is beyond the largest number, not the other way.
        prop_assert!(holds(two, rank_sum::shift(&base, &test)));
        let detectable = power::detectable(&base, confidence, effect);
        prop_assert!(detectable.is_none_or(|size| size.is_finite() && size >= 0.0));
        let pairs = power::pairs_needed(&base, effect, confidence, 0.8);
        prop_assert!(pairs.is_none_or(|pairs| (1..=power::PAIRS_MAX).contains(&pairs)));
    }

    #[test]
    fn a_shift_of_all_effects_shifts_estimate_and_interval(
        effects in effects(6..70),
        by in (-64_i32..=64).prop_map(f64::from),
    ) {
        let moved = shifted(&effects, by);
        let estimate = walsh::hodges_lehmann(&effects).map(|at| at + by);
        prop_assert_eq!(walsh::hodges_lehmann(&moved), estimate);
        let interval = walsh::interval(&effects, 0.95).map(|(low, high)| (low + by, high + by));
        prop_assert_eq!(walsh::interval(&moved, 0.95), interval);
        prop_assert_eq!(rank_sum::shift(&effects, &moved), Some(by));
        prop_assert_eq!(power::detectable(&moved, 0.05, 0.8), power::detectable(&effects, 0.05, 0.8));
    }

    #[test]
    fn base_and_test_changed_about_change_only_the_sign(
        base in effects(4..25),
        test in effects(4..25),
    ) {
        let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            (a, b) => a == b,
        };
        let p = signed_rank::p_two_sided;
        prop_assert!(close(p(&base), p(&negative(&base))));
        let turned = walsh::hodges_lehmann(&negative(&base)).map(|at| -at);
        prop_assert_eq!(walsh::hodges_lehmann(&base), turned);
        let turned = walsh::interval(&negative(&base), 0.9).map(|(low, high)| (-high, -low));
        prop_assert_eq!(walsh::interval(&base, 0.9), turned);
        let turned = rank_sum::shift(&test, &base).map(|by| -by);
        prop_assert_eq!(rank_sum::shift(&base, &test), turned);
        let turned = rank_sum::interval(&test, &base, 0.9).map(|(low, high)| (-high, -low));
        prop_assert_eq!(rank_sum::interval(&base, &test, 0.9), turned);
    }

    #[test]
    fn more_confidence_never_makes_an_interval_shorter(
        base in effects(1..70),
        test in effects(1..30),
        one in 0.01..0.999,
        other in 0.01..0.999,
    ) {
        let (less, more) = (f64::min(one, other), f64::max(one, other));
        prop_assert!(within(walsh::interval(&base, less), walsh::interval(&base, more)));
        let two = |confidence| rank_sum::interval(&base, &test, confidence);
        prop_assert!(within(two(less), two(more)));
    }

    #[test]
    fn an_interval_without_zero_and_a_p_below_alpha_say_the_same(
        // No ties and no zeros: the sizes differ, only the signs are drawn.
        signs in prop::collection::vec(any::<bool>(), 6..40),
    ) {
        let size = |(at, plus): (usize, &bool)| {
            let size = 1.0 + (at as f64).sqrt();
            if *plus { size } else { -size }
        };
        let effects: Vec<_> = signs.iter().enumerate().map(size).collect();
        let rejects = signed_rank::p_two_sided(&effects).is_some_and(|p| p <= 0.05);
        let interval = walsh::interval(&effects, 0.95);
        let without = interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
        prop_assert_eq!(rejects, without);
    }

    #[test]
    fn adjusted_p_keep_their_order_and_are_never_below_the_raw(
        p in prop::collection::vec(prop::option::of(0.0..=1.0), 0..12),
    ) {
        let (holm, bh) = (adjust::holm(&p), adjust::benjamini_hochberg(&p));
        prop_assert!(holm.len() == p.len() && bh.len() == p.len());
        let mut all: Vec<(f64, f64, f64)> = Vec::new();
        for ((p, holm), bh) in p.iter().zip(&holm).zip(&bh) {
            prop_assert!(p.is_some() == holm.is_some() && p.is_some() == bh.is_some());
            all.extend(p.zip(*holm).zip(*bh).map(|((p, holm), bh)| (p, holm, bh)));
        }
        prop_assert!(all.iter().all(|&(p, holm, bh)| p <= bh && bh <= holm && holm <= 1.0));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        prop_assert!(all.windows(2).all(|two| two[0].1 <= two[1].1 && two[0].2 <= two[1].2));
    }

    #[test]
    fn as_many_pairs_as_an_effect_needs_show_it(
        effects in effects(8..60),
        more in 1.0..2.0,
    ) {
        // What these pairs show needs no more than these pairs, and what is larger needs no more.
        let shown = power::detectable(&effects, 0.05, 0.8).expect("eight pairs are enough");
        if shown > 0.0 {
            let needed = |effect| power::pairs_needed(&effects, effect, 0.05, 0.8);
            let here = needed(shown * 1.000_001).expect("far below the most pairs");
            prop_assert!(here as usize <= effects.len());
            prop_assert!(needed(shown * more * 1.000_001).is_some_and(|pairs| pairs <= here));
        }
    }
}
