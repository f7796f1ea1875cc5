//! The limit: kept under every rule but the one that was mailed with a bug.

use std::sync::atomic::Ordering;

use crate::bench::{Bench, NEVER};
use crate::explore::{policies, under_each, under_some_schedule};
use crate::toy::{fsync, read, world, write};

const LIMIT: u32 = 2;

/// More sleepers than the limit allows workers. None idles out, so all that were created are alive.
fn sleepers(policy: &str) -> i32 {
    let mut bench = Bench::new(policy, LIMIT, 8, NEVER);
    for toy in [fsync(), write(1), fsync(), read(), write(2), fsync()] {
        bench.submit(toy);
    }
    bench.wait_and_check();
    bench.exit();
    world().alive_max.load(Ordering::Relaxed)
}

#[test]
fn the_limit_is_kept() {
    let kept: Vec<_> = policies().into_iter().filter(|name| name != "6.17-as-posted").collect();
    under_each(&kept, 300, |policy| {
        assert!(sleepers(policy) <= LIMIT as i32, "{policy}");
    });
}

#[test]
fn as_posted_it_is_not() {
    assert!(under_some_schedule(2000, || sleepers("6.17-as-posted") > LIMIT as i32));
}
