//! The kernel's rules, with each commit as a switch.

use std::time::Duration;

use super::super::work::Flags;
use super::switch::{Switch, Switches};
use super::{Creation, CreationView, EnqueueView, IdleView, Policy, PuntedOp, SleepView, flags};

/// Step by which the wait before a retry grows (13918315c5dc).
const RETRY_STEP: Duration = Duration::from_millis(5);

/// io-wq as a kernel with these commits has it.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The commits it has.
    pub switches: Switches,
}

impl Kernel {
    fn has(&self, switch: Switch) -> bool {
        self.switches.has(switch)
    }
}

impl Policy for Kernel {
    fn switches(&self) -> Vec<&'static str> {
        self.switches.iter().map(Switch::name).collect()
    }

    fn flags(&self, op: PuntedOp) -> Flags {
        flags::of(self.switches, op)
    }

    fn awake_counts(&self) -> bool {
        self.has(Switch::WakeCountsAwake)
    }

    fn spawn_on_enqueue(&self, view: &EnqueueView) -> bool {
        view.concurrent || view.running == 0
    }

    fn spawn_on_sleep(&self, view: &SleepView) -> bool {
        if self.has(Switch::IdleNeverSpawns) && !view.held.is_some() {
            return false;
        }
        !(self.has(Switch::SkipSameBucket) && view.held.same_bucket(view.head))
    }

    fn on_creation(&self, view: &CreationView) -> Creation {
        let as_posted = self.has(Switch::RecheckAsPosted);
        if view.free && (as_posted || self.has(Switch::RecheckFreeWorker)) {
            return Creation::WakeFree;
        }
        let below_limit = view.workers < view.limit;
        if below_limit || as_posted {
            return Creation::Spawn { counted: below_limit };
        }
        Creation::Drop
    }

    fn leave_when_idle(&self, view: &IdleView) -> bool {
        // One worker per account is kept, however long it idles.
        let surplus = view.timed_out && view.workers > 1;
        surplus || (self.has(Switch::ExitOnIdle) && view.no_ring)
    }

    fn wakes_on_last_close(&self) -> bool {
        self.has(Switch::ExitOnIdle)
    }

    fn retry_delay(&self, retry: u32) -> Duration {
        if self.has(Switch::RetryDelay) { RETRY_STEP * retry } else { Duration::ZERO }
    }

    fn stays_while_asked(&self) -> bool {
        self.has(Switch::Retire)
    }

    fn unhashed_frees_bucket_0(&self) -> bool {
        !self.has(Switch::UnhashedKeepsBucket0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::work::Key;
    use super::super::parse;
    use super::*;

    fn policy(name: &str) -> Box<dyn Policy> {
        parse(name).expect(name)
    }

    fn held_and_head(held: Key, head: Key) -> SleepView {
        SleepView { held, head }
    }

    #[test]
    fn a_sleeping_worker_asks_for_another_by_the_rules_of_its_release() {
        let (one, two) = (Key::of(Some(1)), Key::of(Some(2)));
        // held, head: 6.12, 6.16
        let rows = [
            (Key::NONE, one, true, false),
            (Key::NONE, Key::UNHASHED, true, false),
            (one, one, true, false),
            (one, two, true, true),
            (one, Key::UNHASHED, true, true),
            (Key::UNHASHED, one, true, true),
            (Key::UNHASHED, Key::UNHASHED, true, true),
        ];
        for (held, head, before, after) in rows {
            let view = held_and_head(held, head);
            for old in ["6.1", "6.12.0", "6.12"] {
                assert_eq!(policy(old).spawn_on_sleep(&view), before, "{old} {view:?}");
            }
            assert_eq!(policy("6.16").spawn_on_sleep(&view), after, "6.16 {view:?}");
            assert_eq!(policy("6.17").spawn_on_sleep(&view), after, "6.17 {view:?}");
        }
    }

    #[test]
    fn a_creation_is_carried_out_by_the_rules_of_its_release() {
        let counted = Creation::Spawn { counted: true };
        // workers, limit, free: 6.12 and 6.16, 6.17, as posted
        let rows = [
            (1, 8, false, counted, counted, counted),
            (1, 8, true, counted, Creation::WakeFree, Creation::WakeFree),
            (8, 8, true, Creation::Drop, Creation::WakeFree, Creation::WakeFree),
            (8, 8, false, Creation::Drop, Creation::Drop, Creation::Spawn { counted: false }),
        ];
        for (workers, limit, free, old, mended, posted) in rows {
            let view = CreationView { workers, limit, free };
            assert_eq!(policy("6.12").on_creation(&view), old, "6.12 {view:?}");
            assert_eq!(policy("6.16").on_creation(&view), old, "6.16 {view:?}");
            assert_eq!(policy("6.17").on_creation(&view), mended, "6.17 {view:?}");
            assert_eq!(policy("6.17-as-posted").on_creation(&view), posted, "posted {view:?}");
        }
    }

    #[test]
    fn an_idle_worker_leaves_by_the_rules_of_its_release() {
        // timed out, workers, no ring: 6.17, exit-on-idle
        let rows = [
            (true, 2, false, true, true),
            (true, 1, false, false, false),
            (true, 1, true, false, true),
            (false, 9, false, false, false),
            (false, 9, true, false, true),
        ];
        for (timed_out, workers, no_ring, stock, on_idle) in rows {
            let view = IdleView { timed_out, workers, no_ring };
            assert_eq!(policy("6.17").leave_when_idle(&view), stock, "6.17 {view:?}");
            assert_eq!(policy("exit-on-idle").leave_when_idle(&view), on_idle, "{view:?}");
        }
    }

    #[test]
    fn enqueueing_creates_for_concurrent_work_or_when_nobody_runs() {
        for (concurrent, running, expected) in
            [(true, 3, true), (false, 1, false), (false, 0, true), (true, 0, true)]
        {
            let view = EnqueueView { concurrent, running };
            assert_eq!(policy("6.17").spawn_on_enqueue(&view), expected, "{view:?}");
        }
    }

    #[test]
    fn failed_creations_wait_longer_each_time_since_6_12_20() {
        for old in ["6.1", "6.12.0"] {
            assert_eq!(policy(old).retry_delay(3), Duration::ZERO, "{old}");
        }
        assert_eq!(policy("6.12").retry_delay(3), Duration::from_millis(15));
    }
}
