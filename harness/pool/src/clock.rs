//! The clock: the only door to time. Nanoseconds of `CLOCK_MONOTONIC`, as the BPF programs use it.

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

pub use crate::nanos::{Nanos, duration_ns};

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
    // Of several samples the one with the least time between its two clocks is nearest, and the largest.
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
