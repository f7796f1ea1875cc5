//! Wilcoxon's signed-rank test: do the effects of pairs lie to one side of zero?
//!
//! Wilcoxon 1945, Biometrics Bulletin 1(6); Hollander, Wolfe & Chicken, Nonparametric Statistical
//! Methods, 3rd ed., section 3.1. Zeros are dropped, as Wilcoxon did. Sizes that are equal but for
//! rounding get midranks, and the null distribution is that of these very midranks, so p is exact
//! with ties too.

use crate::stats::{normal, null, order};

/// Up to so many effects other than zero p is exact; beyond that it is the normal approximation
/// with correction for ties and continuity, whose error is then far below any digit shown.
pub const EXACT_MAX: usize = 60;

/// Two-sided p of the hypothesis that effects lie evenly around zero: 1 where all are zero. `None`
/// for no effect, or one that is not finite.
pub fn p_two_sided(effects: &[f64]) -> Option<f64> {
    let (ranks, positive) = signed_ranks(effects)?;
    let negative = ranks.iter().sum::<usize>() - positive;
    Some((2.0 * at_least(&ranks, positive.max(negative))).min(1.0))
}

/// Doubled ranks of the sizes, and the sum of those whose effect is positive.
fn signed_ranks(effects: &[f64]) -> Option<(Vec<usize>, usize)> {
    let mut effects = order::sorted(effects)?;
    effects.retain(|effect| *effect != 0.0);
    let sizes: Vec<_> = effects.iter().map(|effect| effect.abs()).collect();
    let ranks = order::doubled_ranks(&sizes);
    let positive = effects.iter().zip(&ranks).filter(|(effect, _)| **effect > 0.0);
    let positive = positive.map(|(_, rank)| rank).sum();
    Some((ranks, positive))
}

/// How likely a sum of positive doubled ranks is that is at least so large.
fn at_least(ranks: &[usize], sum: usize) -> f64 {
    if ranks.len() <= EXACT_MAX {
        return null::of_signs(ranks)[sum..].iter().sum();
    }
    let mean = ranks.iter().sum::<usize>() as f64 / 2.0;
    let variance = ranks.iter().map(|rank| (*rank as f64).powi(2) / 4.0).sum::<f64>();
    // Half a rank for continuity is 1 among doubled ranks.
    normal::above((sum as f64 - 1.0 - mean) / variance.sqrt())
}

/// How many of the smallest rank sums of `n` effects without ties are together no more likely than
/// `tail`.
pub(crate) fn sums_in_tail(n: usize, tail: f64) -> usize {
    if n <= EXACT_MAX {
        let ranks: Vec<_> = (1..=n).collect();
        return null::values_in_tail(&null::of_signs(&ranks), tail);
    }
    let n = n as f64;
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
    // Half a rank for continuity; a negative number becomes 0.
    normal::with_above(tail).map_or(0, |z| (mean + 0.5 - z * variance.sqrt()) as usize)
}
