//! Leaving: work that comes while a worker leaves, and the end of the task.

use super::bench::{BOUNDED, Bench, CONCURRENT, PLAIN, UNBOUNDED, write};
use iowq_pool::policy::PRESETS;
use iowq_pool::work::Flags;
use iowq_pool::{NextStep, WorkOutcome};

#[test]
fn a_worker_on_its_way_out_is_not_found_by_work_that_comes() {
    for preset in PRESETS {
        let mut bench = Bench::new(preset.name, 64);
        let (busy_work, busy) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(busy), NextStep::Run(busy_work));
        let leaver = bench.idle_worker();
        bench.state.woke(leaver, true);
        assert_eq!(bench.next_step(leaver), NextStep::Exit);
        // The only running worker blocks, so no other will scan the queue for a long time.
        bench.block(busy);
        assert_eq!(bench.running(), 0, "{}: the leaver counts no more", preset.name);
        assert!(bench.enqueue(PLAIN).1.is_some(), "{}: a new one is made", preset.name);
        bench.state.exited(leaver);
        assert_eq!(bench.running(), 1, "{}: the new one", preset.name);
    }
}

#[test]
fn at_the_end_bounded_work_is_done_and_unbounded_work_cancelled() {
    let mut bench = Bench::new("6.17", 1);
    let unbounded = Flags { account: UNBOUNDED, ..CONCURRENT };
    let (first, id) = bench.enqueue_and_make(CONCURRENT);
    let (other_first, other) = bench.enqueue_and_make(unbounded);
    assert_eq!(bench.start(id), NextStep::Run(first));
    assert_eq!(bench.start(other), NextStep::Run(other_first));
    let (second, _) = bench.enqueue(CONCURRENT);
    let (other_second, _) = bench.enqueue(unbounded);
    bench.state.exit(&mut bench.effects);
    let cancelled = bench.completions();
    assert_eq!(cancelled.len(), 1);
    assert_eq!((cancelled[0].work, cancelled[0].outcome), (other_second, WorkOutcome::Cancelled));
    assert_eq!(bench.finish(id), NextStep::Run(second));
    assert_eq!(bench.finish(id), NextStep::Exit);
    assert_eq!(bench.finish(other), NextStep::Exit);
}

#[test]
fn at_the_end_everybody_is_woken_and_leaves_the_last_one_too() {
    let mut bench = Bench::new("6.17", 64);
    let id = bench.idle_worker();
    bench.state.exit(&mut bench.effects);
    assert_eq!(bench.wakes(), [id]);
    bench.state.woke(id, false);
    assert_eq!(bench.next_step(id), NextStep::Exit);
    bench.state.exited(id);
    assert_eq!((bench.state.alive(), bench.running()), (0, 0));
}

#[test]
fn work_queued_after_the_end_has_begun_is_cancelled() {
    let mut bench = Bench::new("6.17", 64);
    bench.state.exit(&mut bench.effects);
    let (work, created) = bench.enqueue(write(1));
    assert_eq!(created, None);
    assert_eq!(bench.completions()[0].work, work);
}

#[test]
fn requests_that_are_pending_at_the_end_are_given_back() {
    let mut bench = Bench::new("6.12", 64);
    let (work, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(work));
    bench.enqueue(write(1));
    bench.block(id);
    bench.state.exit(&mut bench.effects);
    assert_eq!(bench.run_creation(), None);
    assert_eq!(bench.running(), 0);
    bench.state.unblock(id);
    assert!(matches!(bench.finish(id), NextStep::Run(_)), "bounded work is still done");
}

#[test]
fn a_worker_that_leaves_takes_its_request_with_it() {
    let mut bench = Bench::new("6.12.0", 64);
    let (work, id) = bench.enqueue_and_make(CONCURRENT);
    assert_eq!(bench.start(id), NextStep::Run(work));
    bench.enqueue(write(1));
    bench.block(id);
    bench.state.exited(id);
    assert!(!bench.state.creation_pending());
    assert_eq!(bench.running(), -1, "its sleep, its leave and its request are three");
}

#[test]
fn at_the_end_an_unbounded_link_is_cancelled_and_a_bounded_one_done() {
    for (account, done) in [(UNBOUNDED, false), (BOUNDED, true)] {
        let mut bench = Bench::new("6.17", 1);
        let link = bench.define(Flags { account, ..PLAIN }, None);
        let (first, id) = bench.enqueue_linked(CONCURRENT, Some(link));
        let id = id.expect("the first work creates a worker");
        assert_eq!(bench.start(id), NextStep::Run(first));
        bench.state.exit(&mut bench.effects);
        let expected = if done { NextStep::Run(link) } else { NextStep::Exit };
        assert_eq!(bench.finish(id), expected, "{account:?}");
        assert_eq!(bench.completions().len(), if done { 1 } else { 2 }, "{account:?}");
    }
}
