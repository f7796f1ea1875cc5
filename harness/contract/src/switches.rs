//! Context switches of workers: what the kernel counted, and what the scheduler's probe saw of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Context switches of all workers while the scheduler's probe knew them. What was missed is exact:
/// the difference between the kernel's own count for each thread and the probe's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Switches {
    /// Times that a worker was taken off a processor, by the kernel's count.
    pub outs: u64,
    /// Those of them in which it went to sleep, in a work or between works.
    pub outs_asleep: u64,
    /// Of `outs`, those that the probe did not see.
    pub outs_missed: u64,
    /// Of `outs_asleep`, those that the probe did not see. In a work each left the running count
    /// one too high for that sleep, so that a worker may be missing that would have been created.
    pub outs_asleep_missed: u64,
    /// Times that a worker was put back on a processor and the probe did not see it, in a work or
    /// between works.
    pub ins_missed: u64,
    /// Those of them that ended a sleep in a work. Each left the running count one too low until
    /// the worker's next switch or the end of its work, if it was noticed and made good; a
    /// worker may have been created too many.
    pub ins_missed_in_works: u64,
}

/// What share of decisions may be spoiled before nothing can be said about churn: a fifth of the 5 % that a comparison takes for an effect
/// unless it is told otherwise.
pub const SPOILED_MAX: f64 = 0.01;

impl Switches {
    /// How many decisions, whether a worker is to be created, missed switches can have spoiled.
    ///
    /// A missed sleep leaves the count wrong until that worker wakes, in which time each of the
    /// others goes to sleep about once: there are `peak` of them at most. A missed return leaves it
    /// wrong while that worker has a processor, in which time about one worker goes to sleep on
    /// each of the `cpus`. What is missed depends on what else the machine runs and not on what is
    /// decided, so that workers created are off by no larger share than decisions are.
    #[must_use]
    pub fn spoiled_decisions(&self, peak: u32, cpus: u32) -> f64 {
        self.outs_asleep_missed as f64 * f64::from(peak.max(1))
            + self.ins_missed_in_works as f64 * f64::from(cpus.max(1))
    }

    /// The same as a share of all decisions; 1 at most. One is taken at each of the `sleeps` in
    /// works, from the running count.
    #[must_use]
    pub fn spoiled(&self, sleeps: u64, peak: u32, cpus: u32) -> f64 {
        let missed = self.spoiled_decisions(peak, cpus);
        if missed == 0.0 { 0.0 } else { (missed / sleeps as f64).min(1.0) }
    }

    /// Whether too many were missed for a statement about churn: more than 1 % of decisions
    /// may be spoiled.
    #[must_use]
    pub fn spoil_churn(&self, sleeps: u64, peak: u32, cpus: u32) -> bool {
        self.spoiled(sleeps, peak, cpus) > SPOILED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_sleep_spoils_a_decision_of_each_worker_and_a_missed_return_one_on_each_processor() {
        let missed = |outs_asleep_missed, ins_missed_in_works| Switches {
            outs_asleep_missed,
            ins_missed_in_works,
            ..Switches::default()
        };
        let rows = [
            (missed(0, 0), 0, 0.0),
            (missed(0, 0), 5000, 0.0),
            (missed(1, 0), 1000, 0.008),
            (missed(0, 5), 1000, 0.01),
            (missed(1, 2), 1000, 0.012),
            (missed(0, 1), 0, 1.0),
            (missed(u64::MAX, u64::MAX), 1, 1.0),
        ];
        for (switches, sleeps, expected) in rows {
            let spoiled = switches.spoiled(sleeps, 8, 2);
            assert_eq!(spoiled, expected, "{switches:?}, {sleeps} sleeps");
            assert_eq!(switches.spoil_churn(sleeps, 8, 2), expected > 0.01, "{switches:?}");
        }
    }

    #[test]
    fn switches_that_touch_no_running_count_spoil_nothing() {
        let switches = Switches { outs: 9, outs_missed: 9, ins_missed: 9, ..Switches::default() };
        assert!(!switches.spoil_churn(100, 8, 2));
    }
}
