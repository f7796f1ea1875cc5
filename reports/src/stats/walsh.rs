//! Walsh averages: how large the effect of pairs is, and how sure that is.
//!
//! A Walsh average is the mean of two effects, or of one with itself. Their median is the estimate
//! of Hodges & Lehmann (1963, Annals of Mathematical Statistics 34); the interval between the c-th
//! smallest and the c-th largest is the set of shifts that the signed-rank test does not reject
//! (Tukey 1949; Hollander, Wolfe & Chicken, 3rd ed., sections 3.2 and 3.3).

use crate::stats::{order, signed_rank, ties};

/// The Hodges-Lehmann estimate of the middle of the effects; `None` for no effect, or one that is
/// not finite.
pub fn hodges_lehmann(effects: &[f64]) -> Option<f64> {
    let sorted = order::sorted(effects)?;
    let averages = averages(sorted.len());
    Some(mean(smallest(averages.div_ceil(2), &sorted), smallest(averages / 2 + 1, &sorted)))
}

/// The interval that covers the middle of the effects with at least this confidence, such as 0.95.
/// Exact up to [`signed_rank::EXACT_MAX`] effects, from the normal approximation beyond. `None`
/// where so few effects cannot give that confidence: 0.95 needs 6.
pub fn interval(effects: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let sorted = order::sorted(effects)?;
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let averages = averages(sorted.len());
    let cut = signed_rank::sums_in_tail(sorted.len(), (1.0 - confidence) / 2.0);
    let cut = (cut > 0).then_some(cut.min(averages.div_ceil(2)))?;
    Some((smallest(cut, &sorted), smallest(averages + 1 - cut, &sorted)))
}

fn averages(n: usize) -> usize {
    n * (n + 1) / 2
}

/// The k-th smallest Walsh average, from 1.
fn smallest(k: usize, sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    order::smallest(k, mean(low, low), mean(high, high), |x| up_to(x, sorted))
}

/// How many Walsh averages are at most x.
fn up_to(x: f64, sorted: &[f64]) -> usize {
    let (mut both_ways, mut end) = (0, sorted.len());
    for one in sorted {
        // What is too large for one is too large for all larger ones.
        while end > 0 && mean(*one, sorted[end - 1]) > x {
            end -= 1;
        }
        both_ways += end;
    }
    let with_itself = sorted.partition_point(|one| mean(*one, *one) <= x);
    (both_ways + with_itself) / 2
}

/// Halves first, so that the sum of large numbers stays finite. Effects that are equal but for sign
/// and rounding have a mean of 0: a bound of an interval must not pass zero by a last bit.
fn mean(a: f64, b: f64) -> f64 {
    if ties::equal(a, -b) { 0.0 } else { a / 2.0 + b / 2.0 }
}
