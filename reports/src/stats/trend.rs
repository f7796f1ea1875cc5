//! Order and time: did the machine drift, and were the arms run side by side?

use crate::stats::{normal, null, order};

/// Up to so many values without ties the p of a drift is exact.
const EXACT_MAX: usize = 60;

/// More than so many of all pairs of runs in one order are a block.
const BLOCK_SHARE: f64 = 0.9;

/// Two-sided p of the hypothesis that values in the order of their runs have no trend: the test of
/// Mann (1945, Econometrica 13) and Kendall. Exact for few values without ties, otherwise the normal
/// approximation with correction for ties and continuity. `None` with fewer than three values, or
/// one that is not finite.
pub fn drift_p(values: &[f64]) -> Option<f64> {
    let n = values.len();
    if n < 3 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut sorted = order::doubled_ranks(values);
    let ranks = &sorted;
    let later = |at: usize| ranks[at + 1..].iter().map(move |rank| (ranks[at], *rank));
    let pairs = || (0..n).flat_map(later);
    let rising = pairs().filter(|(early, late)| early < late).count();
    let falling = pairs().filter(|(early, late)| early > late).count();
    if n <= EXACT_MAX && rising + falling == n * (n - 1) / 2 {
        let tail = null::of_orders(n)[..=rising.min(falling)].iter().sum::<f64>();
        return Some((2.0 * tail).min(1.0));
    }
    let of = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    sorted.sort_unstable();
    let ties = sorted.chunk_by(|a, b| a == b).map(|equal| of(equal.len() as f64));
    let variance = (of(n as f64) - ties.sum::<f64>()) / 18.0;
    if variance <= 0.0 {
        return Some(1.0);
    }
    let distance = rising.abs_diff(falling) as f64 - 1.0;
    Some((2.0 * normal::above(distance / variance.sqrt())).min(1.0))
}

/// Whether all or nearly all runs of one arm came before those of the other, so that a drift of the
/// machine would look like an effect. Takes places in the order of all runs. An arm of a single run
/// cannot be interleaved and is not held to be a block.
pub fn block_order(base: &[u32], test: &[u32]) -> bool {
    if base.len() < 2 || test.len() < 2 {
        return false;
    }
    let mut sorted = test.to_vec();
    sorted.sort_unstable();
    let before = |place: &u32| sorted.len() - sorted.partition_point(|test| test <= place);
    let base_first = base.iter().map(before).sum::<usize>() as f64;
    let share = base_first / (base.len() as f64 * test.len() as f64);
    share.max(1.0 - share) > BLOCK_SHARE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_one_after_the_other_are_a_block_and_shuffled_pairs_are_not() {
        assert!(block_order(&[0, 1, 2, 3], &[4, 5, 6, 7]));
        assert!(block_order(&[4, 5, 6, 7], &[0, 1, 2, 3]));
        assert!(block_order(&[0, 1, 2, 3, 5], &[4, 6, 7, 8, 9]), "one run out of place");
        assert!(!block_order(&[0, 2, 4], &[1, 3, 5]));
        assert!(!block_order(&[0, 3], &[1, 2]));
        assert!(!block_order(&[0], &[1]) && !block_order(&[], &[]));
    }

    #[test]
    fn a_steady_rise_is_a_drift_and_equal_values_are_none() {
        let rise: Vec<_> = (0..10).map(f64::from).collect();
        assert!(drift_p(&rise).is_some_and(|p| p < 1e-5));
        assert_eq!(drift_p(&[1.0; 10]), Some(1.0));
        assert_eq!(drift_p(&[1.0, 2.0]), None);
        assert_eq!(drift_p(&[1.0, f64::NAN, 2.0]), None);
    }
}
