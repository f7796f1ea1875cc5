//! Teardown: a ring that was closed is its task's until the kernel has torn it down.
//!
//! The kernel kills the ring's references, waits until no processor can still hold one (a grace
//! period of RCU), and only then has the task itself drop the ring. exit-on-idle asks at that
//! moment whether the task has another ring, and not when the file is closed (912146614894).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::clock::Nanos;

/// From the close of a ring to the moment at which its task drops it, least and most. Measured on
/// Linux 6.18.44 (HZ=250, two processors): of 300 closes of a process that slept, most took 12 to 19
/// ms and all but a few 8 to 23; forty rings with 10 ms in between had a fiftieth to a fifth dropped
/// by then, with 20 ms two thirds to nine in ten.
pub const TEARDOWN: [Duration; 2] = [Duration::from_millis(8), Duration::from_millis(22)];

/// How far the golden ratio goes beyond 1, in 2^-64: steps of it are spread evenly over a range.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The rings that were closed and are not torn down yet.
#[derive(Debug)]
pub struct Teardowns {
    range: [Duration; 2],
    closed: u64,
    due: BinaryHeap<Reverse<Nanos>>,
}

impl Teardowns {
    /// Each teardown takes a time from this range, least and most.
    #[must_use]
    pub fn new(range: [Duration; 2]) -> Teardowns {
        Teardowns { range, closed: 0, due: BinaryHeap::new() }
    }

    /// A ring is closed now. Returns when it will be torn down.
    pub fn close(&mut self, now: Nanos) -> Nanos {
        // From the middle on, so that a lone close takes what most take.
        let share = self.closed.wrapping_mul(STEP).wrapping_add(1 << 63) as f64 / 2f64.powi(64);
        self.closed += 1;
        let [least, most] = self.range;
        let at = now.after(least + most.saturating_sub(least).mul_f64(share));
        self.due.push(Reverse(at));
        at
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
    fn teardowns_are_over_one_by_one_within_the_range_and_evenly_spread() {
        let mut teardowns = Teardowns::new(TEARDOWN);
        let [least, most] = TEARDOWN;
        let mut late = 0;
        for _ in 0..1000 {
            let at = teardowns.close(Nanos(0));
            assert!((Nanos(0).after(least)..=Nanos(0).after(most)).contains(&at));
            late += u32::from(at > Nanos(0).after((least + most) / 2));
        }
        assert!((490..=510).contains(&late), "{late}");
        assert!(!teardowns.take_due(Nanos(0).after(least / 2)));
        let mut over = 0;
        while teardowns.take_due(Nanos(0).after((least + most) / 2)) {
            over += 1;
        }
        assert_eq!(over + late, 1000);
        assert!(teardowns.next() > Some(Nanos(0).after((least + most) / 2)));
    }
}
