//! The race of 9d83e1f05c98: a worker is created though there is one with nothing to do.

use crate::bench::{Bench, NEVER};
use crate::explore::{under_every_schedule, under_some_schedule};
use crate::toy::{fsync, write};

/// At least `idle` workers that have nothing to do; then an fsync that sleeps and a write come.
/// Returns how many workers were created for those two.
fn made_for_two(policy: &str, idle: u32) -> u64 {
    let mut bench = Bench::new(policy, 8, 8, NEVER);
    // All but the last wait for the last one, so each of them needs a worker of its own.
    for _ in 1..idle {
        bench.submit(fsync().until(idle - 1));
    }
    bench.submit(fsync());
    bench.wait();
    bench.run_creations();
    let before = bench.alive();
    assert!(before >= u64::from(idle));
    bench.submit(fsync());
    bench.submit(write(1));
    bench.wait_and_check();
    bench.exit().created - before
}

#[test]
fn under_6_16_a_worker_is_made_though_one_has_nothing_to_do() {
    assert!(under_some_schedule(2000, || made_for_two("6.16", 3) > 0));
}

#[test]
fn under_6_17_none_is() {
    for policy in ["6.17", "exit-on-idle", "6.12+recheck-free-worker"] {
        under_every_schedule(2000, move || assert_eq!(made_for_two(policy, 3), 0, "{policy}"));
    }
}

#[test]
fn under_6_17_a_request_can_still_be_out_of_date_when_it_is_carried_out() {
    // Of two workers one sleeps in the fsync and requests a third, the other takes the write: none
    // is free when the submitter comes, and nothing is queued any more.
    assert!(under_some_schedule(4000, || made_for_two("6.17", 2) > 0));
}
