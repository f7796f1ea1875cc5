//! Points in time as values: nanoseconds of `CLOCK_MONOTONIC`, without a clock.

use std::time::Duration;

/// A point on `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Nanoseconds from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Nanos) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The point `wait` later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Nanos {
        Nanos(self.0.saturating_add(duration_ns(wait)))
    }

    /// The time from `now` to `self`; zero if `self` has passed.
    #[must_use]
    pub fn until(self, now: Nanos) -> Duration {
        Duration::from_nanos(self.since(now))
    }
}

/// Whole nanoseconds of a duration, 584 years at most.
#[must_use]
pub fn duration_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
