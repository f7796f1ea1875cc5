//! When ops are meant to start.

use crate::plan::Arrival;
use crate::rng::Rng;

/// Nanoseconds in a second.
const SECOND_NS: f64 = 1e9;

/// The intended times of a stream's ops, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    arrival: Arrival,
    rng: Rng,
    /// Ops so far.
    number: u64,
    /// The last arrival of a Poisson process.
    at_ns: u64,
}

impl Pace {
    /// The times that belong to a seed.
    pub(crate) fn new(arrival: Arrival, seed: u64) -> Pace {
        Pace { arrival, rng: Rng::new(seed), number: 0, at_ns: 0 }
    }

    /// When the next op is meant to start, in ns from the start; 0 in a closed loop.
    pub(crate) fn next_ns(&mut self) -> u64 {
        let number = self.number;
        self.number += 1;
        match self.arrival {
            Arrival::Closed { .. } => 0,
            // From the number each time, so that rounding does not add up to a drift.
            Arrival::Rate { per_s } => (number as f64 * SECOND_NS / per_s) as u64,
            Arrival::Poisson { per_s } => {
                let gap_ns = -self.rng.unit().ln() * SECOND_NS / per_s;
                self.at_ns = self.at_ns.saturating_add(gap_ns.round() as u64);
                self.at_ns
            }
            Arrival::Bursts { ops, gap } => {
                let gap_ns = u64::try_from(gap.as_nanos()).unwrap_or(u64::MAX);
                (number / u64::from(ops.max(1))).saturating_mul(gap_ns)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn times(arrival: Arrival, count: usize) -> Vec<u64> {
        let mut pace = Pace::new(arrival, 7);
        (0..count).map(|_| pace.next_ns()).collect()
    }

    #[test]
    fn a_closed_loop_intends_no_time() {
        assert_eq!(
            times(Arrival::Closed { pause: Duration::from_secs(1), min_complete: 1 }, 3),
            [0, 0, 0]
        );
    }

    #[test]
    fn a_rate_spaces_ops_evenly_and_does_not_drift() {
        let times = times(Arrival::Rate { per_s: 3.0 }, 3_000_001);
        assert_eq!(times[..4], [0, 333_333_333, 666_666_666, 1_000_000_000]);
        assert_eq!(times[3_000_000], 1_000_000 * 1_000_000_000);
    }

    #[test]
    fn ops_of_a_burst_share_their_time() {
        let gap = Duration::from_millis(5);
        let times = times(Arrival::Bursts { ops: 2, gap }, 5);
        assert_eq!(times, [0, 0, 5_000_000, 5_000_000, 10_000_000]);
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_spread_of_an_exponential() {
        let times = times(Arrival::Poisson { per_s: 1000.0 }, 200_000);
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let above_mean = gaps.iter().filter(|gap| **gap > 1e6).count() as f64 / gaps.len() as f64;
        assert!((mean - 1e6).abs() < 1e4, "mean gap {mean} ns");
        assert!((above_mean - (-1f64).exp()).abs() < 0.01, "{above_mean} of the gaps");
    }
}
