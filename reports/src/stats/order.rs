//! Order: sorted values, midranks, and the k-th smallest of many numbers that are never all made.

use crate::stats::ties;

/// The values in ascending order; `None` if there is none or one that is not finite.
pub(crate) fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

/// Twice the rank of each value, from 2 on. Values that are equal to the smallest of them but for
/// rounding ([`ties`]) share the mean of their ranks, which can end in a half; twice that is a whole
/// number, so that exact counts stay exact.
pub(crate) fn doubled_ranks(values: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0; values.len()];
    let mut before = 0;
    while let Some(&smallest) = places.get(before) {
        let equal = |place: &&usize| ties::equal(values[smallest], values[**place]);
        let end = (before + places[before..].iter().take_while(equal).count()).max(before + 1);
        for &place in &places[before..end] {
            ranks[place] = (before + 1) + end;
        }
        before = end;
    }
    ranks
}

/// The k-th smallest (from 1) of numbers between `low` and `high`, of which `count(x)` says how
/// many are at most x. Bisects the floating-point numbers themselves, so the answer is exact after
/// at most 64 steps, and thousands of runs do not make millions of averages.
pub(crate) fn smallest(k: usize, low: f64, high: f64, count: impl Fn(f64) -> usize) -> f64 {
    let (mut low, mut high) = (key(low), key(high));
    while low < high {
        let middle = u64::midpoint(low, high);
        if count(value(middle)) >= k {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // Turns -0 into 0, which readers expect.
    value(low) + 0.0
}

/// How many differences `test - base` are at most x; both sorted.
pub(crate) fn differences_up_to(x: f64, base: &[f64], test: &[f64]) -> usize {
    let (mut count, mut end) = (0, 0);
    for base in base {
        // What is small enough for one is small enough for all larger ones.
        while end < test.len() && test[end] - base <= x {
            end += 1;
        }
        count += end;
    }
    count
}

const SIGN: u64 = 1 << 63;

/// A whole number that sorts as the floating-point number does.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn value(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(doubled_ranks(&[3.0, 1.0, 3.0, 2.0]), [7, 2, 7, 4]);
        assert_eq!(doubled_ranks(&[0.0, -0.0]), [3, 3]);
        assert_eq!(doubled_ranks(&[0.3 - 0.2, 0.4, 0.2 - 0.1]), [3, 6, 3], "but for rounding");
    }

    #[test]
    fn keys_sort_as_their_numbers_do() {
        let numbers = [f64::MIN, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY];
        assert!(numbers.windows(2).all(|two| key(two[0]) < key(two[1])));
        assert!(numbers.iter().all(|number| value(key(*number)).to_bits() == number.to_bits()));
    }
}
