//! Hashed work: stalls, the wait for a bucket, links, and the head of the queue.

use super::bench::{Bench, CONCURRENT, PLAIN, UNBOUNDED, write};
use iowq_pool::work::Flags;
use iowq_pool::{Completion, NextStep, WorkOutcome, WorkerId};

/// Worker `holder` runs a write of bucket 1, `idle` is parked, a second such write is queued and
/// the queue is stalled over it.
fn stalled(policy: &str) -> (Bench, WorkerId, WorkerId) {
    let mut bench = Bench::new(policy, 64);
    let [one, two] = bench.two_busy();
    let (holder, idle) = (one, two);
    let (first, _) = bench.enqueue(write(1));
    assert_eq!(bench.finish(holder), NextStep::Run(first));
    bench.enqueue(write(1));
    assert_eq!(bench.finish(idle), NextStep::Rescan);
    assert_eq!(bench.next_step(idle), NextStep::Sleep);
    assert!(bench.sleep(idle));
    (bench, holder, idle)
}

#[test]
fn a_stalled_queue_requests_no_worker_until_something_is_inserted() {
    for policy in ["6.12", "6.16"] {
        let (mut bench, holder, _) = stalled(policy);
        bench.block(holder);
        assert!(!bench.state.creation_pending(), "{policy}");
        bench.state.unblock(holder);
        bench.enqueue(write(2));
        bench.block(holder);
        // 6.16 checks the first queued work only, and that is of the sleeper's own bucket.
        assert_eq!(bench.state.creation_pending(), policy == "6.12", "{policy}");
    }
}

#[test]
fn the_holder_of_a_bucket_goes_on_with_the_next_run_itself() {
    let (mut bench, holder, _) = stalled("6.17");
    assert!(matches!(bench.finish(holder), NextStep::Run(_)));
    assert!(bench.wakes().is_empty());
}

#[test]
fn a_released_bucket_wakes_a_free_worker_of_the_other_account_and_creates_none() {
    let mut bench = Bench::new("6.17", 64);
    let (first, holder) = bench.enqueue_and_make(write(1));
    assert_eq!(bench.start(holder), NextStep::Run(first));
    let (second, other) = bench.enqueue_and_make(Flags { account: UNBOUNDED, ..write(1) });
    assert_eq!(bench.start(other), NextStep::Sleep, "the bucket is busy");
    assert!(bench.sleep(other));
    assert_eq!(bench.finish(holder), NextStep::Rescan);
    assert_eq!(bench.wakes(), [other]);
    assert!(bench.effects.spawn.is_none() && !bench.state.creation_pending());
    bench.state.woke(other, false);
    assert_eq!(bench.next_step(other), NextStep::Run(second));
}

#[test]
fn works_that_came_for_a_busy_bucket_run_one_after_the_other_in_order() {
    let mut bench = Bench::new("6.12", 64);
    let (first, id) = bench.enqueue_and_make(write(5));
    assert_eq!(bench.start(id), NextStep::Run(first));
    let rest: Vec<_> = (0..3).map(|_| bench.enqueue(write(5)).0).collect();
    for work in rest {
        assert_eq!(bench.finish(id), NextStep::Run(work));
    }
    assert_eq!(bench.finish(id), NextStep::Rescan);
}

#[test]
fn only_the_first_queued_work_is_compared_with_the_sleepers_bucket() {
    for (head, behind, asks) in [(1, 2, false), (2, 1, true)] {
        let mut bench = Bench::new("6.16", 64);
        let (first, id) = bench.enqueue_and_make(write(1));
        assert_eq!(bench.start(id), NextStep::Run(first));
        bench.enqueue(write(head));
        bench.enqueue(write(behind));
        bench.block(id);
        assert_eq!(bench.state.creation_pending(), asks, "head {head}, then {behind}");
    }
}

