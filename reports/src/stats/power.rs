//! Planning: how small an effect these pairs could have shown, and how many another would need.
//! Each function is about one step of a rule; `compare/plan` puts the steps together.
//!
//! Normal theory: the size of a t test with Guenther's addition of z²/2 for few pairs (1981, The
//! American Statistician 35), over the efficiency of the signed-rank test against it, 3/π where
//! effects are normal (Lehmann, Nonparametrics: Statistical Methods Based on Ranks, section 4.3).
//! The spread is Shamos' estimate, the median distance of two effects, which a few outliers do not
//! move (Shamos 1976; Rousseeuw & Croux 1993, Journal of the American Statistical Association 88).
//! It is a plan and no test: with ten pairs the spread itself is known to about a quarter. How often
//! a plan holds is measured by `benches/verdicts`.

use std::f64::consts::PI;

use crate::stats::{normal, order};

/// No plan goes beyond so many pairs.
pub const PAIRS_MAX: u32 = 10_000;

/// Makes the median distance of two normal values their standard deviation.
const SHAMOS: f64 = 1.048_358;

/// Efficiency of the signed-rank test: what it needs is this much more than a t test.
const EFFICIENCY: f64 = 3.0 / PI;

/// Smallest effect that so many pairs show with this power, such as 0.8, in a two-sided test at
/// `alpha`. `None` with too few pairs for any effect to reach alpha.
pub fn detectable(effects: &[f64], alpha: f64, power: f64) -> Option<f64> {
    let pairs = u32::try_from(effects.len()).ok()?;
    let plan = Plan::new(effects, alpha, power)?;
    let free = f64::from(pairs) * EFFICIENCY - plan.lost;
    let effect = (plan.squares / free).sqrt();
    (pairs >= plan.least && free > 0.0 && effect.is_finite()).then_some(effect)
}

/// How far the estimate of these pairs strays to one side, but for a share `miss`, such as 0.2.
pub fn stray(effects: &[f64], miss: f64) -> Option<f64> {
    let stray = normal::with_above(miss)? * spread(effects)?;
    Some(stray / (effects.len() as f64 * EFFICIENCY).sqrt())
}

/// Pairs whose estimate strays by at most `margin` to one side, but for a share `miss`.
pub fn pairs_to_stray(effects: &[f64], margin: f64, miss: f64) -> Option<u32> {
    let ratio = normal::with_above(miss)? * spread(effects)? / margin;
    whole(ratio * ratio / EFFICIENCY)
}

/// Pairs needed to show with this power, by two one-sided tests at `alpha`, that an effect which is
/// none is smaller than `threshold`. Either test may miss, so each is planned for half of that.
pub fn pairs_for_sameness(effects: &[f64], threshold: f64, alpha: f64, power: f64) -> Option<u32> {
    let of_alpha = normal::with_above(alpha)?;
    let ratio =
        (of_alpha + normal::with_above((1.0 - power) / 2.0)?) * spread(effects)? / threshold;
    whole((ratio * ratio + of_alpha.powi(2) / 2.0) / EFFICIENCY)
}

/// The next whole number; `None` where it would be more than [`PAIRS_MAX`], or is no number.
fn whole(pairs: f64) -> Option<u32> {
    // A conversion never wraps, but it would make a number of what is not one.
    (pairs.ceil() <= f64::from(PAIRS_MAX)).then_some(pairs.ceil() as u32)
}

/// Pairs needed to show `effect` with this power in a two-sided test at `alpha`, if they scatter as
/// these do. `None` without an effect, and where it would be more than [`PAIRS_MAX`].
pub fn pairs_needed(effects: &[f64], effect: f64, alpha: f64, power: f64) -> Option<u32> {
    if !effect.is_finite() || effect == 0.0 {
        return None;
    }
    let plan = Plan::new(effects, alpha, power)?;
    let pairs = whole((plan.squares / effect / effect + plan.lost) / EFFICIENCY)?;
    Some(pairs.max(plan.least))
}

/// What a t test needs.
struct Plan {
    /// Pairs times the square of the effect that they show.
    squares: f64,
    /// Pairs that are lost to learning the spread.
    lost: f64,
    /// Fewest pairs of a signed-rank test, whatever the effect.
    least: u32,
}

impl Plan {
    fn new(effects: &[f64], alpha: f64, power: f64) -> Option<Self> {
        let of_alpha = normal::with_above(alpha / 2.0)?;
        // A power below alpha / 2 needs nothing at all.
        let z = (of_alpha + normal::with_above(1.0 - power)?).max(0.0);
        let squares = (z * spread(effects)?).powi(2);
        Some(Self { squares, lost: of_alpha.powi(2) / 2.0, least: pairs_min(alpha)? })
    }
}

/// Fewest pairs whose smallest two-sided p, 2 / 2^n, is below alpha.
pub fn pairs_min(alpha: f64) -> Option<u32> {
    (1..=PAIRS_MAX).find(|pairs| 2.0 * 0.5_f64.powf(f64::from(*pairs)) < alpha)
}

/// Shamos' estimate of the standard deviation; `None` with fewer than two effects.
fn spread(effects: &[f64]) -> Option<f64> {
    let sorted = order::sorted(effects)?;
    let n = sorted.len();
    let distances = n * (n - 1) / 2;
    if distances == 0 {
        return None;
    }
    // Of all n² differences, those of a smaller one minus a larger or itself come first.
    let first = n * n - distances;
    let high = sorted[n - 1] - sorted[0];
    let at = |k| {
        order::smallest(first + k, -high, high, |x| order::differences_up_to(x, &sorted, &sorted))
    };
    let median = at(distances.div_ceil(2)) / 2.0 + at(distances / 2 + 1) / 2.0;
    Some(SHAMOS * median)
}
