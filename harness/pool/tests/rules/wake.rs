//! Waking: one worker per insertion, the last that went idle, and what counts as woken.

use super::bench::{Bench, CONCURRENT, PLAIN, write};
use iowq_pool::{NextStep, WorkerState};

#[test]
fn the_worker_that_went_idle_last_is_woken_first() {
    let mut bench = Bench::new("6.12", 64);
    let [one, two] = bench.two_busy();
    bench.finish_and_park(two);
    bench.finish_and_park(one);
    bench.enqueue(PLAIN);
    assert_eq!(bench.wakes(), [one]);
}

#[test]
fn since_6_6_a_burst_wakes_the_same_worker_and_creates_none() {
    let mut bench = Bench::new("6.12", 64);
    let id = bench.idle_worker();
    for _ in 0..5 {
        assert_eq!(bench.enqueue(CONCURRENT).1, None);
    }
    assert_eq!(bench.wakes(), [id], "it is unparked once");
    assert_eq!(bench.workers(), 1);
}

#[test]
fn only_a_sleeping_worker_counts_as_woken_in_6_1() {
    let mut bench = Bench::new("6.1", 64);
    let id = bench.idle_worker();
    assert_eq!(bench.enqueue(CONCURRENT).1, None);
    assert_eq!(bench.wakes(), [id]);
    assert!(bench.enqueue(CONCURRENT).1.is_some(), "the woken one does not count twice");
}

#[test]
fn in_6_1_the_next_free_worker_is_tried_if_the_first_is_awake() {
    let mut bench = Bench::new("6.1", 64);
    let [one, two] = bench.two_busy();
    bench.finish_and_park(one);
    bench.finish_and_park(two);
    bench.enqueue(PLAIN);
    bench.enqueue(PLAIN);
    assert_eq!(bench.wakes(), [two, one]);
}

#[test]
fn a_new_worker_counts_as_free_before_it_runs() {
    let mut bench = Bench::new("6.17", 64);
    let (_, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.state.worker_state(id), WorkerState::Created);
    assert_eq!(bench.enqueue(CONCURRENT).1, None);
    assert!(bench.wakes().is_empty(), "it is on its way already");
}

#[test]
fn a_worker_leaves_the_free_list_when_it_gets_work_not_when_woken() {
    let mut bench = Bench::new("6.12", 64);
    let id = bench.idle_worker();
    bench.enqueue(PLAIN);
    bench.state.woke(id, false);
    assert_eq!(bench.enqueue(CONCURRENT).1, None, "woken, but still free");
    assert!(matches!(bench.next_step(id), NextStep::Run(_)));
    assert!(bench.enqueue(CONCURRENT).1.is_some(), "busy now");
}

#[test]
fn a_woken_worker_that_finds_the_queue_stalled_stays_free() {
    let mut bench = Bench::new("6.17", 64);
    let idle = bench.idle_worker();
    let (first, _) = bench.enqueue(write(1));
    bench.state.woke(idle, false);
    assert_eq!(bench.next_step(idle), NextStep::Run(first));
    let second = bench.enqueue(CONCURRENT).1.expect("the only worker is busy");
    bench.state.spawned(second);
    let NextStep::Run(_) = bench.start(second) else { panic!("it has the fsync to do") };
    bench.finish_and_park(second);
    bench.enqueue(write(1));
    bench.state.woke(second, false);
    assert_eq!(bench.next_step(second), NextStep::Sleep, "the bucket is busy");
    assert_eq!(bench.enqueue(CONCURRENT).1, None, "so it is still free for other work");
}

#[test]
fn a_wake_between_the_last_look_and_the_sleep_is_not_lost() {
    for policy in ["6.1", "6.12", "6.17"] {
        let mut bench = Bench::new(policy, 64);
        let (work, id) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(id), NextStep::Run(work));
        assert_eq!(bench.finish(id), NextStep::Rescan);
        assert_eq!(bench.next_step(id), NextStep::Sleep);
        let (work, created) = bench.enqueue(PLAIN);
        assert_eq!(created, None, "{policy}: it is on the free list and wakes");
        assert!(!bench.sleep(id), "{policy}");
        assert_eq!(bench.next_step(id), NextStep::Run(work), "{policy}");
    }
}

#[test]
fn before_6_16_a_worker_that_goes_idle_over_queued_work_requests_another() {
    for (policy, asks) in [("6.12", true), ("6.12+idle-never-spawns", false), ("6.16", false)] {
        let mut bench = Bench::new(policy, 64);
        let [one, two] = bench.two_busy();
        bench.finish_and_park(one);
        assert_eq!(bench.finish(two), NextStep::Rescan);
        bench.scan_in_vain_then_let_the_other_be_woken(two, one);
        assert!(bench.sleep(two), "{policy}: this one was not woken");
        assert_eq!(bench.state.creation_pending(), asks, "{policy}");
    }
}

impl Bench {
    /// Worker `idle` finds nothing; then a work comes that wakes `other`, which is first in line.
    fn scan_in_vain_then_let_the_other_be_woken(
        &mut self,
        idle: iowq_pool::WorkerId,
        other: iowq_pool::WorkerId,
    ) {
        assert_eq!(self.next_step(idle), NextStep::Sleep);
        // `other` was parked first, so it is behind `idle` unless it goes idle once more.
        self.state.woke(other, false);
        let (work, _) = self.enqueue(PLAIN);
        assert_eq!(self.next_step(other), NextStep::Run(work));
        self.wakes();
        self.state.finish(other, iowq_pool::WorkOutcome::Done, &mut self.effects);
        assert_eq!(self.next_step(other), NextStep::Sleep);
        assert!(self.sleep(other));
        // The enqueue above woke `idle` too, which scans again in vain.
        assert!(!self.sleep(idle));
        assert_eq!(self.next_step(idle), NextStep::Sleep);
        self.enqueue(PLAIN);
        assert_eq!(self.wakes(), [other]);
    }
}
