//! `per-op`: a worker for each op that finds no free worker asleep, up to the limit.

use iowq_pool::NextStep;
use iowq_pool::policy::{Policy, PolicyKind, View};

use crate::bench::Bench;

struct PerOp;

impl Policy for PerOp {
    fn spawn_on_enqueue(&mut self, _: &View) -> bool {
        true
    }

    fn spawn_on_block(&mut self, view: &View) -> bool {
        view.queued > 0
    }

    fn exit_when_idle(&mut self, view: &View) -> bool {
        view.timed_out && view.workers > 1
    }

    fn awake_counts(&self) -> bool {
        // A worker that is awake is on its way to an op of its own.
        false
    }

    fn needs_clock(&self) -> bool {
        false
    }
}

const PER_OP: PolicyKind = PolicyKind {
    name: "per-op",
    summary: "a worker for each op that finds none asleep",
    parameters: &[],
    build: |_| Box::new(PerOp),
};

#[test]
fn a_burst_creates_a_worker_for_each_op_up_to_the_limit() {
    let mut bench = Bench::new(PER_OP, "per-op");
    let created = (0..6).filter(|_| bench.enqueue(0).is_some()).count();
    assert_eq!(created, 4, "the pool applies the limit, whatever the policy says");
}

#[test]
fn a_worker_that_sleeps_is_woken_instead() {
    let mut bench = Bench::new(PER_OP, "per-op");
    let id = bench.enqueue(0).expect("none is asleep");
    assert!(matches!(bench.start(id), NextStep::Run(_)));
    assert_eq!(bench.finish(id), NextStep::Rescan);
    bench.park(id);
    assert_eq!(bench.enqueue(0), None);
    assert_eq!(bench.effects.wakes, [id]);
    assert!(bench.enqueue(0).is_some(), "it is awake now");
}

#[test]
fn a_worker_that_blocks_requests_another_for_queued_work() {
    let mut bench = Bench::new(PER_OP, "per-op");
    let workers: Vec<_> = (0..4).filter_map(|_| bench.enqueue(0)).collect();
    for &id in &workers {
        assert!(matches!(bench.start(id), NextStep::Run(_)));
    }
    bench.enqueue(0);
    let requests = workers.iter().filter(|id| bench.block(**id, 0)).count();
    assert_eq!(requests, 1, "the last one that runs");
    assert_eq!(bench.state.run_creation(&mut bench.effects), None, "at the limit");
}
