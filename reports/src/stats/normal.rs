//! The normal distribution, for samples too large to count and for the planning of sizes.

use std::f64::consts::PI;

/// Share of a standard normal distribution above x.
///
/// Near the middle Marsaglia's series (2004, Journal of Statistical Software 11(4)), further out
/// the continued fraction 26.2.14 of Abramowitz & Stegun; good to 12 digits.
pub(crate) fn above(x: f64) -> f64 {
    if x < 0.0 {
        return 1.0 - above(-x);
    }
    let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
    if x < 3.0 {
        let (mut term, mut sum) = (x, x);
        for odd in 1..60_u32 {
            term *= x * x / f64::from(2 * odd + 1);
            sum += term;
        }
        return 0.5 - density * sum;
    }
    let fraction = (1..=100_u32).rev().fold(x, |below, k| x + f64::from(k) / below);
    density / fraction
}

/// The x above which lies this share; `None` unless the share is between 0 and 1.
pub(crate) fn with_above(share: f64) -> Option<f64> {
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if above(middle) > share {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy_and_turn_back() {
        let golden = include_str!("../../tests/golden/statistics.json");
        let golden: serde_json::Value = serde_json::from_str(golden).expect("the vectors are JSON");
        let tails = golden["normal_above"].clone();
        let tails: Vec<(f64, f64)> = serde_json::from_value(tails).expect("pairs of numbers");
        for (x, share) in tails {
            assert!((above(x) / share - 1.0).abs() < 1e-12, "{x}: {} is not {share}", above(x));
            // Far to the left the share is nearly 1 and has lost the digits that tell x.
            assert!(with_above(share).is_some_and(|found| (found - x).abs() < 1e-9), "{share}");
        }
        assert_eq!([0.0, 1.0, f64::NAN].map(with_above), [None; 3]);
    }
}
