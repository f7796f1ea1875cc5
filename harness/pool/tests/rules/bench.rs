//! A pool without threads: tests take the steps of each thread by hand, in the order they like.

use iowq_pool::counters::{LocalCounters, RunCounters};
use iowq_pool::policy::Registry;
use iowq_pool::work::{Account, Flags, WorkId};
use iowq_pool::{Completion, Effects, NextStep, State, WorkOutcome, WorkerId};

pub(crate) const BOUNDED: Account = Account::Bounded;
pub(crate) const UNBOUNDED: Account = Account::Unbounded;

/// Works and workers that a test may have.
const ROOM: u32 = 32;

/// A state and the creations that its steps requested.
pub(crate) struct Bench<B = LocalCounters> {
    pub(crate) state: State<B>,
    pub(crate) effects: Effects,
    works: u32,
}

impl Bench {
    /// A pool under this policy with a limit of `limit` workers per account and one ring open.
    pub(crate) fn new(policy: &str, limit: u32) -> Bench {
        Bench::with_room(policy, limit, ROOM)
    }

    /// The same with `slots` worker slots, whatever the limit.
    pub(crate) fn with_room(policy: &str, limit: u32, slots: u32) -> Bench {
        Bench::on(LocalCounters::default(), policy, limit, slots)
    }
}

impl<B: RunCounters> Bench<B> {
    /// The same on this counters.
    pub(crate) fn on(counters: B, policy: &str, limit: u32, slots: u32) -> Bench<B> {
        let policy = Registry::builtin().parse(policy).expect(policy).build();
        let mut state = State::new(policy, counters, ROOM, slots, [limit; 2]);
        state.ring_opened();
        Bench { state, effects: Effects::default(), works: 0 }
    }

    /// Enqueues a work with these flags. Returns it, and the worker that enqueueing asks to
    /// create, whose thread is not created yet.
    pub(crate) fn enqueue(&mut self, flags: Flags) -> (WorkId, Option<WorkerId>) {
        self.enqueue_linked(flags, None)
    }

    pub(crate) fn enqueue_linked(
        &mut self,
        flags: Flags,
        link: Option<WorkId>,
    ) -> (WorkId, Option<WorkerId>) {
        let work = self.define(flags, link);
        self.state.enqueue(work, &mut self.effects);
        (work, self.effects.spawn.take())
    }

    pub(crate) fn define(&mut self, flags: Flags, link: Option<WorkId>) -> WorkId {
        let work = WorkId(self.works);
        self.works += 1;
        self.state.define(work, flags, link);
        work
    }

    /// Enqueues a work and creates the worker that it requests.
    pub(crate) fn enqueue_and_make(&mut self, flags: Flags) -> (WorkId, WorkerId) {
        let (work, id) = self.enqueue(flags);
        let id = id.expect("enqueueing creates a worker");
        self.state.spawned(id);
        (work, id)
    }

    /// Two workers, each executing a work.
    pub(crate) fn two_busy(&mut self) -> [WorkerId; 2] {
        [(); 2].map(|()| {
            let (work, id) = self.enqueue_and_make(CONCURRENT);
            assert_eq!(self.start(id), NextStep::Run(work));
            id
        })
    }

    /// A worker's thread runs for the first time.
    pub(crate) fn start(&mut self, id: WorkerId) -> NextStep {
        self.state.started(id);
        self.next_step(id)
    }

    pub(crate) fn next_step(&mut self, id: WorkerId) -> NextStep {
        self.state.next_step(id)
    }

    pub(crate) fn finish(&mut self, id: WorkerId) -> NextStep {
        self.state.finish(id, WorkOutcome::Done, &mut self.effects)
    }

    pub(crate) fn sleep(&mut self, id: WorkerId) -> bool {
        self.state.sleep(id, &mut self.effects)
    }

    /// The worker is switched out in the middle of its work.
    pub(crate) fn block(&mut self, id: WorkerId) {
        self.state.block(id, &mut self.effects);
    }

    /// The submitter comes by and carries out one request.
    pub(crate) fn run_creation(&mut self) -> Option<WorkerId> {
        self.state.run_creation(&mut self.effects)
    }

    /// A worker with nothing to do, parked; created for a work that it has done.
    pub(crate) fn idle_worker(&mut self) -> WorkerId {
        let (work, id) = self.enqueue_and_make(CONCURRENT);
        assert_eq!(self.start(id), NextStep::Run(work));
        self.finish_and_park(id);
        id
    }

    /// The worker finishes its work, finds nothing more and parks.
    pub(crate) fn finish_and_park(&mut self, id: WorkerId) {
        assert_eq!(self.finish(id), NextStep::Rescan);
        assert_eq!(self.next_step(id), NextStep::Sleep);
        assert!(self.sleep(id));
    }

    pub(crate) fn wakes(&mut self) -> Vec<WorkerId> {
        std::mem::take(&mut self.effects.wakes)
    }

    pub(crate) fn completions(&mut self) -> Vec<Completion> {
        let mut out = Vec::new();
        out.extend(self.state.completions());
        out
    }

    pub(crate) fn running(&self) -> i32 {
        self.state.running(BOUNDED)
    }

    pub(crate) fn workers(&self) -> u32 {
        self.state.workers_counted(BOUNDED)
    }
}

/// A work that creates a worker if no free one is there: an fsync.
pub(crate) const CONCURRENT: Flags = Flags { account: BOUNDED, bucket: None, concurrent: true };

/// A work that excludes nothing and waits its turn: a read.
pub(crate) const PLAIN: Flags = Flags { account: BOUNDED, bucket: None, concurrent: false };

/// A write to a file of this bucket.
pub(crate) fn write(bucket: u8) -> Flags {
    Flags { account: BOUNDED, bucket: Some(bucket), concurrent: false }
}