#[test]
fn an_unhashed_link_runs_in_the_same_worker_at_once() {
    let mut bench = Bench::new("6.17", 64);
    let link = bench.define(CONCURRENT, None);
    let (head, id) = bench.enqueue_linked(write(1), Some(link));
    let id = id.expect("a worker");
    bench.state.spawned(id);
    assert_eq!(bench.start(id), NextStep::Run(head));
    bench.enqueue(write(2));
    assert_eq!(bench.finish(id), NextStep::Run(link), "before anything that is queued");
}

#[test]
fn an_unhashed_link_holds_no_bucket() {
    let mut bench = Bench::new("6.17", 64);
    let link = bench.define(CONCURRENT, None);
    let (head, id) = bench.enqueue_linked(write(1), Some(link));
    let id = id.expect("a worker");
    bench.state.spawned(id);
    assert_eq!(bench.start(id), NextStep::Run(head));
    assert_eq!(bench.finish(id), NextStep::Run(link));
    let (next, other) = bench.enqueue(write(1));
    assert_eq!(other, None, "a worker runs");
    assert_eq!(bench.finish(id), NextStep::Run(next));
}

#[test]
fn a_hashed_link_goes_back_to_the_end_of_the_queue() {
    let mut bench = Bench::new("6.17", 64);
    let link = bench.define(write(1), None);
    let (head, id) = bench.enqueue_linked(write(1), Some(link));
    let id = id.expect("a worker");
    bench.state.spawned(id);
    assert_eq!(bench.start(id), NextStep::Run(head));
    let (between, _) = bench.enqueue(PLAIN);
    assert_eq!(bench.finish(id), NextStep::Run(between));
    assert_eq!(bench.finish(id), NextStep::Run(link));
}

#[test]
fn an_op_linked_to_a_failed_one_is_cancelled() {
    let mut bench = Bench::new("6.17", 64);
    let last = bench.define(CONCURRENT, None);
    let link = bench.define(CONCURRENT, Some(last));
    let (head, id) = bench.enqueue_linked(write(1), Some(link));
    let id = id.expect("a worker");
    bench.state.spawned(id);
    assert_eq!(bench.start(id), NextStep::Run(head));
    bench.state.finish(id, WorkOutcome::Failed(28), &mut bench.effects);
    let outcomes = [
        Completion { work: head, outcome: WorkOutcome::Failed(28) },
        Completion { work: link, outcome: WorkOutcome::Cancelled },
        Completion { work: last, outcome: WorkOutcome::Cancelled },
    ];
    assert_eq!(bench.completions(), outcomes);
}

#[test]
fn before_6_15_finishing_unhashed_work_lets_bucket_0_go() {
    for (policy, overlap) in
        [("6.12", true), ("6.12+unhashed-keeps-bucket-0", false), ("6.16", false)]
    {
        let mut bench = Bench::new(policy, 64);
        let [one, two] = bench.two_busy();
        let (first, _) = bench.enqueue(write(0));
        assert_eq!(bench.finish(one), NextStep::Run(first));
        let (second, _) = bench.enqueue(write(0));
        let expected = if overlap { NextStep::Run(second) } else { NextStep::Rescan };
        assert_eq!(bench.finish(two), expected, "{policy}");
    }
}

#[test]
fn a_queued_work_can_be_cancelled_and_a_running_one_cannot() {
    let mut bench = Bench::new("6.17", 64);
    let (first, id) = bench.enqueue_and_make(write(1));
    assert_eq!(bench.start(id), NextStep::Run(first));
    let link = bench.define(CONCURRENT, None);
    let (second, _) = bench.enqueue_linked(write(1), Some(link));
    let (third, _) = bench.enqueue(write(1));
    assert!(!bench.state.cancel(first, &mut bench.effects));
    assert!(bench.state.cancel(second, &mut bench.effects));
    let cancelled = |work| Completion { work, outcome: WorkOutcome::Cancelled };
    assert_eq!(bench.completions(), [cancelled(second), cancelled(link)]);
    assert_eq!(bench.finish(id), NextStep::Run(third));
}
