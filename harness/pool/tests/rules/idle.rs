//! Idling: the timeout, the worker that is kept, and rings that are gone. Time is what tests say.

use super::bench::{Bench, CONCURRENT, PLAIN, UNBOUNDED};
use iowq_pool::work::Flags;
use iowq_pool::{NextStep, WorkerId, WorkerState};

fn two_parked(policy: &str) -> (Bench, [WorkerId; 2]) {
    let mut bench = Bench::new(policy, 64);
    let works = bench.two_busy();
    for id in works {
        bench.finish_and_park(id);
    }
    (bench, works)
}

#[test]
fn a_worker_leaves_after_a_whole_timeout_below_the_limit_too() {
    for policy in ["6.1", "6.12", "6.16", "6.17", "exit-on-idle"] {
        let (mut bench, [cold, _]) = two_parked(policy);
        bench.state.woke(cold, true);
        assert_eq!(bench.next_step(cold), NextStep::Exit, "{policy}");
        bench.state.exited(cold);
        assert_eq!((bench.workers(), bench.state.alive()), (1, 1), "{policy}");
    }
}

#[test]
fn the_last_worker_of_an_account_never_times_out() {
    let (mut bench, [cold, last]) = two_parked("6.17");
    bench.state.woke(cold, true);
    assert_eq!(bench.next_step(cold), NextStep::Exit);
    for _ in 0..100 {
        bench.state.woke(last, true);
        assert_eq!(bench.next_step(last), NextStep::Sleep);
        assert!(bench.sleep(last));
    }
}

#[test]
fn each_account_keeps_one() {
    let mut bench = Bench::new("6.17", 64);
    let bounded = bench.idle_worker();
    let (work, unbounded) = bench.enqueue_and_make(Flags { account: UNBOUNDED, ..CONCURRENT });
    assert_eq!(bench.start(unbounded), NextStep::Run(work));
    bench.finish_and_park(unbounded);
    for id in [bounded, unbounded] {
        bench.state.woke(id, true);
        assert_eq!(bench.next_step(id), NextStep::Sleep);
    }
}

#[test]
fn any_wake_starts_the_timeout_anew_also_a_useless_one() {
    let (mut bench, [_, warm]) = two_parked("6.17");
    bench.enqueue(PLAIN);
    assert_eq!(bench.wakes(), [warm]);
    // It timed out at that very moment, but the wake was first.
    bench.state.woke(warm, true);
    assert!(matches!(bench.next_step(warm), NextStep::Run(_)));
    bench.finish_and_park(warm);
    bench.state.woke(warm, false);
    assert_eq!(bench.next_step(warm), NextStep::Sleep, "no whole timeout has passed");
}

#[test]
fn work_that_came_with_the_timeout_is_done_first() {
    let (mut bench, [_, warm]) = two_parked("6.17");
    let (work, _) = bench.enqueue(PLAIN);
    bench.state.woke(warm, true);
    assert_eq!(bench.next_step(warm), NextStep::Run(work));
}

#[test]
fn a_worker_whose_request_is_pending_does_not_leave() {
    let mut bench = Bench::new("6.12", 64);
    let (work, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(work));
    bench.idle_worker();
    bench.enqueue(PLAIN);
    bench.block(id);
    assert!(bench.state.creation_pending());
    bench.state.unblock(id);
    assert!(matches!(bench.finish(id), NextStep::Run(_)));
    bench.finish_and_park(id);
    bench.state.woke(id, true);
    assert_eq!(bench.next_step(id), NextStep::Sleep);
    bench.run_creation();
    assert!(bench.sleep(id));
    bench.state.woke(id, true);
    assert_eq!(bench.next_step(id), NextStep::Exit);
}

#[test]
fn once_the_last_ring_is_closed_every_idle_worker_leaves_if_the_policy_says_so() {
    for (policy, leaves) in [("6.17", false), ("exit-on-idle", true)] {
        let (mut bench, workers) = two_parked(policy);
        bench.state.ring_gone(&mut bench.effects);
        let mut woken = bench.wakes();
        woken.sort_unstable();
        let mut expected = if leaves { workers.to_vec() } else { Vec::new() };
        expected.sort_unstable();
        assert_eq!(woken, expected, "{policy}");
        for id in woken {
            bench.state.woke(id, false);
            assert_eq!(bench.next_step(id), NextStep::Exit, "{policy}: no timeout needed");
        }
    }
}

#[test]
fn a_ring_that_is_still_open_keeps_them() {
    let (mut bench, _) = two_parked("exit-on-idle");
    bench.state.ring_opened();
    bench.state.ring_gone(&mut bench.effects);
    assert!(bench.wakes().is_empty());
}

#[test]
fn the_next_ring_ends_exit_on_idle_but_keeps_no_exiting_worker() {
    let (mut bench, [one, two]) = two_parked("exit-on-idle");
    bench.state.ring_gone(&mut bench.effects);
    bench.state.woke(one, false);
    assert_eq!(bench.next_step(one), NextStep::Exit);
    bench.state.ring_opened();
    bench.state.woke(two, false);
    assert_eq!(bench.next_step(two), NextStep::Sleep);
    bench.state.exited(one);
    assert_eq!(bench.state.alive(), 1);
}

#[test]
fn work_that_may_run_is_done_before_a_worker_leaves_for_want_of_a_ring() {
    let mut bench = Bench::new("exit-on-idle", 1);
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(first));
    let (second, _) = bench.enqueue(CONCURRENT);
    bench.state.ring_gone(&mut bench.effects);
    assert_eq!(bench.finish(id), NextStep::Run(second));
    assert_eq!(bench.finish(id), NextStep::Exit);
}

#[test]
fn a_worker_whose_wake_was_put_off_sleeps_on_only_if_nothing_is_queued_and_it_would_stay() {
    let (mut bench, [_, warm]) = two_parked("exit-on-idle");
    let (work, _) = bench.enqueue(PLAIN);
    assert_eq!(bench.wakes(), [warm]);
    assert!(!bench.state.sleep_on(warm), "a work is queued");
    bench.state.cancel(work, &mut bench.effects);
    assert!(bench.state.sleep_on(warm));
    assert_eq!(bench.state.worker_state(warm), WorkerState::Asleep);
    assert!(!bench.state.sleep_on(warm), "it was not woken since");
    bench.enqueue(PLAIN);
    assert_eq!(bench.wakes(), [warm], "it is woken like any that sleeps");
    bench.state.ring_gone(&mut bench.effects);
    assert!(!bench.state.sleep_on(warm), "it is to exit");
}
