//! Ties: which numbers count as equal though their last bits differ.
//!
//! Effects are differences of rounded numbers: 0.3 - 0.2 and 0.2 - 0.1 are equal by arithmetic and
//! differ in the last bit of a float. Ranked as they are, p would depend on rounding.

/// Numbers that differ by at most this share of the larger one are equal. Rounding leaves errors of
/// 1e-16 of the values, so effects down to a ten-millionth of them are tied where arithmetic says
/// so; what is measured differs by more than this, or not at all.
pub const TOLERANCE: f64 = 1e-9;

/// Whether two finite numbers are equal but for rounding.
pub fn equal(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_does_not_part_equal_differences_and_a_step_of_a_metric_does() {
        assert!(equal(0.3 - 0.2, 0.2 - 0.1) && 0.3 - 0.2 != 0.2 - 0.1);
        assert!(equal(0.0, -0.0) && !equal(0.0, 1e-300) && !equal(0.1, -0.1));
        assert!(!equal(100_000.0, 100_000.001), "a picosecond of 100 µs");
        assert!(!equal(f64::MAX, f64::MIN));
    }
}
