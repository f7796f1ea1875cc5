//! Teardown: a ring that was closed is its task's until the kernel has torn it down.
//!
//! The kernel kills the ring's references, waits until no processor can still hold one (a grace
//! period of RCU), and only then has the task itself drop the ring. exit-on-idle asks at that
//! moment whether the task has another ring, and not when the file is closed (912146614894).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::nanos::{Nanos, duration_ns};

/// From the close of a ring to the moment at which its task drops it, in tenths of a millisecond:
/// least, deciles, most. Measured on an idle Linux 6.18.44 (HZ=250, two processors) by what share of
/// 120 rings was torn down when the next was opened 9 to 50 ms later: medians of three runs each of
/// two workloads. One run in eight was some 3 ms ahead of that, from its first ring to its last.
pub const TEARDOWN_MS_TENTHS: [u16; 11] = [100, 125, 132, 137, 142, 155, 170, 190, 210, 235, 270];

/// [`TEARDOWN_MS_TENTHS`] as times.
#[must_use]
pub fn measured() -> Deciles {
    TEARDOWN_MS_TENTHS.map(|tenths| Duration::from_micros(u64::from(tenths) * 100))
}

/// Least, deciles, most.
pub type Deciles = [Duration; 11];

/// How far the golden ratio goes beyond 1, in 2^-64: steps of it are spread evenly over a range.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The rings that were closed and are not torn down yet.
#[derive(Debug)]
pub struct Teardowns {
    deciles: Deciles,
    closed: u64,
    due: BinaryHeap<Reverse<Nanos>>,
}

impl Teardowns {
    /// Teardowns take times that are spread so.
    #[must_use]
    pub fn new(deciles: Deciles) -> Teardowns {
        Teardowns { deciles, closed: 0, due: BinaryHeap::new() }
    }

    /// A ring is closed now. Returns when it will be torn down.
    pub fn close(&mut self, now: Nanos) -> Nanos {
        // From the middle on, so that a lone close takes what most take.
        let share = self.closed.wrapping_mul(STEP).wrapping_add(1 << 63) as f64 / 2f64.powi(64);
        self.closed += 1;
        let at = now.after(self.quantile(share));
        self.due.push(Reverse(at));
        at
    }

    /// How long a teardown takes that is longer than this share of all, of 1.
    fn quantile(&self, share: f64) -> Duration {
        let tenth = ((share * 10.0) as usize).min(9);
        let [least, most] = [tenth, tenth + 1].map(|place| duration_ns(self.deciles[place]) as f64);
        Duration::from_nanos((least + (most - least) * (share * 10.0 - tenth as f64)) as u64)
    }

    /// Whether a teardown is over by now; that one is then taken off.
    pub fn take_due(&mut self, now: Nanos) -> bool {
        let due = self.next().is_some_and(|at| at <= now);
        if due {
            self.due.pop();
        }
        due
    }

    /// When the next one is over.
    #[must_use]
    pub fn next(&self) -> Option<Nanos> {
        self.due.peek().map(|Reverse(at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teardowns_are_over_one_by_one_and_are_spread_as_measured() {
        let deciles = measured();
        let mut teardowns = Teardowns::new(deciles);
        let taken: Vec<Nanos> = (0..1000).map(|_| teardowns.close(Nanos(0))).collect();
        for (tenth, decile) in (0..).zip(deciles) {
            let below = taken.iter().filter(|at| **at < Nanos(0).after(decile)).count();
            assert!(below.abs_diff(tenth * 100) <= 10, "{below} below decile {tenth}");
        }
        assert!(!teardowns.take_due(Nanos(0).after(deciles[0] / 2)));
        let middle = Nanos(0).after(deciles[5]);
        let mut over = 0;
        while teardowns.take_due(middle) {
            over += 1;
        }
        assert_eq!(over, taken.iter().filter(|at| **at <= middle).count());
        assert!(teardowns.next() > Some(middle));
    }
}
