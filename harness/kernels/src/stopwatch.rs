//! A stopwatch: time in which this process ran. What went by while it was stopped does not count.

use std::time::{Duration, Instant};

/// A caller that waits reads the time at least this often. More than this between two readings means
/// that this process was stopped, and what it waits for may have happened long ago.
const STEP_MAX: Duration = Duration::from_secs(1);

/// Counts time from its start.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    counted: Duration,
    looked: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch { counted: Duration::ZERO, looked: Instant::now() }
    }

    /// The time that counts, up to now.
    pub(crate) fn time(&mut self) -> Duration {
        self.time_at(Instant::now())
    }

    fn time_at(&mut self, now: Instant) -> Duration {
        self.counted += now.saturating_duration_since(self.looked).min(STEP_MAX);
        self.looked = now;
        self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_took_too_long_counts_up_to_a_limit() {
        let mut watch = Stopwatch::start();
        let start = watch.looked;
        let mut after = |ms| watch.time_at(start + Duration::from_millis(ms)).as_millis();
        assert_eq!([after(400), after(1400), after(1500)], [400, 1400, 1500]);
        assert_eq!(after(3_600_000), 2500, "an hour without a reading");
        assert_eq!(after(3_600_200), 2700);
    }
}
