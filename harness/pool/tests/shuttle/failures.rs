//! Failures: works that panic, and threads that the system refuses, keep no other work waiting.

use std::sync::atomic::Ordering;

use iowq_pool::WorkOutcome::{Cancelled, Done, Panicked};
use iowq_pool::sync::REFUSED;

use crate::bench::{Bench, NEVER};
use crate::explore::{policies, under_each};
use crate::toy::{Toy, fsync, read, write};

/// Releases that try a refused thread again at once: shuttle's clock stands still.
const RETRY_AT_ONCE: [&str; 3] = ["6.1", "6.12.0", "6.1+exit-on-idle"];

#[test]
fn a_work_that_panics_leaves_its_worker_and_its_bucket_to_the_next() {
    under_each(&policies(), 150, |policy| {
        let mut bench = Bench::new(policy, 2, 8, NEVER);
        bench.submit(Toy { panics: true, ..fsync() });
        bench.submit_chain(&[Toy { panics: true, ..write(1) }, read()]);
        bench.submit_all(&[Toy { panics: true, ..read() }, write(1), fsync(), read()]);
        bench.wait();
        let ended = [Panicked, Panicked, Cancelled, Panicked, Done, Done, Done];
        assert_eq!(bench.outcomes(), ended.map(Some));
        bench.exit();
    });
}

/// A pool with an unbounded worker alone, whose next threads are refused, and as many works as it
/// has room for, of which none blocks but the last.
fn refused(policy: &str, threads: u32) -> Bench {
    let mut bench = Bench::new(policy, 3, 8, NEVER);
    let concurrent = Toy { concurrent: true, ..read() };
    let unbounded = Toy { unbounded: true, ..concurrent };
    bench.submit(unbounded);
    bench.wait();
    REFUSED.store(threads, Ordering::Relaxed);
    bench.submit_all(&[read(), concurrent, write(1), unbounded, concurrent]);
    // Its worker queues the link, and creates the thread.
    bench.submit_chain(&[fsync(), Toy { concurrent: true, ..write(2) }]);
    bench
}

#[test]
fn works_whose_threads_are_refused_for_now_are_done_later() {
    // Each creation is tried four times, so that one of two succeeds.
    for threads in [3, 7] {
        under_each(&RETRY_AT_ONCE, 300, move |policy| {
            let mut bench = refused(policy, threads);
            bench.wait_and_check();
            bench.exit();
        });
    }
}

#[test]
fn works_whose_threads_are_refused_for_good_are_cancelled_and_those_of_others_done() {
    under_each(&RETRY_AT_ONCE, 600, |policy| {
        let mut bench = refused(policy, u32::MAX);
        bench.wait();
        let cancelled = [false, true, true, true, false, true, true, true];
        let outcome = |cancelled| Some(if cancelled { Cancelled } else { Done });
        assert_eq!(bench.outcomes(), cancelled.map(outcome));
        assert_eq!(bench.exit().created, 1);
    });
}

#[test]
fn the_pool_ends_while_threads_are_refused() {
    under_each(&RETRY_AT_ONCE, 600, |policy| {
        refused(policy, 7).exit();
    });
}
