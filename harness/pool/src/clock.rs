//! The clock: the only door to time. Nanoseconds of `CLOCK_MONOTONIC`, as the BPF programs use it.

use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// A point on `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Nanoseconds from `earlier` to `self`; zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Nanos) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The point that much later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Nanos {
        Nanos(self.0.saturating_add(duration_ns(wait)))
    }

    /// How long it is from `now` until here; zero where that has passed.
    #[must_use]
    pub fn until(self, now: Nanos) -> Duration {
        Duration::from_nanos(self.since(now))
    }
}

/// The time now.
#[must_use]
pub fn now() -> Nanos {
    let time = clock_gettime(ClockId::Monotonic);
    // CLOCK_MONOTONIC counts from boot, so neither field is ever negative.
    Nanos(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Processor time of the whole process so far, user and system, in nanoseconds: of all its threads,
/// those that io_uring made for it and those that have ended too.
#[must_use]
pub fn process_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // It counts from the start of the process, so neither field is ever negative.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How long this machine was suspended since it was booted, in nanoseconds, to some microseconds.
#[must_use]
pub fn suspended_ns() -> u64 {
    // Of several looks the one that took least between its two clocks is nearest, and the largest.
    let look = |_| {
        let boot = clock_gettime(ClockId::Boottime);
        (boot.tv_sec as u64 * 1_000_000_000 + boot.tv_nsec as u64).saturating_sub(now().0)
    };
    (0..5).map(look).max().unwrap_or_default()
}

/// The date and time in UTC, as RFC 3339 has it, to say when something was done; it may jump, so
/// never to measure.
#[must_use]
pub fn wall_clock() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whole nanoseconds of a duration, 584 years at most.
#[must_use]
pub fn duration_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
