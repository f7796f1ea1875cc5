//! Slots and `reserved_running`: taken before a thread exists, given back on every way out.

use std::time::Duration;

use super::bench::{BOUNDED, Bench, CONCURRENT, PLAIN, UNBOUNDED, write};
use iowq_pool::work::Flags;
use iowq_pool::{AfterFailure, Completion, NextStep, WorkOutcome, WorkerId};

#[test]
fn a_creation_in_flight_counts_as_a_worker_and_as_running() {
    let mut bench = Bench::new("6.12", 64);
    let (_, id) = bench.enqueue(PLAIN);
    assert!(id.is_some());
    assert_eq!((bench.workers(), bench.running()), (1, 1));
    // So the next work that waits its turn does not create another.
    assert_eq!(bench.enqueue(PLAIN).1, None);
}

#[test]
fn a_new_thread_inherits_the_reservation_and_does_not_count_again() {
    let mut bench = Bench::new("6.12", 64);
    let (work, id) = bench.enqueue_and_make(PLAIN);
    assert_eq!(bench.start(id), NextStep::Run(work));
    assert_eq!((bench.workers(), bench.running()), (1, 1));
}

#[test]
fn at_the_limit_work_is_queued_and_that_is_no_failure() {
    let mut bench = Bench::new("6.12", 1);
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(first));
    let (second, created) = bench.enqueue(CONCURRENT);
    assert_eq!(created, None);
    assert!(bench.completions().is_empty());
    assert_eq!(bench.finish(id), NextStep::Run(second));
}

#[test]
fn a_failed_creation_is_tried_three_more_times_and_then_everything_is_given_back() {
    let mut bench = Bench::new("6.12", 64);
    let (work, id) = bench.enqueue(PLAIN);
    let id = id.expect("the first work creates a worker");
    for wait_ms in [5, 10, 15] {
        let after = bench.state.spawn_failed(id, true, &mut bench.effects);
        assert_eq!(after, AfterFailure::Retry(Duration::from_millis(wait_ms)));
        assert_eq!((bench.workers(), bench.running()), (1, 1), "held while it waits");
    }
    let after = bench.state.spawn_failed(id, true, &mut bench.effects);
    assert_eq!(after, AfterFailure::GaveUp);
    assert_eq!((bench.workers(), bench.running()), (0, 0));
    assert_eq!(bench.completions(), [Completion { work, outcome: WorkOutcome::Cancelled }]);
    assert_eq!(bench.state.tally().creations_failed, 1);
}

#[test]
fn a_failure_that_will_not_pass_is_not_tried_again() {
    let mut bench = Bench::new("6.12", 64);
    let (_, id) = bench.enqueue(PLAIN);
    let id = id.expect("the first work creates a worker");
    let after = bench.state.spawn_failed(id, false, &mut bench.effects);
    assert_eq!(after, AfterFailure::GaveUp);
}

#[test]
fn a_failed_creation_cancels_nothing_while_there_is_another_worker() {
    let mut bench = Bench::new("6.12", 64);
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(first));
    let (second, other) = bench.enqueue(CONCURRENT);
    let other = other.expect("CONCURRENT work creates a worker");
    bench.state.spawn_failed(other, false, &mut bench.effects);
    assert!(bench.completions().is_empty());
    assert_eq!((bench.workers(), bench.running()), (1, 1));
    assert_eq!(bench.finish(id), NextStep::Run(second));
}

#[test]
fn without_any_worker_left_a_failed_creation_cancels_all_pending_work() {
    let mut bench = Bench::new("6.12", 64);
    let (_, id) = bench.enqueue(PLAIN);
    let id = id.expect("the first work creates a worker");
    bench.enqueue(PLAIN);
    bench.enqueue(write(3));
    bench.state.spawn_failed(id, false, &mut bench.effects);
    let completions = bench.completions();
    assert_eq!(completions.len(), 3);
    assert!(completions.iter().all(|done| done.outcome == WorkOutcome::Cancelled));
}

#[test]
fn without_any_worker_and_none_to_come_work_is_cancelled_instead_of_waiting_for_ever() {
    let mut bench = Bench::new("fixed:1", 64);
    let id = bench.state.spawn_at_start().expect("a slot");
    bench.state.spawn_failed(id, false, &mut bench.effects);
    let (work, created) = bench.enqueue(PLAIN);
    assert_eq!(created, None);
    assert_eq!(bench.completions(), [Completion { work, outcome: WorkOutcome::Cancelled }]);
}

#[test]
fn an_account_with_a_limit_of_zero_cancels_its_work() {
    let mut bench = Bench::new("6.17", 0);
    let (work, created) = bench.enqueue(CONCURRENT);
    assert_eq!(created, None);
    assert_eq!(bench.completions(), [Completion { work, outcome: WorkOutcome::Cancelled }]);
}

#[test]
fn a_limit_that_is_lowered_to_zero_leaves_the_workers_that_are_there_and_their_work() {
    let mut bench = Bench::new("6.17", 64);
    let [id, _] = bench.two_busy();
    bench.state.set_limits([Some(0); 2]);
    let (work, created) = bench.enqueue(CONCURRENT);
    assert_eq!((created, bench.completions().len()), (None, 0));
    assert_eq!(bench.finish(id), NextStep::Run(work));
}

