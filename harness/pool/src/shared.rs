//! What the threads of a pool share: the lock around the state, and how threads are created.

use std::io;
use std::time::Duration;

use crate::clock::{self, Nanos};
use crate::counters::RunCounters;
use crate::create::AfterFailure;
use crate::parker::Parker;
use crate::state::{Effects, State, WorkOutcome};
use crate::submitter::SubmitterWake;
use crate::sync::{Arc, Mutex, MutexGuard, thread, unpoisoned};
use crate::work::{Account, Flags, Key, WorkId, WorkerId};

/// Stack of a worker. It runs one system call at a time and takes the time.
pub const STACK_BYTES: usize = 128 << 10;

/// What a work does when it runs.
pub trait Job: Copy + Send + 'static {
    /// What its worker saw of it, for the submitter to record: a worker keeps no records, so that
    /// a new one costs what a new one in the kernel costs.
    type Seen: Copy + Default + Send + 'static;

    /// Runs it, on a worker's thread.
    fn run(self) -> (WorkOutcome, Self::Seen);

    /// Whether the call it makes may block.
    fn may_block(&self) -> bool;
}

/// What observes that a worker blocks in its work, and the events it needs for that.
pub trait BlockingObserver: Send + Sync {
    /// Whether workers report it themselves, around each call that may block.
    fn self_reported(&self) -> bool;
    /// A worker starts, on its own thread.
    fn worker_started(&self, _: WorkerId, _: Account) {}
    /// A worker ends, on its own thread.
    fn worker_ended(&self, _: WorkerId) {}
    /// Sleep of this worker counts as blocking from now on.
    fn work_begins(&self, _: WorkerId, _: Key) {}
    /// It does not from now on.
    fn work_ends(&self, _: WorkerId) {}
}

/// Workers report blocking themselves, around each call that may block; a call that did not sleep
/// counts, too.
pub struct SelfReported;

impl BlockingObserver for SelfReported {
    fn self_reported(&self) -> bool {
        true
    }
}

/// What is behind the lock.
pub(super) struct Core<J: Job, B> {
    pub(super) state: State<B>,
    pub(super) jobs: Vec<Option<J>>,
    /// What was seen of each work that ended, until it is reaped.
    pub(super) seen: Vec<J::Seen>,
    pub(super) handles: Vec<Option<thread::JoinHandle<()>>>,
    /// Births recorded: a thread may run before its creator returns.
    pub(super) noted: u64,
    pub(super) lives: Vec<(Nanos, bool, Account)>,
    pub(super) creation_ns: Vec<u64>,
    /// Creations to be tried again, and when.
    pub(super) retries: Vec<(Nanos, WorkerId)>,
}

impl<J: Job, B: RunCounters> Core<J, B> {
    /// Records a birth, by whichever is first: the creator or the thread.
    pub(super) fn note_birth(&mut self, id: WorkerId) {
        while self.noted < self.state.tally().created {
            self.noted += 1;
            self.lives.push((clock::now(), true, self.state.worker_account(id)));
        }
    }

    pub(super) fn note_exit(&mut self, account: Account) {
        self.lives.push((clock::now(), false, account));
    }

    pub(super) fn define(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.jobs[work.index()] = Some(job);
        self.seen[work.index()] = J::Seen::default();
        self.state.define(work, flags, link);
    }
}

/// What all threads of a pool share.
pub(super) struct Shared<J: Job, B> {
    pub(super) core: Mutex<Core<J, B>>,
    /// Whether steps need the time.
    pub(super) needs_clock: bool,
    pub(super) parkers: Vec<Parker>,
    pub(super) submitter: Arc<dyn SubmitterWake>,
    pub(super) idle_timeout: Duration,
    pub(super) observer: Arc<dyn BlockingObserver>,
    /// What the thread of a worker runs.
    pub(super) run: fn(&Arc<Shared<J, B>>, WorkerId),
}

impl<J: Job, B: RunCounters + 'static> Shared<J, B> {
    /// Takes the lock, for one step.
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<J, B>> {
        let mut core = unpoisoned(self.core.lock());
        if self.needs_clock {
            core.state.set_now(clock::now());
        }
        core
    }

    /// Whether this job's worker reports blocking itself.
    pub(super) fn reports_itself(&self, job: &J) -> bool {
        self.observer.self_reported() && job.may_block()
    }

    /// Carries out the effects of a step. The lock is not held.
    pub(super) fn perform(self: &Arc<Self>, effects: &mut Effects) {
        for id in effects.wakes.drain(..) {
            self.parkers[id.index()].unpark();
        }
        if std::mem::take(&mut effects.notify) {
            self.submitter.wake();
        }
        if let Some((id, work)) = effects.spawn.take() {
            self.create(id, Some(work));
        }
    }

    /// Creates the thread of a slot, here and now.
    pub(super) fn create(self: &Arc<Self>, id: WorkerId, work: Option<WorkId>) {
        let began = clock::now();
        // The last user of the slot has left the pool, and is at most about to end.
        let last = self.lock().handles[id.index()].take();
        if let Some(last) = last {
            // A worker that panicked has nothing to report.
            let _ = last.join();
        }
        let shared = Arc::clone(self);
        let created = thread::Builder::new()
            .name(format!("wq-pool-{}", id.0))
            .stack_size(STACK_BYTES)
            .spawn(move || (shared.run)(&shared, id));
        let mut effects = Effects::default();
        let mut core = self.lock();
        match created {
            Ok(handle) => {
                core.state.spawned(id);
                core.note_birth(id);
                core.handles[id.index()] = Some(handle);
                core.creation_ns.push(clock::now().since(began));
            }
            Err(error) => {
                let transient = error.kind() == io::ErrorKind::WouldBlock;
                match core.state.spawn_failed(id, transient, work, &mut effects) {
                    AfterFailure::Retry(delay) => {
                        core.retries.push((clock::now().after(delay), id));
                        effects.notify = true;
                    }
                    AfterFailure::GaveUp => {}
                }
            }
        }
        drop(core);
        self.perform(&mut effects);
    }
}
