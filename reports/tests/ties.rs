//! Ties, zeros and missing values: p is that of an enumeration of all signs over exact fractions.

use std::cmp::Ordering;

use iowq_contract::Record;
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{Metric, Rules, compare};
use iowq_reports::load::Loaded;
use iowq_reports::stats::{signed_rank, walsh};
use iowq_sample as sample;
use proptest::prelude::*;

const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

/// Base and test of a pair in whole steps of a metric; none if a run lacks it.
type Pair = (Option<u32>, Option<u32>);

/// An effect as a fraction that is exact: its size is above one over `of` if it is a ratio.
#[derive(Clone, Copy, Debug)]
struct Exact {
    size: u64,
    of: u64,
    positive: bool,
}

impl Exact {
    fn difference(base: u32, test: u32) -> Self {
        Self { size: base.abs_diff(test).into(), of: 1, positive: test > base }
    }

    fn ratio(base: u32, test: u32) -> Self {
        Self { size: base.max(test).into(), of: base.min(test).into(), positive: test > base }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        (self.size * other.of).cmp(&(other.size * self.of))
    }
}

/// p of the signed-rank test by its definition: of all ways to deal signs to the midranks, the share
/// whose sum is as far from the middle.
fn by_enumeration(effects: &[Exact]) -> f64 {
    let below = |one: &Exact, order| effects.iter().filter(|two| two.cmp(one) == order).count();
    let doubled_rank =
        |one: &Exact| 2 * below(one, Ordering::Less) + below(one, Ordering::Equal) + 1;
    let ranks: Vec<usize> = effects.iter().map(doubled_rank).collect();
    let sum = |is_positive: &dyn Fn(usize) -> bool| -> usize {
        ranks.iter().enumerate().filter(|(at, _)| is_positive(*at)).map(|(_, rank)| rank).sum()
    };
    let all: usize = ranks.iter().sum();
    let distance = |positive: usize| (2 * positive).abs_diff(all);
    let found = distance(sum(&|at| effects[at].positive));
    let signs = 0..1_u32 << effects.len();
    let as_far = signs.filter(|signs| distance(sum(&|at| signs >> at & 1 == 1)) >= found).count();
    as_far as f64 / f64::from(1_u32 << effects.len())
}

/// What is left of pairs: both sides there, and not the same.
fn kept(pairs: &[Pair], exact: fn(u32, u32) -> Exact) -> Vec<Exact> {
    let both = pairs.iter().filter_map(|(base, test)| Some((base.as_ref()?, test.as_ref()?)));
    both.filter(|(base, test)| base != test).map(|(base, test)| exact(*base, *test)).collect()
}

/// p of a metric, from records through all of a comparison.
fn p_of(metric: Metric, pairs: &[Pair], set: fn(&mut Record, Option<u32>)) -> Option<f64> {
    let mut records = sample::pairs(u32::try_from(pairs.len()).expect("they are few"), |_| ());
    for run in &mut records {
        let (base, test) = pairs[run.key.round as usize];
        set(run, if run.key.policy == "6.12" { base } else { test });
    }
    let loaded = Loaded { records, ..Loaded::default() };
    let of = |policy: &str| {
        let runs = loaded.records.iter().filter(|run| run.key.policy == policy).collect();
        Set::new(policy.to_owned(), 0, &loaded, runs)
    };
    let found = compare(&[of("6.12"), of("6.17")], RULES);
    let mut findings = found.all[0].primary.iter().chain(&found.all[0].advisory);
    findings.find(|finding| finding.metric == metric).expect("it is compared").p
}

/// Few steps, so that ties and zeros are common, now and then with nothing on a side.
fn pairs(from: u32) -> impl Strategy<Value = Vec<Pair>> {
    let side = move || prop::option::weighted(0.9, from..from + 12);
    prop::collection::vec((side(), side()), 1..13)
}

fn same(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn differences_of_rounded_numbers_have_the_p_of_exact_ones(
        pairs in prop::collection::vec((0..40_u32, 0..40_u32), 1..15),
        step in prop::sample::select(vec![0.1, 0.001, 1.0 / 3.0, 7e-7, 1e12]),
        offset in 0..10_000_u32,
    ) {
        let value = |steps: u32| f64::from(offset + steps) * step;
        let both = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            let value = |(base, test): &(u32, u32)| {
                if base == test { 0.0 } else { of(value(*base), value(*test)) }
            };
            pairs.iter().map(value).collect()
        };
        let exact = |of: fn(u32, u32) -> Exact, offset: u32| -> f64 {
            let pairs: Vec<Pair> =
                pairs.iter().map(|(base, test)| (Some(base + offset), Some(test + offset))).collect();
            by_enumeration(&kept(&pairs, of))
        };
        let found = signed_rank::p_two_sided(&both(&|base, test| test - base)).expect("finite");
        prop_assert!(same(found, exact(Exact::difference, offset)), "{found}");
        if offset > 0 {
            let ratios = both(&|base, test| test.ln() - base.ln());
            let found = signed_rank::p_two_sided(&ratios).expect("finite");
            prop_assert!(same(found, exact(Exact::ratio, offset)), "{found}");
        }
    }
}

proptest! {
    // A comparison is slow without optimization.
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn a_comparison_ranks_counts_and_ratios_as_exact_ones_without_those_that_are_missing(
        counts in pairs(0),
        times in pairs(1),
    ) {
        let created = |run: &mut Record, steps: Option<u32>| {
            run.workers.created_per_1000_ops = steps.map(|steps| f64::from(steps) * 0.1);
        };
        let cpu = |run: &mut Record, steps: Option<u32>| {
            run.ops.cpu_ns = steps.map(|steps| run.ops.done * u64::from(steps));
        };
        let there = |pairs: &[Pair]| pairs.iter().any(|(base, test)| base.and(*test).is_some());
        let differences = p_of(Metric::CreatedPer1000, &counts, created);
        let expected = by_enumeration(&kept(&counts, Exact::difference));
        prop_assert_eq!(differences.is_some(), there(&counts));
        prop_assert!(differences.is_none_or(|p| same(p, expected)), "{differences:?}, {expected}");
        let ratios = p_of(Metric::CpuPerOp, &times, cpu);
        let expected = by_enumeration(&kept(&times, Exact::ratio));
        prop_assert_eq!(ratios.is_some(), there(&times));
        prop_assert!(ratios.is_none_or(|p| same(p, expected)), "{ratios:?}, {expected}");
    }
}

#[test]
fn values_that_differ_by_rounding_alone_are_pairs_without_an_effect() {
    let same: Vec<Pair> = vec![(Some(3), Some(3)); 8];
    let rounded = |run: &mut Record, _: Option<u32>| {
        let created = if run.key.policy == "6.12" { 0.1 + 0.2 } else { 0.3 };
        run.workers.created_per_1000_ops = Some(created);
    };
    assert_eq!(p_of(Metric::CreatedPer1000, &same, rounded), Some(1.0));
}

#[test]
fn a_bound_that_is_zero_does_not_pass_it_by_rounding() {
    let mut effects = vec![0.1 + 0.2; 7];
    effects[0] = -0.3;
    let (low, _) = walsh::interval(&effects, 0.9).expect("seven are enough");
    assert_eq!(low, 0.0);
}
