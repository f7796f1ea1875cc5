//! `head-age`: another worker once the first queued work has waited too long, and no more than one
//! in that time.

use iowq_pool::NextStep;
use iowq_pool::clock::Nanos;
use iowq_pool::policy::{Parameter, Policy, PolicyKind, View};

use crate::bench::Bench;

struct HeadAge {
    age_ns: u64,
    last_spawn: Nanos,
}

impl HeadAge {
    fn is_late(&mut self, view: &View) -> bool {
        let late =
            view.head_age_ns >= self.age_ns && view.now.since(self.last_spawn) >= self.age_ns;
        if late {
            self.last_spawn = view.now;
        }
        late
    }
}

impl Policy for HeadAge {
    fn spawn_on_enqueue(&mut self, view: &View) -> bool {
        view.workers == 0 || self.is_late(view)
    }

    fn spawn_on_block(&mut self, view: &View) -> bool {
        self.is_late(view)
    }

    fn exit_when_idle(&mut self, view: &View) -> bool {
        view.timed_out && view.workers > 1
    }
}

const HEAD_AGE: PolicyKind = PolicyKind {
    name: "head-age",
    summary: "another worker once the first queued work has waited too long",
    parameters: &[Parameter {
        name: "age_us",
        summary: "how long it may wait",
        min: 0,
        max: 1_000_000,
        default: Some(1000),
    }],
    build: |parameters| {
        let age_ns = parameters.get("age_us") * 1000;
        Box::new(HeadAge { age_ns, last_spawn: Nanos(0) })
    },
};

#[test]
fn work_that_waits_too_long_gets_a_worker_and_one_only() {
    let mut bench = Bench::new(HEAD_AGE, "head-age");
    let first = bench.enqueue(0).expect("there is none yet");
    assert!(matches!(bench.start(first), NextStep::Run(_)));
    assert_eq!(bench.enqueue(5000), None, "it has only just come");
    assert_eq!(bench.enqueue(5999), None, "999 us are not too long");
    assert!(bench.enqueue(6000).is_some());
    assert_eq!(bench.enqueue(6500), None, "one worker was created just before");
    assert!(bench.enqueue(7000).is_some(), "the head still waits");
}

#[test]
fn the_age_counts_as_well_when_a_worker_blocks() {
    for (name, blocks_at_us, requests) in
        [("head-age:500", 5499, false), ("head-age:age_us=500", 5500, true)]
    {
        let mut bench = Bench::new(HEAD_AGE, name);
        let id = bench.enqueue(0).expect("there is none yet");
        assert!(matches!(bench.start(id), NextStep::Run(_)));
        bench.enqueue(5000);
        assert_eq!(bench.block(id, blocks_at_us), requests, "{name}");
    }
}
