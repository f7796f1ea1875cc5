//! How often verdicts are wrong: simulated comparisons in which the truth is known.
//!
//! `cargo bench -p iowq-reports --bench verdicts` prints a table and fails where a figure is not
//! what is asked. The sizes of noise and drift are chosen and not measured; the seed is fixed, so
//! the figures are the same everywhere.

mod simulated;
mod whole;

use iowq_reports::compare::{Rules, Verdict};
use iowq_reports::stats::{adjust, power, signed_rank, trend, walsh};
use simulated::{METRICS, Machine, Order, Random, Runs};

const COMPARISONS: usize = 1000;
const ALPHA: f64 = 0.05;
const SEED: u64 = 20_261_121;
const MACHINE: Machine = Machine { noise: 0.03, drift: 0.01, common: 0.0 };

/// A kind of comparison: how it was run, and what is true.
struct Case {
    order: Order,
    pairs: usize,
    /// Share of noise and drift that all metrics have in common.
    common: f64,
    /// What the test adds to the logarithm of its first metric.
    effect: f64,
    /// Smallest effect that counts.
    threshold: f64,
    /// What is asked of the share of comparisons with a regression.
    asked: Asked,
}

#[derive(Clone, Copy)]
enum Asked {
    AtMost(f64),
    AtLeast(f64),
    /// Only that the order is flagged, for the figures themselves cannot be trusted.
    Flag,
    Nothing,
}

/// What came of the comparisons of a case, as shares of them.
#[derive(Default)]
struct Shares {
    /// At least one metric is called a regression.
    regression: f64,
    /// At least one metric is called a regression or an improvement.
    either: f64,
    /// No metric is, and all are shown to be the same.
    equivalent: f64,
    /// The order of the runs is flagged as a block.
    flagged: f64,
    /// The whole comparison, from records, comes to a regression.
    verdict: f64,
    /// The whole comparison refuses a verdict.
    barred: f64,
}

fn cases() -> Vec<Case> {
    let same = Case {
        order: Order::Shuffled,
        pairs: 10,
        common: 0.0,
        effect: 0.0,
        threshold: 0.0,
        asked: Asked::AtMost(ALPHA),
    };
    let ten_percent = || Case { effect: 0.1_f64.ln_1p(), threshold: 0.05, ..same };
    vec![
        Case { ..same },
        Case { common: 0.7, ..same },
        Case { threshold: 0.05, ..same },
        Case { pairs: 8, ..same },
        Case { pairs: 20, threshold: 0.05, ..same },
        Case { order: Order::Blocks, asked: Asked::Flag, ..same },
        Case { order: Order::Blocks, threshold: 0.05, asked: Asked::Flag, ..same },
        Case { asked: Asked::AtLeast(0.95), ..ten_percent() },
        Case { common: 0.7, asked: Asked::AtLeast(0.95), ..ten_percent() },
        Case { pairs: 8, asked: Asked::Nothing, ..ten_percent() },
        Case { effect: 0.05_f64.ln_1p(), threshold: 0.02, asked: Asked::Nothing, ..same },
    ]
}

fn main() {
    println!(
        "{COMPARISONS} simulated comparisons a row, {METRICS} metrics, Holm at {ALPHA}; \
         run noise 3 %, drift 1 % a run\n"
    );
    println!(
        "{:>8} {:>5} {:>6} {:>6} {:>9} {:>10} {:>6} {:>10} {:>7} {:>7} {:>6}  asked",
        "order",
        "pairs",
        "common",
        "truth",
        "threshold",
        "regression",
        "either",
        "equivalent",
        "flagged",
        "verdict",
        "barred"
    );
    let mut missed = 0;
    for (number, case) in (0..).zip(cases()) {
        let shares = shares(&case, &mut Random::new(SEED + number));
        missed += usize::from(!print(&case, &shares));
    }
    println!();
    for pairs in [8, 10, 20] {
        let share = 100.0 * planned(pairs, &mut Random::new(SEED));
        println!(
            "what {pairs} pairs are said to show with 80 % power, fresh pairs show in {share:.1} %"
        );
    }
    if missed > 0 {
        println!("\n{missed} rows are not as asked");
        std::process::exit(1);
    }
}

