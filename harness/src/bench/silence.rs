//! Silence: how long a run sent no message, which tells one that hangs from one that is slow.

use std::time::Duration;

use iowq_workloads::{Arrival, Plan};

use crate::clock::Nanos;

/// How long a run may be silent beyond what its workload waits: a disk that hangs gives a request
/// up within minutes, after some tries of half a minute each.
const GRACE: Duration = Duration::from_secs(600);

/// A bench that did not look for this long was stopped itself, and took no message.
const STOPPED: Duration = Duration::from_secs(1);

/// Gaps between random arrivals in means, at most: one in 100 million is longer.
const GAP_MEANS_MAX: f64 = 20.0;

/// How long a run of this plan may be silent before it counts as hung.
pub(super) fn silent_max(plan: &Plan) -> Duration {
    GRACE + plan.streams().map(silent).max().unwrap_or_default()
}

/// How long a stream is silent by its own will.
fn silent(plan: &Plan) -> Duration {
    let gap = match plan.arrival {
        Arrival::Closed { pause, .. } => pause,
        Arrival::Rate { per_s } => Duration::from_secs_f64(1.0 / per_s),
        Arrival::Poisson { per_s } => Duration::from_secs_f64(GAP_MEANS_MAX / per_s),
        Arrival::Bursts { gap, .. } => gap,
    };
    gap + plan.life.closed + plan.life.linger + plan.begins_after
}

/// How long no message came.
pub(super) struct Silence {
    max: Duration,
    messages: u64,
    last_at: Nanos,
    looked: Nanos,
}

impl Silence {
    /// From now on; `max` is how long it may last.
    pub(super) fn begin(max: Duration, now: Nanos) -> Silence {
        Silence { max, messages: 0, last_at: now, looked: now }
    }

    /// Whether it is too long; `messages` is how many came until now.
    pub(super) fn is_too_long(&mut self, messages: u64, now: Nanos) -> bool {
        if messages != self.messages || self.looked.after(STOPPED) < now {
            (self.messages, self.last_at) = (messages, now);
        }
        self.looked = now;
        self.last_at.after(self.max) < now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tenths: u64) -> Nanos {
        Nanos(tenths * 100_000_000)
    }

    #[test]
    fn a_run_that_says_something_now_and_then_may_last_for_ever_and_a_silent_one_may_not() {
        let mut silence = Silence::begin(Duration::from_secs(5), at(0));
        for now in 0..1000 {
            assert!(!silence.is_too_long(now / 40, at(now)), "{now}");
        }
        let late = (1000..2000).find(|&now| silence.is_too_long(24, at(now)));
        assert_eq!(late, Some(960 + 51), "five seconds after the last word");
    }

    #[test]
    fn a_bench_that_was_stopped_gives_its_run_all_the_time_again() {
        let mut silence = Silence::begin(Duration::from_secs(5), at(0));
        assert!(!silence.is_too_long(0, at(5)));
        assert!(!silence.is_too_long(0, at(10_000)), "it did not look for a quarter of an hour");
        assert!((10_001..11_000).any(|now| silence.is_too_long(0, at(now))));
    }

    #[test]
    fn what_a_workload_waits_for_by_itself_is_no_silence() {
        let slow = [
            ("pattern = \"rate\"\nper_s = 0.1", "", 10),
            ("pattern = \"poisson\"\nper_s = 0.1", "", 200),
            ("pattern = \"bursts\"\nburst_ops = 1\ngap_ms = 5000", "", 5),
            ("pause_ms = 3000", "depth = 1", 3),
            ("", "reopen_after_ops = 2\nclosed_ms = 4000\nlinger_ms = 1000", 5),
        ];
        for (arrival, ring, seconds) in slow {
            let text = format!("[arrival]\n{arrival}\n[ring]\n{ring}");
            let plan = Plan::parse("slow", "slow.toml", &text).expect("a valid spec");
            assert_eq!(silent_max(&plan), GRACE + Duration::from_secs(seconds), "{arrival} {ring}");
        }
    }
}
