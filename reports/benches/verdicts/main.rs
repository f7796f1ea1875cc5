//! How often verdicts are wrong: simulated comparisons in which the truth is known.
//!
//! `cargo bench -p iowq-reports --bench verdicts` prints a table and fails where a figure is not
//! what is asked. The sizes of noise and drift are chosen and not measured; the seed is fixed, so
//! the figures are the same everywhere.

mod plans;
mod simulated;
mod whole;

use iowq_contract::Code;
use iowq_reports::compare::{Comparison, Rules, Verdict};
use plans::{PAIRS_MAX, Trial};
use simulated::{METRICS, Machine, Order, Plan, Random};
use whole::{Blank, Metrics};

const COMPARISONS: usize = 1000;
const SEED: u64 = 20_261_121;
const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };
const MACHINE: Machine = Machine { noise: 0.03, drift: 0.01, common: 0.0 };

/// A machine on which ten pairs decide nothing.
const NOISY: Machine = Machine { noise: 0.06, drift: 0.01, common: 0.0 };

/// An arm of the base against itself rejects in about a share alpha, and then there is no verdict.
const BARRED_BY_NOISE_MAX: f64 = 0.07;

/// A kind of comparison: how it was run, and what is true.
#[derive(Clone, Copy)]
struct Case {
    plan: Plan,
    metrics: Metrics,
    /// Share of noise and drift that all metrics have in common.
    common: f64,
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
    /// It comes to a regression.
    regression: f64,
    /// At least one metric is called a regression or an improvement.
    either: f64,
    /// It comes to all being the same.
    equivalent: f64,
    /// The order of the runs is flagged as a block.
    flagged: f64,
    /// There is no verdict, that included.
    barred: f64,
}

fn cases() -> Vec<Case> {
    let plan = Plan { order: Order::ByTwos, pairs: 10, effect: 0.0, noise: false };
    let same = Case {
        plan,
        metrics: Metrics::All,
        common: 0.0,
        threshold: 0.0,
        asked: Asked::AtMost(RULES.alpha),
    };
    let at_5 = Case { threshold: 0.05, ..same };
    let with_noise = Plan { noise: true, ..plan };
    let blocks = Plan { order: Order::Blocks, ..plan };
    let ten_percent = Plan { effect: 0.1_f64.ln_1p(), ..plan };
    let found = Case { plan: ten_percent, asked: Asked::AtLeast(0.95), ..at_5 };
    vec![
        same,
        Case { common: 0.7, ..same },
        at_5,
        Case { plan: Plan { pairs: 8, ..plan }, ..same },
        Case { plan: Plan { pairs: 20, ..plan }, ..at_5 },
        Case { plan: with_noise, ..same },
        Case { plan: with_noise, ..at_5 },
        Case { metrics: Metrics::Zeros, ..same },
        Case { metrics: Metrics::Missing, ..same },
        Case { plan: blocks, asked: Asked::Flag, ..same },
        Case { plan: blocks, asked: Asked::Flag, ..at_5 },
        found,
        Case { common: 0.7, ..found },
        Case { metrics: Metrics::Zeros, ..found },
        Case { metrics: Metrics::Missing, ..found },
        Case { plan: Plan { noise: true, ..ten_percent }, asked: Asked::Nothing, ..found },
        Case { plan: Plan { pairs: 8, ..ten_percent }, asked: Asked::Nothing, ..found },
        Case {
            plan: Plan { effect: 0.05_f64.ln_1p(), ..plan },
            threshold: 0.02,
            asked: Asked::Nothing,
            ..same
        },
    ]
}

fn main() {
    println!(
        "{COMPARISONS} simulated comparisons a row, {METRICS} metrics, Holm at {}; run noise 3 %, \
         drift 1 % a run\n",
        RULES.alpha
    );
    println!(
        "{:>7} {:>5} {:>5} {:>7} {:>6} {:>6} {:>9} {:>10} {:>6} {:>10} {:>7} {:>6}  asked",
        "order",
        "pairs",
        "noise",
        "metrics",
        "common",
        "truth",
        "threshold",
        "regression",
        "either",
        "equivalent",
        "flagged",
        "barred"
    );
    let blank = Blank::new(PAIRS_MAX);
    let mut missed = 0;
    for (number, case) in (0..).zip(cases()) {
        let shares = shares(&case, &blank, &mut Random::new(SEED + number));
        missed += usize::from(!print(&case, &shares));
    }
    plans(&blank);
    if missed > 0 {
        println!("\n{missed} rows are not as asked");
        std::process::exit(1);
    }
}

