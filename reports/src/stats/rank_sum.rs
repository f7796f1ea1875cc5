//! The shift between runs that are no pairs, by the rank sums of Wilcoxon, Mann and Whitney. It is a
//! description: there is no p, for nothing says that these runs differ in one thing alone.
//!
//! Mann & Whitney 1947, Annals of Mathematical Statistics 18; Hollander, Wolfe & Chicken,
//! Nonparametric Statistical Methods, 3rd ed., sections 4.2 and 4.3.

use crate::stats::{normal, null, order};

/// Up to so many values in both samples together the interval is exact; beyond that it is the normal
/// approximation, corrected for continuity.
pub const EXACT_MAX: usize = 40;

/// The Hodges-Lehmann estimate of the shift from base to test: the median of all differences
/// `test - base`. `None` where one sample is empty or holds a value that is not finite, or where a
/// difference is too large for a number.
pub fn shift(base: &[f64], test: &[f64]) -> Option<f64> {
    let (base, test) = (order::sorted(base)?, order::sorted(test)?);
    let differences = base.len() * test.len();
    let low = smallest(differences.div_ceil(2), &base, &test)?;
    let high = smallest(differences / 2 + 1, &base, &test)?;
    Some(low / 2.0 + high / 2.0)
}

/// The interval that covers the shift with at least this confidence, such as 0.95; `None` likewise
/// or where so few values cannot give that confidence: 0.95 needs 4 in each sample.
pub fn interval(base: &[f64], test: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let (base, test) = (order::sorted(base)?, order::sorted(test)?);
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let differences = base.len() * test.len();
    let cut = sums_in_tail(base.len(), test.len(), (1.0 - confidence) / 2.0);
    let cut = (cut > 0).then_some(cut.min(differences.div_ceil(2)))?;
    Some((smallest(cut, &base, &test)?, smallest(differences + 1 - cut, &base, &test)?))
}

/// How many of the smallest rank sums without ties are together no more likely than `tail`.
fn sums_in_tail(base: usize, test: usize, tail: f64) -> usize {
    if base + test <= EXACT_MAX {
        let ranks: Vec<_> = (1..=base + test).collect();
        let least = test * (test + 1) / 2;
        return null::values_in_tail(&null::of_choices(&ranks, test)[least..], tail);
    }
    let (n, m) = (base as f64, test as f64);
    let (mean, variance) = (n * m / 2.0, n * m * (n + m + 1.0) / 12.0);
    // Half a rank for continuity; a negative number becomes 0.
    normal::with_above(tail).map_or(0, |z| (mean + 0.5 - z * variance.sqrt()) as usize)
}

/// The k-th smallest difference, from 1.
fn smallest(k: usize, base: &[f64], test: &[f64]) -> Option<f64> {
    let low = test[0] - base[base.len() - 1];
    let high = test[test.len() - 1] - base[0];
    let count = |x| order::differences_up_to(x, base, test);
    Some(order::smallest(k, low, high, count)).filter(|difference| difference.is_finite())
}
