//! Leaving: work that comes while workers are on their way out is not stranded.

use crate::bench::{ANY_TIME, Bench, NEVER};
use crate::explore::under_each;
use crate::toy::{fsync, read, write};

/// Uses a ring, closes it, and uses the next one while the workers of the first are leaving.
fn ring_after_ring(policy: &str) {
    let mut bench = Bench::new(policy, 3, 8, NEVER);
    bench.submit(fsync());
    bench.submit(write(1));
    bench.wait();
    bench.close();
    bench.open();
    bench.submit(read());
    bench.submit(write(1));
    bench.wait();
    bench.close();
    bench.run_creations();
    bench.open();
    bench.submit(read());
    bench.wait_and_check();
    bench.exit();
}

#[test]
fn the_work_of_the_next_ring_is_done_though_all_workers_are_leaving() {
    let policies = ["exit-on-idle", "exit-on-idle+retire", "6.1+exit-on-idle", "6.12+exit-on-idle"];
    under_each(&policies, 1500, ring_after_ring);
}

/// Work comes one by one while workers that idle time out.
fn drop_by_drop(policy: &str) {
    let mut bench = Bench::new(policy, 3, 8, ANY_TIME);
    bench.submit(fsync());
    bench.submit(fsync());
    for _ in 0..3 {
        bench.wait();
        // Only another worker can do the read while the first sleeps.
        bench.submit(fsync());
        bench.submit(read());
    }
    bench.wait_and_check();
    bench.exit();
}

#[test]
fn work_that_comes_while_a_worker_times_out_is_done() {
    under_each(&["6.1", "6.12.0", "6.12", "6.17", "exit-on-idle"], 600, drop_by_drop);
}
