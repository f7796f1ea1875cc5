//! Waiting until only those workers are left that the kernel keeps for good.
//!
//! A worker that has slept through its idle timeout leaves, unless it is the last. Each counts from
//! when it last woke, so they leave one after another. Once their number has stayed the same for an
//! idle timeout and a margin, each one that is left has slept through a timeout of its own, and stayed.

use std::time::Duration;

use iowq_contract::guest::CRIU_WAIT_S_MAX;

use crate::clock::{self, Nanos};
use crate::sync::thread;

/// The kernel's timer wheel ends a long sleep late, by up to an eighth of it: with 250 ticks a second
/// a sleep of 5 s ends up to 0.26 s late.
const TIMER_SLACK_SHARE: u32 = 8;

/// What else may make a worker late: the ring is taken down in the background after its close, which
/// wakes workers, and an emulated processor is slow.
const LATE_MAX: Duration = Duration::from_millis(500);

/// The whole wait at most.
const WAIT_MAX: Duration = Duration::from_secs(CRIU_WAIT_S_MAX);

/// How often workers are counted.
const LOOK: Duration = Duration::from_millis(50);

/// How a wait ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) workers_at_close: u32,
    pub(super) waited: Duration,
    /// Whether the number stayed the same for long enough; else time was up.
    pub(super) settled: bool,
}

/// Waits until no worker exits any more. `count` returns how many there are.
pub(super) fn settle(idle_timeout: Duration, count: impl Fn() -> u32) -> Settled {
    let began = clock::now();
    let workers_at_close = count();
    let mut watch = Watch::new(idle_timeout, began, workers_at_close);
    loop {
        let now = clock::now();
        if let Some(settled) = watch.look(now, count()) {
            return Settled { workers_at_close, waited: now.until(began), settled };
        }
        thread::sleep(LOOK);
    }
}

/// The samples so far.
struct Watch {
    began: Nanos,
    changed: Nanos,
    workers: u32,
    unchanged_min: Duration,
}

impl Watch {
    fn new(idle_timeout: Duration, began: Nanos, workers: u32) -> Watch {
        let unchanged_min = idle_timeout + idle_timeout / TIMER_SLACK_SHARE + LATE_MAX;
        Watch { began, changed: began, workers, unchanged_min }
    }

    /// Whether the number has settled, once that is known; false if time is up before.
    fn look(&mut self, now: Nanos, workers: u32) -> Option<bool> {
        if workers != self.workers {
            (self.workers, self.changed) = (workers, now);
        }
        if self.unchanged_min <= now.until(self.changed) {
            Some(true)
        } else {
            (WAIT_MAX <= now.until(self.began)).then_some(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(5);

    /// When the watch ends and how many are left then, and whether they have settled, if
    /// `workers` gives their number by the milliseconds since the close.
    fn watch(idle_timeout: Duration, workers: impl Fn(u64) -> u32) -> (u64, u32, bool) {
        let at = |ms: u64| Nanos(ms * 1_000_000);
        let mut watch = Watch::new(idle_timeout, at(0), workers(0));
        let mut looks = (0..).step_by(50);
        looks
            .find_map(|ms| Some((ms, workers(ms), watch.look(at(ms), workers(ms))?)))
            .expect("each watch ends")
    }

    #[test]
    fn a_worker_that_is_left_has_slept_through_a_timeout_alone() {
        let kept = |ms| if ms < 5_200 { 20 } else { 1 };
        assert_eq!(watch(IDLE, kept), (5_200 + 6_150, 1, true));
    }

    #[test]
    fn a_kernel_that_keeps_no_worker_is_not_confused_with_one_that_keeps_the_last() {
        let last_is_late = |ms| match ms {
            0..5_000 => 20,
            5_000..10_200 => 1,
            _ => 0,
        };
        assert_eq!(watch(IDLE, last_is_late), (10_200 + 6_150, 0, true));
        let at_once = |ms| if ms < 20 { 20 } else { 0 };
        assert_eq!(watch(IDLE, at_once), (50 + 6_150, 0, true));
    }

    #[test]
    fn workers_that_leave_one_after_another_are_waited_for() {
        let (ended_ms, workers, settled) =
            watch(IDLE, |ms| 1 + u32::try_from(9_u64.saturating_sub(ms / 900)).unwrap_or(0));
        assert_eq!((workers, settled), (1, true));
        assert!(ended_ms >= 8_100 + 6_125, "{ended_ms}");
    }

    #[test]
    fn a_number_that_does_not_settle_is_reported_as_such() {
        assert_eq!(watch(IDLE, |ms| 2 + u32::from(ms % 2_000 < 1_000)), (60_000, 3, false));
        assert_eq!(watch(Duration::from_secs(3_600), |_| 1), (60_000, 1, false));
    }
}
