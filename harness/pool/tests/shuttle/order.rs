//! No work is lost or done twice, and works of one bucket run one by one, in order.

use std::sync::atomic::Ordering;

use crate::bench::{ANY_TIME, Bench, NEVER};
use crate::explore::{growing, policies, under_each, under_every_schedule, under_some_schedule};
use crate::toy::{Toy, fsync, read, world, write};

/// Writes to two files, with an fsync and a read between them.
fn mix(policy: &str, buckets: [u8; 2]) -> Bench {
    let [one, two] = buckets;
    let mut bench = Bench::new(policy, 3, 8, NEVER);
    for toy in [write(one), write(two), fsync(), write(one), write(two), read(), write(one)] {
        bench.submit(toy);
    }
    bench.wait_and_check();
    bench
}

fn overlapped(place: usize) -> bool {
    world().overlapped[place].load(Ordering::Relaxed) != 0
}

#[test]
fn every_work_is_done_once_and_works_of_one_bucket_one_by_one_in_order() {
    under_each(&policies(), 300, |policy| {
        mix(policy, [1, 2]).exit();
        assert!(!overlapped(0), "two works of one bucket ran at one time");
        let began = world().began.lock().expect("no work panics").clone();
        let of = |works: [u32; 3]| began.iter().copied().filter(move |work| works.contains(work));
        assert!(of([0, 3, 6]).is_sorted(), "bucket 1: {began:?}");
        assert!(of([1, 4, 4]).is_sorted(), "bucket 2: {began:?}");
    });
}

#[test]
fn works_that_do_not_block_are_done_whoever_queues_them_and_though_wakes_are_put_off() {
    under_each(&policies(), 300, |policy| {
        let mut bench = Bench::new(policy, 2, 8, NEVER);
        // Two workers, so that one may be woken while the other one is about to look.
        bench.submit(fsync());
        bench.submit(fsync());
        bench.wait_and_check();
        for toy in [read(), write(1), read()] {
            bench.submit(Toy { concurrent: true, ..toy });
        }
        bench.wait_and_check();
        for toy in [write(1), read(), write(2)] {
            bench.submit(toy);
        }
        bench.wait_and_check();
        bench.exit();
    });
}

#[test]
fn works_of_both_accounts_that_do_not_block_are_done_whoever_queues_them() {
    for idle_timeout in [NEVER, ANY_TIME] {
        under_each(&growing(), 200, move |policy| {
            let mut bench = Bench::new(policy, 2, 8, idle_timeout);
            let unbounded = Toy { unbounded: true, ..read() };
            bench.submit(fsync());
            bench.wait_and_check();
            // The bounded worker may queue the first unbounded work, which has no worker yet.
            bench.submit_all(&[read(), unbounded, write(1), unbounded]);
            bench.wait_and_check();
            bench.submit_all(&[unbounded, write(1), read()]);
            bench.wait_and_check();
            bench.exit();
        });
    }
}

#[test]
fn the_same_if_idle_workers_may_exit_at_any_moment() {
    under_each(&policies(), 200, |policy| {
        let mut bench = Bench::new(policy, 3, 8, ANY_TIME);
        for toy in [fsync(), write(1), fsync()] {
            bench.submit(toy);
        }
        bench.wait_and_check();
        for toy in [write(1), fsync(), write(1)] {
            bench.submit(toy);
        }
        bench.wait_and_check();
        bench.exit();
        assert!(!overlapped(0), "two works of one bucket ran at one time");
    });
}

/// A write that is held up until an fsync is done, which the write behind it in bucket 0 follows.
fn held_up_in_bucket_0(policy: &str) -> bool {
    let mut bench = Bench::new(policy, 3, 8, NEVER);
    for toy in [write(0).until(1), fsync(), write(0)] {
        bench.submit(toy);
    }
    bench.wait_and_check();
    bench.exit();
    overlapped(1)
}

#[test]
fn bucket_0_is_exclusive_only_since_unhashed_work_leaves_it_alone() {
    for policy in ["6.1", "6.12"] {
        let found = under_some_schedule(2000, move || held_up_in_bucket_0(policy));
        assert!(found, "{policy}: no schedule shows the bug");
    }
    for policy in ["6.12+unhashed-keeps-bucket-0", "6.16", "6.17"] {
        under_every_schedule(600, move || assert!(!held_up_in_bucket_0(policy), "{policy}"));
    }
}
