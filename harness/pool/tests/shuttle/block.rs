//! A worker that blocks in its work does not hold up what is queued behind it.

use std::time::Duration;

use crate::bench::{ANY_TIME, Bench, NEVER};
use crate::explore::{growing, under_each, under_every_schedule};
use crate::toy::{fsync, read, write};

#[test]
fn work_behind_a_chain_of_sleepers_gets_a_worker() {
    under_each(&growing(), 400, |policy| {
        let mut bench = Bench::new(policy, 4, 8, NEVER);
        // Each sleeps until the next one is done: only with a worker for each do they end.
        bench.submit(read().until(1));
        bench.submit(write(1).until(2));
        bench.submit(fsync().until(3));
        bench.submit(write(2));
        bench.wait_and_check();
        bench.exit();
    });
}

/// Two workers that may be idle; then two works come that sleep until a third is done.
fn sleepers_behind_idle_ones(policy: &str, idle_timeout: Duration) {
    let mut bench = Bench::new(policy, 4, 8, idle_timeout);
    bench.submit(fsync());
    bench.submit(fsync());
    bench.wait();
    bench.submit(fsync().until(4));
    bench.submit(read().until(4));
    bench.submit(read());
    bench.wait_and_check();
    bench.exit();
}

#[test]
fn work_for_idle_workers_that_then_sleep_gets_another() {
    for policy in ["6.1", "6.12", "6.12+recheck-free-worker", "6.12+skip-same-bucket"] {
        under_every_schedule(600, move || sleepers_behind_idle_ones(policy, NEVER));
    }
}

/// One worker scans the queue for the last time, then work comes and wakes another, which
/// takes it and sleeps while the first still counts as running. The first then falls asleep as
/// the last one, but makes no request because it is idle.
#[test]
#[should_panic(expected = "deadlock")]
fn since_idle_workers_make_no_request_it_may_wait_until_one_times_out() {
    under_every_schedule(6000, || sleepers_behind_idle_ones("6.17", NEVER));
}

#[test]
fn and_is_done_after_that_at_the_latest() {
    under_each(&growing(), 300, |policy| sleepers_behind_idle_ones(policy, ANY_TIME));
}
