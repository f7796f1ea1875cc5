//! A pool without threads under a policy of these tests: each step is taken by hand.

use iowq_pool::clock::Nanos;
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::{PolicyKind, Registry};
use iowq_pool::work::{Account, Flags};
use iowq_pool::{Effects, NextStep, State, WorkId, WorkOutcome, WorkerId};

pub(crate) struct Bench {
    pub(crate) state: State<LocalCounters>,
    pub(crate) effects: Effects,
    works: u32,
}

impl Bench {
    /// A pool under the policy of this name, which is registered first.
    pub(crate) fn new(kind: PolicyKind, name: &str) -> Bench {
        let mut registry = Registry::builtin();
        registry.register(kind).expect("a new name");
        let policy = registry.parse(name).expect(name).build();
        let mut state = State::new(policy, LocalCounters::default(), 32, 32, [4; 2]);
        state.ring_opened();
        Bench { state, effects: Effects::default(), works: 0 }
    }

    /// Queues a read at this time. Returns the slot that needs a thread, if one does.
    pub(crate) fn enqueue(&mut self, now_us: u64) -> Option<WorkerId> {
        self.at(now_us);
        let work = WorkId(self.works);
        self.works += 1;
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        self.state.define(work, flags, None);
        self.state.enqueue(work, &mut self.effects);
        self.effects.spawn.take()
    }

    /// The thread of a slot is created and takes its first step.
    pub(crate) fn start(&mut self, id: WorkerId) -> NextStep {
        self.state.spawned(id);
        self.state.started(id);
        self.state.next_step(id)
    }

    pub(crate) fn finish(&mut self, id: WorkerId) -> NextStep {
        self.state.finish(id, WorkOutcome::Done, &mut self.effects)
    }

    /// The worker blocks in its work at this time. Whether it requests another.
    pub(crate) fn block(&mut self, id: WorkerId, now_us: u64) -> bool {
        self.at(now_us);
        self.state.block(id, &mut self.effects);
        self.state.creation_pending()
    }

    pub(crate) fn at(&mut self, now_us: u64) {
        self.state.set_now(Nanos(now_us * 1000));
    }

    pub(crate) fn park(&mut self, id: WorkerId) {
        assert_eq!(self.state.next_step(id), NextStep::Sleep);
        assert!(self.state.sleep(id, &mut self.effects));
    }
}
