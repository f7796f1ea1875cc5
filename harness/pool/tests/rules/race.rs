//! The race of 9d83e1f05c98: enqueueing wakes free worker A while blocking has B created.

use super::bench::{Bench, CONCURRENT, write};
use iowq_pool::{NextStep, WorkerId};

/// Worker `busy` runs an fsync, worker `free` is parked. A write comes and wakes `free`; before
/// that one runs, `busy` goes to sleep over its fsync. Returns both.
fn wake_one_while_another_blocks(bench: &mut Bench) -> (WorkerId, WorkerId) {
    let (first, busy) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(busy), NextStep::Run(first));
    let free = bench.idle_worker();
    bench.enqueue(write(1));
    assert_eq!(bench.wakes(), [free]);
    bench.block(busy);
    (busy, free)
}

#[test]
fn under_6_16_a_worker_is_created_for_work_that_a_woken_one_gets() {
    let mut bench = Bench::new("6.16", 64);
    let (_, free) = wake_one_while_another_blocks(&mut bench);
    assert!(bench.state.creation_pending());
    let created = bench.run_creation().expect("B is created");
    bench.state.spawned(created);
    // Only one of both can have the write: A takes it, B idles until its timeout.
    bench.state.woke(free, false);
    assert!(matches!(bench.next_step(free), NextStep::Run(_)));
    assert_eq!(bench.start(created), NextStep::Sleep);
    assert!(bench.sleep(created));
    bench.state.woke(created, true);
    assert_eq!(bench.next_step(created), NextStep::Exit);
}

#[test]
fn under_6_17_the_creation_finds_the_free_worker_and_creates_none() {
    for policy in ["6.17", "exit-on-idle", "6.12+recheck-free-worker"] {
        let mut bench = Bench::new(policy, 64);
        let running = {
            wake_one_while_another_blocks(&mut bench);
            bench.running()
        };
        assert!(bench.state.creation_pending(), "{policy}: the request is still pending");
        assert_eq!(bench.run_creation(), None, "{policy}");
        assert_eq!(bench.workers(), 2, "{policy}");
        assert_eq!(bench.running(), running - 1, "{policy}: the reservation is given back");
    }
}

#[test]
fn as_posted_the_limit_is_broken_once_no_worker_is_free() {
    for (policy, created) in [("6.17", false), ("6.16", false), ("6.17-as-posted", true)] {
        let mut bench = Bench::new(policy, 1);
        let (first, busy) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(busy), NextStep::Run(first));
        bench.enqueue(write(1));
        bench.block(busy);
        let worker = bench.run_creation();
        assert_eq!(worker.is_some(), created, "{policy}");
        assert_eq!(bench.workers(), 1, "{policy}: off the books");
    }
}

#[test]
fn as_posted_the_books_run_below_zero_when_those_off_them_leave() {
    let mut bench = Bench::new("6.17-as-posted", 1);
    let (first, busy) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(busy), NextStep::Run(first));
    bench.enqueue(write(1));
    bench.block(busy);
    let extra = bench.run_creation().expect("past the limit");
    bench.state.spawned(extra);
    assert!(matches!(bench.start(extra), NextStep::Run(_)));
    bench.state.unblock(busy);
    for id in [busy, extra] {
        bench.state.exit(&mut bench.effects);
        assert_eq!(bench.finish(id), NextStep::Exit);
        bench.state.exited(id);
    }
    assert_eq!(bench.workers(), u32::MAX);
}
