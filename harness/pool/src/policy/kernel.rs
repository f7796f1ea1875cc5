//! The kernel's rules, with each commit as a patch.

use std::time::Duration;

use super::flags;
use super::patch::{Patch, Patches};
use super::rules::{Creation, Policy, ProbeRule, RETRY_STEP};
use super::view::{PuntedOp, View};
use crate::work::Flags;

/// io-wq of a kernel with these patches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    pub(super) patches: Patches,
}

impl Kernel {
    fn has(&self, patch: Patch) -> bool {
        self.patches.has(patch)
    }
}

impl Policy for Kernel {
    fn spawn_on_enqueue(&mut self, view: &View) -> bool {
        view.concurrent || view.running == 0
    }

    fn spawn_on_block(&mut self, view: &View) -> bool {
        if self.has(Patch::IdleNeverSpawns) && !view.held.is_some() {
            return false;
        }
        !(self.has(Patch::SkipSameBucket) && view.held.same_bucket(view.head))
    }

    fn exit_when_idle(&mut self, view: &View) -> bool {
        // One worker per account is kept, however long it idles.
        let surplus = view.timed_out && view.workers > 1;
        surplus || (self.has(Patch::ExitOnIdle) && view.no_ring)
    }

    fn on_request(&mut self, view: &View) -> Creation {
        let rechecks = self.has(Patch::RecheckAsPosted) || self.has(Patch::RecheckFreeWorker);
        let wakeable = if self.awake_counts() { view.free } else { view.asleep };
        if rechecks && wakeable > 0 { Creation::WakeFree } else { Creation::Spawn }
    }

    fn flags(&self, op: PuntedOp) -> Flags {
        flags::of(self.patches, op)
    }

    fn exceeds_limit(&self) -> bool {
        self.has(Patch::RecheckAsPosted)
    }

    fn awake_counts(&self) -> bool {
        self.has(Patch::WakeCountsAwake)
    }

    fn wakes_on_last_close(&self) -> bool {
        self.has(Patch::ExitOnIdle)
    }

    fn retry_delay(&self, retry: u32) -> Duration {
        if self.has(Patch::RetryDelay) { RETRY_STEP * retry } else { Duration::ZERO }
    }

    fn stays_while_requesting(&self) -> bool {
        self.has(Patch::Retire)
    }

    fn unhashed_frees_bucket_0(&self) -> bool {
        !self.has(Patch::UnhashedKeepsBucket0)
    }

    fn probe_rule(&self) -> ProbeRule {
        if self.has(Patch::SkipSameBucket) { ProbeRule::SkipSameBucket } else { ProbeRule::Request }
    }

    fn needs_clock(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::Registry;
    use super::*;
    use crate::work::Key;

    fn policy(name: &str) -> Box<dyn Policy> {
        Registry::builtin().parse(name).expect(name).build()
    }

    #[test]
    fn a_blocking_worker_requests_another_by_the_rules_of_its_release() {
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
            let view = View { held, head, ..View::default() };
            for old in ["6.1", "6.12.0", "6.12"] {
                assert_eq!(policy(old).spawn_on_block(&view), before, "{old} {view:?}");
            }
            assert_eq!(policy("6.16").spawn_on_block(&view), after, "6.16 {view:?}");
            assert_eq!(policy("6.17").spawn_on_block(&view), after, "6.17 {view:?}");
        }
    }

    #[test]
    fn a_request_first_looks_for_a_free_worker_since_6_17() {
        for (free, expected) in [(0, Creation::Spawn), (1, Creation::WakeFree)] {
            let view = View { free, asleep: free, ..View::default() };
            assert_eq!(policy("6.12").on_request(&view), Creation::Spawn, "6.12 {view:?}");
            assert_eq!(policy("6.16").on_request(&view), Creation::Spawn, "6.16 {view:?}");
            assert_eq!(policy("6.17").on_request(&view), expected, "6.17 {view:?}");
            assert_eq!(policy("6.17-as-posted").on_request(&view), expected, "posted {view:?}");
        }
        let awake = View { free: 1, ..View::default() };
        assert_eq!(policy("6.17-wake-counts-awake").on_request(&awake), Creation::Spawn);
    }

    #[test]
    fn only_the_patch_as_posted_exceeds_the_limit() {
        for name in Registry::builtin().presets() {
            assert_eq!(policy(name.name).exceeds_limit(), name.name == "6.17-as-posted");
        }
    }

    #[test]
    fn an_idle_worker_exits_by_the_rules_of_its_release() {
        // timed out, workers, no ring: 6.17, exit-on-idle
        let rows = [
            (true, 2, false, true, true),
            (true, 1, false, false, false),
            (true, 1, true, false, true),
            (false, 9, false, false, false),
            (false, 9, true, false, true),
        ];
        for (timed_out, workers, no_ring, stock, on_idle) in rows {
            let view = View { timed_out, workers, no_ring, ..View::default() };
            assert_eq!(policy("6.17").exit_when_idle(&view), stock, "6.17 {view:?}");
            assert_eq!(policy("exit-on-idle").exit_when_idle(&view), on_idle, "{view:?}");
        }
    }

    #[test]
    fn enqueueing_creates_for_concurrent_work_or_if_none_is_running() {
        for (concurrent, running, expected) in
            [(true, 3, true), (false, 1, false), (false, 0, true), (true, 0, true)]
        {
            let view = View { concurrent, running, ..View::default() };
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

    #[test]
    fn the_probe_withholds_only_what_the_policy_would_refuse() {
        let bucket = Key::of(Some(0));
        for name in ["6.1", "6.12.0", "6.12", "6.16", "6.17", "exit-on-idle", "fixed:2"] {
            let mut policy = policy(name);
            let mut spawns =
                |held, head| policy.spawn_on_block(&View { held, head, ..View::default() });
            let expected = match (spawns(Key::UNHASHED, Key::UNHASHED), spawns(bucket, bucket)) {
                (false, _) => ProbeRule::Never,
                (true, false) => ProbeRule::SkipSameBucket,
                (true, true) => ProbeRule::Request,
            };
            assert_eq!(policy.probe_rule(), expected, "{name}");
        }
    }
}