/// How often an effect is found that is as large as pairs without any said they would show.
fn planned(pairs: usize, random: &mut Random) -> f64 {
    let mut found = 0;
    for _ in 0..COMPARISONS {
        let before = MACHINE.compare(Order::Shuffled, pairs, 0.0, random);
        let alpha = ALPHA / METRICS as f64;
        let effect = power::detectable(&before.effects()[0], alpha, 0.8).unwrap_or(0.0);
        let fresh = MACHINE.compare(Order::Shuffled, pairs, effect, random);
        let p = signed_rank::p_two_sided(&fresh.effects()[0]);
        found += usize::from(p.is_some_and(|p| p < alpha));
    }
    found as f64 / COMPARISONS as f64
}

fn shares(case: &Case, random: &mut Random) -> Shares {
    let mut shares = Shares::default();
    let one = 1.0 / COMPARISONS as f64;
    let blank = whole::blank(case.pairs);
    let machine = Machine { common: case.common, ..MACHINE };
    for _ in 0..COMPARISONS {
        let runs = machine.compare(case.order, case.pairs, case.effect, random);
        let changed = changed(&runs, case.threshold);
        let any = |wanted: fn(f64) -> bool| changed.iter().copied().any(wanted);
        shares.regression += one * f64::from(any(|estimate| estimate > 0.0));
        shares.either += one * f64::from(!changed.is_empty());
        let same = changed.is_empty() && all_the_same(&runs, case.threshold);
        shares.equivalent += one * f64::from(same);
        let flagged = trend::block_order(&runs.base_positions, &runs.test_positions);
        shares.flagged += one * f64::from(flagged);
        let rules = Rules { threshold: case.threshold, alpha: ALPHA };
        let verdict = whole::compare(&blank, &runs, rules).and_then(|found| found.verdict);
        shares.verdict += one * f64::from(verdict == Some(Verdict::Regression));
        shares.barred += one * f64::from(verdict.is_none());
    }
    shares
}

/// Estimates of the metrics that changed: the adjusted p is below alpha, the interval lies on one
/// side, and the estimate is at least the threshold.
fn changed(runs: &Runs, threshold: f64) -> Vec<f64> {
    let effects = runs.effects();
    let p = effects.each_ref().map(|effects| signed_rank::p_two_sided(effects));
    let rejects = |(effects, p): (&Vec<f64>, Option<f64>)| {
        let estimate = walsh::hodges_lehmann(effects)?;
        let (low, high) = walsh::interval(effects, 1.0 - ALPHA)?;
        let apart = low > 0.0 || high < 0.0;
        (p? < ALPHA && apart && estimate.abs() >= threshold).then_some(estimate)
    };
    effects.iter().zip(adjust::holm(&p)).filter_map(rejects).collect()
}

/// Two one-sided tests on each metric: the interval of 90 % lies within the threshold.
fn all_the_same(runs: &Runs, threshold: f64) -> bool {
    runs.effects().iter().all(|effects| {
        let interval = walsh::interval(effects, 1.0 - 2.0 * ALPHA);
        interval.is_some_and(|(low, high)| -threshold < low && high < threshold)
    })
}

/// Prints a row; whether it is as asked.
fn print(case: &Case, shares: &Shares) -> bool {
    // The shares are sums, which rounding keeps from being exactly 1.
    let nearly_all = 1.0 - 0.5 / COMPARISONS as f64;
    let (asked, met) = match case.asked {
        Asked::AtMost(most) => (
            format!("at most {} % regressions", most * 100.0),
            shares.regression.max(shares.verdict) <= most,
        ),
        Asked::AtLeast(least) => (
            format!("at least {} % regressions", least * 100.0),
            shares.regression.min(shares.verdict) >= least,
        ),
        Asked::Flag => {
            ("all flagged and barred".to_owned(), shares.flagged.min(shares.barred) > nearly_all)
        }
        Asked::Nothing => (String::new(), true),
    };
    // Pairs side by side are never to be taken for blocks.
    let met =
        met && (matches!(case.asked, Asked::Flag) || shares.flagged.max(shares.barred) == 0.0);
    let order = match case.order {
        Order::Shuffled => "shuffled",
        Order::Blocks => "blocks",
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    println!(
        "{order:>8} {:>5} {:>6} {:>6} {:>9} {:>10} {:>6} {:>10} {:>7} {:>7} {:>6}  {asked}{}",
        case.pairs,
        percent(case.common),
        percent(case.effect.exp_m1()),
        percent(case.threshold),
        percent(shares.regression),
        percent(shares.either),
        percent(shares.equivalent),
        percent(shares.flagged),
        percent(shares.verdict),
        percent(shares.barred),
        if met { "" } else { ": MISSED" }
    );
    met
}