/// How often plans hold.
fn plans(blank: &Blank) {
    println!();
    for pairs in [8, 10, 20] {
        let mut trial = Trial { machine: MACHINE, blank, random: Random::new(SEED) };
        let share = 100.0 * trial.detectable(pairs);
        println!(
            "what {pairs} pairs are said to show with 80 % power, fresh pairs call a regression in \
             {share:.1} %"
        );
    }
    let mut trial = Trial { machine: NOISY, blank, random: Random::new(SEED) };
    let [needed, worse, same] = trial.needed(10);
    println!(
        "with run noise 6 %, 10 pairs say that {needed:.0} are needed (mean); so many call an effect \
         of 1.5 thresholds a regression in {:.1} %, and none the same in {:.1} %",
        100.0 * worse,
        100.0 * same
    );
}

fn shares(case: &Case, blank: &Blank, random: &mut Random) -> Shares {
    let mut shares = Shares::default();
    let one = 1.0 / COMPARISONS as f64;
    let machine = Machine { common: case.common, ..MACHINE };
    let rules = Rules { threshold: case.threshold, ..RULES };
    for _ in 0..COMPARISONS {
        let runs = machine.compare(case.plan, random);
        let Some(found) = blank.compare(&runs, case.metrics, rules) else { continue };
        shares.regression += one * f64::from(found.verdict == Some(Verdict::Regression));
        shares.either += one * f64::from(takes_a_side(&found));
        shares.equivalent += one * f64::from(found.verdict == Some(Verdict::Equivalent));
        let flagged = found.blockers.iter().any(|bar| bar.code == Code::BlockOrder);
        shares.flagged += one * f64::from(flagged);
        shares.barred += one * f64::from(found.verdict.is_none());
    }
    shares
}

fn takes_a_side(found: &Comparison) -> bool {
    let sides = [Some(Verdict::Regression), Some(Verdict::Improvement)];
    found.primary.iter().any(|finding| sides.contains(&finding.verdict))
}

/// Prints a row; whether it is as asked.
fn print(case: &Case, shares: &Shares) -> bool {
    // The shares are sums, which rounding keeps from being exactly 1.
    let nearly_all = 1.0 - 0.5 / COMPARISONS as f64;
    let (asked, met) = match case.asked {
        Asked::AtMost(most) => {
            (format!("at most {} % regressions", most * 100.0), shares.regression <= most)
        }
        Asked::AtLeast(least) => {
            (format!("at least {} % regressions", least * 100.0), shares.regression >= least)
        }
        Asked::Flag => {
            ("all flagged and barred".to_owned(), shares.flagged.min(shares.barred) > nearly_all)
        }
        Asked::Nothing => (String::new(), true),
    };
    // Pairs side by side are never to be taken for blocks, and only noise may bar them.
    let barred_max = if case.plan.noise { BARRED_BY_NOISE_MAX } else { 0.0 };
    let in_turns = shares.flagged == 0.0 && shares.barred <= barred_max;
    let met = met && (matches!(case.asked, Asked::Flag) || in_turns);
    let order = match case.plan.order {
        Order::ByTwos => "by twos",
        Order::Blocks => "blocks",
    };
    let metrics = match case.metrics {
        Metrics::All => "all",
        Metrics::Zeros => "zeros",
        Metrics::Missing => "missing",
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    println!(
        "{order:>7} {:>5} {:>5} {metrics:>7} {:>6} {:>6} {:>9} {:>10} {:>6} {:>10} {:>7} {:>6}  \
         {asked}{}",
        case.plan.pairs,
        if case.plan.noise { "yes" } else { "no" },
        percent(case.common),
        percent(case.plan.effect.exp_m1()),
        percent(case.threshold),
        percent(shares.regression),
        percent(shares.either),
        percent(shares.equivalent),
        percent(shares.flagged),
        percent(shares.barred),
        if met { "" } else { ": MISSED" }
    );
    met
}
