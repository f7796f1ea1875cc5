//! Samples beyond a quantile: with too few of them it is a matter of a few slow operations.
//!
//! Shares are whole parts per billion, so that a count at the very edge is never decided by how a
//! fraction was rounded.

/// Samples that must lie beyond a quantile before a run's value for it means anything.
const BEYOND_MIN: u64 = 100;

/// All samples, in the parts that shares are counted in.
pub const ALL_PPB: u64 = 1_000_000_000;

/// Share beyond the median.
pub const P50_PPB: u64 = ALL_PPB / 2;

/// Share beyond the 90th percentile.
pub const P90_PPB: u64 = ALL_PPB / 10;

/// Share beyond the 99th percentile.
pub const P99_PPB: u64 = ALL_PPB / 100;

/// Share beyond the 99.9th percentile.
pub const P999_PPB: u64 = ALL_PPB / 1000;

/// Whether enough of `count` samples lie beyond the quantile that has this share beyond it.
pub fn is_sure(count: u64, beyond_ppb: u64) -> bool {
    u128::from(count) * u128::from(beyond_ppb) >= u128::from(BEYOND_MIN) * u128::from(ALL_PPB)
}

/// Fewest samples for the quantile that has this share beyond it.
pub fn count_min(beyond_ppb: u64) -> u64 {
    (BEYOND_MIN * ALL_PPB).div_ceil(beyond_ppb.max(1))
}

/// Share beyond a quantile of so many nines: 2 are the 99th percentile.
pub fn of_nines_ppb(nines: f64) -> u64 {
    (10_f64.powf(-nines) * ALL_PPB as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hundredth_sample_beyond_decides_and_nothing_is_rounded_up() {
        for (share, count) in [(P50_PPB, 200), (P99_PPB, 10_000), (P999_PPB, 100_000)] {
            assert_eq!(count_min(share), count);
            assert!(is_sure(count, share) && !is_sure(count - 1, share), "{count}");
        }
        assert!(!is_sure(99_960, P999_PPB), "99.96 samples are not 100");
        assert!(is_sure(u64::MAX, 1) && !is_sure(u64::MAX, 0) && !is_sure(0, ALL_PPB));
    }

    #[test]
    fn nines_are_the_same_shares() {
        assert_eq!([1.0, 2.0, 3.0].map(of_nines_ppb), [P90_PPB, P99_PPB, P999_PPB]);
        assert_eq!((of_nines_ppb(0.0), of_nines_ppb(6.0)), (ALL_PPB, 1000));
    }
}