#[test]
fn a_request_that_finds_the_limit_reached_gives_its_reservation_back() {
    let mut bench = Bench::new("6.12", 1);
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(first));
    bench.enqueue(write(1));
    bench.block(id);
    assert_eq!(bench.running(), 1, "the request counts as running");
    assert_eq!(bench.run_creation(), None);
    assert_eq!((bench.workers(), bench.running()), (1, 0));
}

#[test]
fn at_the_limit_a_request_is_met_as_each_release_meets_it() {
    // free worker: workers counted, and whether one is created
    for (policy, free, expected) in [
        ("6.16", false, (2, false)),
        ("6.17", false, (2, false)),
        ("6.17", true, (2, false)),
        ("6.17-as-posted", true, (2, false)),
        ("6.17-as-posted", false, (2, true)),
    ] {
        let mut bench = Bench::new(policy, 2);
        let [one, two] = bench.two_busy();
        bench.enqueue(write(1));
        bench.block(one);
        bench.block(two);
        assert!(bench.state.creation_pending(), "{policy}");
        if free {
            bench.state.unblock(two);
            let work = bench.finish(two);
            assert!(matches!(work, NextStep::Run(_)), "{policy}");
            bench.finish_and_park(two);
        }
        let created = bench.run_creation().is_some();
        assert_eq!((bench.workers(), created), expected, "{policy}, free: {free}");
        assert_eq!(bench.wakes().len(), usize::from(free), "{policy}, free: {free}");
    }
}

#[test]
fn a_worker_has_one_request_pending_at_most() {
    let mut bench = Bench::new("6.12", 64);
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(first));
    bench.enqueue(write(1));
    bench.block(id);
    bench.state.unblock(id);
    bench.block(id);
    bench.state.unblock(id);
    bench.block(id);
    assert_eq!(bench.running(), 1);
    assert!(bench.run_creation().is_some());
    assert_eq!(bench.run_creation(), None);
}

#[test]
fn only_the_submitter_carries_out_a_request() {
    let mut bench = Bench::new("6.12", 64);
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(first));
    bench.enqueue(write(1));
    bench.block(id);
    assert!(bench.effects.notify, "the submitter is called");
    assert!(bench.effects.spawn.is_none(), "and nothing is created here");
    assert_eq!(bench.workers(), 1);
}

#[test]
fn a_slot_is_given_up_before_the_thread_is_gone() {
    let mut bench = Bench::new("6.12", 2);
    let [one, _] = bench.two_busy();
    bench.finish_and_park(one);
    bench.state.woke(one, true);
    assert_eq!(bench.next_step(one), NextStep::Exit);
    assert_eq!((bench.workers(), bench.state.alive()), (1, 2));
    bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.state.alive(), 3, "one more than the limit lives for a moment");
}

#[test]
fn a_lower_limit_ends_no_worker() {
    let mut bench = Bench::new("6.12", 8);
    bench.two_busy();
    bench.state.set_limits([Some(1); 2]);
    assert_eq!(bench.workers(), 2);
    assert_eq!(bench.enqueue(CONCURRENT).1, None);
}

#[test]
fn the_accounts_have_workers_and_limits_of_their_own() {
    let mut bench = Bench::new("6.12", 1);
    bench.enqueue_and_make(CONCURRENT);
    let unbounded = Flags { account: UNBOUNDED, ..CONCURRENT };
    let (_, id) = bench.enqueue_and_make(unbounded);
    assert_eq!(bench.state.worker_account(id), UNBOUNDED);
    assert_eq!(bench.state.workers_counted(BOUNDED), 1);
    assert_eq!(bench.state.workers_counted(UNBOUNDED), 1);
}

#[test]
fn a_pool_without_room_for_another_worker_gives_everything_back() {
    let mut bench = Bench::with_room("6.12", 64, 2);
    bench.two_busy();
    let (work, created) = bench.enqueue(CONCURRENT);
    assert_eq!(created, None);
    assert_eq!((bench.workers(), bench.running()), (2, 2));
    assert_eq!(bench.state.tally().creations_failed, 1);
    assert_eq!(bench.finish(WorkerId(0)), NextStep::Run(work), "it is not lost");
}

#[test]
fn a_slot_is_not_used_again_before_its_creator_is_back_from_making_the_thread() {
    let mut bench = Bench::with_room("exit-on-idle", 64, 1);
    bench.state.ring_gone(&mut bench.effects);
    let (work, id) = bench.enqueue(CONCURRENT);
    let id = id.expect("the first work creates a worker");
    // The thread is born, does its work and leaves while its creator has not yet said so.
    assert_eq!(bench.start(id), NextStep::Run(work));
    assert_eq!(bench.finish(id), NextStep::Exit);
    bench.state.exited(id);
    assert_eq!(bench.enqueue(CONCURRENT).1, None);
    bench.state.spawned(id);
    assert_eq!(bench.state.alive(), 0);
    assert_eq!(bench.enqueue(CONCURRENT).1, Some(id));
}
