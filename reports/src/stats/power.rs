//! Planning: how small an effect these pairs could have shown, and how many another would need.
//!
//! Normal theory for the signed-rank test, whose efficiency against the t test is 3/π where effects
//! are normal (Lehmann, Nonparametrics: Statistical Methods Based on Ranks, section 4.3). The
//! spread is Shamos' estimate, the median distance of two effects, which a few outliers do not move
//! (Shamos 1976; Rousseeuw & Croux 1993, Journal of the American Statistical Association 88). It is
//! a plan and no test: with ten pairs the spread itself is known to about a quarter.

use std::f64::consts::PI;

use super::{normal, order};

/// No plan goes beyond so many pairs.
pub const PAIRS_MAX: u32 = 10_000;

/// Makes the median distance of two normal values their standard deviation.
const SHAMOS: f64 = 1.048_358;

/// Smallest effect that so many pairs show with this power, such as 0.8, in a two-sided test at
/// `alpha`. `None` with too few pairs for any effect to reach alpha.
pub fn detectable(effects: &[f64], alpha: f64, power: f64) -> Option<f64> {
    let pairs = u32::try_from(effects.len()).ok()?;
    if pairs < pairs_min(alpha)? {
        return None;
    }
    Some((needed_squared(effects, alpha, power)? / f64::from(pairs)).sqrt())
}

/// Pairs needed to show `effect` with this power in a two-sided test at `alpha`, if they scatter as
/// these do. `None` without an effect, and where it would be more than [`PAIRS_MAX`].
pub fn pairs_needed(effects: &[f64], effect: f64, alpha: f64, power: f64) -> Option<u32> {
    if !effect.is_finite() || effect == 0.0 {
        return None;
    }
    let pairs = (needed_squared(effects, alpha, power)? / effect / effect).ceil();
    // A conversion never wraps, but it would make a number of what is not one.
    let pairs = (pairs <= f64::from(PAIRS_MAX)).then_some(pairs as u32)?;
    Some(pairs.max(pairs_min(alpha)?))
}

/// Pairs times the square of the effect that they show.
fn needed_squared(effects: &[f64], alpha: f64, power: f64) -> Option<f64> {
    let z = normal::with_above(alpha / 2.0)? + normal::with_above(1.0 - power)?;
    // A power below alpha / 2 needs no pairs at all.
    let needed = (z.max(0.0) * spread(effects)?).powi(2) / (3.0 / PI);
    needed.is_finite().then_some(needed)
}

/// Fewest pairs whose smallest two-sided p, 2 / 2^n, is not above alpha.
fn pairs_min(alpha: f64) -> Option<u32> {
    (1..=PAIRS_MAX).find(|pairs| 2.0 * 0.5_f64.powf(f64::from(*pairs)) <= alpha)
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
    let at = |k| order::smallest(first + k, -high, high, |x| up_to(x, &sorted));
    let median = at(distances.div_ceil(2)) / 2.0 + at(distances / 2 + 1) / 2.0;
    Some(SHAMOS * median)
}

fn up_to(x: f64, sorted: &[f64]) -> usize {
    order::differences_up_to(x, sorted, sorted)
}
