//! The end of the task: whatever is under way, all workers leave and everything is given back.

use iowq_pool::WorkOutcome;

use crate::bench::{ANY_TIME, Bench, NEVER};
use crate::explore::{policies, under_each};
use crate::toy::{Toy, fsync, read, write};

#[test]
fn the_pool_ends_at_any_moment_with_requests_pending_and_unbounded_work_queued() {
    for idle_timeout in [NEVER, ANY_TIME] {
        under_each(&policies(), 200, move |policy| {
            let mut bench = Bench::new(policy, 3, 8, idle_timeout);
            bench.submit(fsync());
            bench.submit(write(1));
            if !policy.starts_with("fixed") {
                let unbounded = Toy { unbounded: true, ..fsync() };
                bench.submit(unbounded);
                bench.submit(unbounded);
            }
            bench.submit_chain(&[write(1), write(2)]);
            bench.submit(fsync());
            bench.exit();
        });
    }
}

#[test]
fn a_worker_that_makes_another_for_a_link_ends_like_the_rest() {
    // A hashed link goes back through the queue, and its worker creates the new one. Without a ring
    // workers leave as soon as they are idle, and there is room for two: so a slot may be used
    // again before its first creator has come back from creating the thread.
    under_each(&["exit-on-idle"], 6000, |policy| {
        let mut bench = Bench::new(policy, 2, 2, NEVER);
        bench.close();
        let linked = Toy { concurrent: true, ..write(1) };
        bench.submit_chain(&[fsync(), linked]);
        bench.submit(fsync());
        bench.exit();
    });
}

#[test]
fn an_op_linked_to_a_failed_one_is_cancelled() {
    under_each(&policies(), 100, |policy| {
        let mut bench = Bench::new(policy, 3, 8, NEVER);
        bench.submit_chain(&[write(1), Toy { fails: true, ..fsync() }, read(), write(1)]);
        bench.submit(fsync());
        bench.wait();
        let (done, cancelled) = (Some(WorkOutcome::Done), Some(WorkOutcome::Cancelled));
        let expected = [done, Some(WorkOutcome::Failed(5)), cancelled, cancelled, done];
        assert_eq!(bench.outcomes(), expected);
        bench.exit();
    });
}
