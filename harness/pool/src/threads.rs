//! The pool's threads: the lock around the state, and the submitter's side of it.

use std::io;
use std::time::Duration;

use crate::clock::{self, Nanos};
use crate::sync::{Arc, Mutex, MutexGuard, thread};

use super::board::Board;
use super::create::AfterFailure;
use super::parker::Parker;
use super::state::{Completion, Effects, Outcome, State, Tally, WorkerId};
use super::teardown::{Deciles, Teardowns};
use super::waiter::{Waiter, Waker};
use super::work::{Account, Flags, Key, WorkId};
use super::worker;

/// Stack of a worker of the pool. It runs one system call at a time and takes the time.
pub const STACK_BYTES: usize = 128 << 10;

/// What a work does when it runs.
pub trait Job: Copy + Send + 'static {
    /// What its worker saw of it, for the submitter to record: a worker keeps no records, so that
    /// a new one costs what a new one in the kernel costs.
    type Seen: Copy + Default + Send + 'static;

    /// Runs it, on a worker's thread.
    fn run(self) -> (Outcome, Self::Seen);

    /// Whether the call it makes may block.
    fn may_block(&self) -> bool;
}

/// Who finds out that a worker sleeps in its work, and what they must be told for that.
pub trait Sleeps: Send + Sync {
    /// Whether workers say it themselves, around each call that may block.
    fn declared(&self) -> bool;
    /// A worker starts, on its own thread.
    fn worker_started(&self, id: WorkerId, account: Account);
    /// A worker ends, on its own thread.
    fn worker_ends(&self, id: WorkerId);
    /// From now on a sleep of this worker counts.
    fn work_begins(&self, id: WorkerId, key: Key);
    /// From now on it does not.
    fn work_ends(&self, id: WorkerId);
}

/// How a pool is set up.
pub struct Config {
    /// Works that may be queued or running at one time.
    pub works: u32,
    /// Workers that may live at one time, whatever the limits say.
    pub slots: u32,
    /// Limits on bounded and unbounded workers.
    pub limits: [u32; 2],
    /// How long an idle worker waits before it leaves.
    pub idle_timeout: Duration,
    /// How long a ring is its task's after it was closed.
    pub teardown: Deciles,
}

/// What a pool leaves behind.
pub struct Remains {
    /// What happened.
    pub tally: Tally,
    /// When a worker of an account was born (true) or gone (false), by the pool's own books, in
    /// order.
    pub lives: Vec<(Nanos, bool, Account)>,
    /// What making each of them took its creator, in nanoseconds.
    pub creation_ns: Vec<u64>,
}

/// What is behind the lock.
pub(super) struct Core<J: Job, B> {
    pub(super) state: State<B>,
    pub(super) jobs: Vec<Option<J>>,
    /// What was seen of each work that ended, until it is reaped.
    pub(super) seen: Vec<J::Seen>,
    handles: Vec<Option<thread::JoinHandle<()>>>,
    /// Births that were noted: a thread may run before its creator comes to say so.
    noted: u64,
    lives: Vec<(Nanos, bool, Account)>,
    creation_ns: Vec<u64>,
    /// Creations to be tried again, and when.
    retries: Vec<(Nanos, WorkerId)>,
}

impl<J: Job, B: Board> Core<J, B> {
    /// Notes a birth, by whoever is first: the creator or the thread.
    pub(super) fn note_birth(&mut self, id: WorkerId) {
        while self.noted < self.state.tally().created {
            self.noted += 1;
            self.lives.push((clock::now(), true, self.state.worker_account(id)));
        }
    }

    fn define(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.jobs[work as usize] = Some(job);
        self.seen[work as usize] = J::Seen::default();
        self.state.define(work, flags, link);
    }

    pub(super) fn note_exit(&mut self, account: Account) {
        self.lives.push((clock::now(), false, account));
    }
}

/// What all threads of a pool share.
pub(super) struct Shared<J: Job, B> {
    core: Mutex<Core<J, B>>,
    pub(super) parkers: Vec<Parker>,
    submitter: Arc<dyn Waker>,
    pub(super) idle_timeout: Duration,
    pub(super) sleeps: Arc<dyn Sleeps>,
}

impl<J: Job, B: Board + 'static> Shared<J, B> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<J, B>> {
        super::unpoisoned(self.core.lock())
    }

    /// Whether this job's worker says itself that it sleeps.
    pub(super) fn declares(&self, job: &J) -> bool {
        self.sleeps.declared() && job.may_block()
    }

    /// Carries out what a step asked for. The lock is not held.
    pub(super) fn perform(self: &Arc<Self>, effects: &mut Effects) {
        for id in effects.wakes.drain(..) {
            self.parkers[id as usize].unpark();
        }
        if std::mem::take(&mut effects.notify) {
            self.submitter.wake();
        }
        if let Some((id, work)) = effects.spawn.take() {
            self.create(id, Some(work));
        }
    }

    /// Makes the thread of a slot, here and now.
    fn create(self: &Arc<Self>, id: WorkerId, work: Option<WorkId>) {
        let began = clock::now();
        // Its last user has left the pool, and is at most about to end.
        let last = self.lock().handles[id as usize].take();
        if let Some(last) = last {
            // A worker that panicked has nothing more to say.
            let _ = last.join();
        }
        let shared = Arc::clone(self);
        let made = thread::Builder::new()
            .name(format!("wq-pool-{id}"))
            .stack_size(STACK_BYTES)
            .spawn(move || worker::run(&shared, id));
        let mut effects = Effects::default();
        let mut core = self.lock();
        match made {
            Ok(handle) => {
                core.state.spawned(id);
                core.note_birth(id);
                core.handles[id as usize] = Some(handle);
                core.creation_ns.push(clock::now().since(began));
            }
            Err(error) => {
                let passing = error.kind() == io::ErrorKind::WouldBlock;
                match core.state.spawn_failed(id, passing, work, &mut effects) {
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

/// A pool, as its one submitter holds it.
pub struct Pool<J: Job, B: Board + 'static> {
    shared: Arc<Shared<J, B>>,
    waiter: Box<dyn Waiter>,
    effects: Effects,
    teardowns: Teardowns,
    /// What was seen of each work that was reaped last.
    seen: Vec<J::Seen>,
}

impl<J: Job, B: Board + 'static> Pool<J, B> {
    /// A pool around a state, with the workers that its policy wants from the start. Its submitter
    /// waits on `waiter`.
    #[must_use]
    pub fn new(
        state: State<B>,
        config: &Config,
        sleeps: Arc<dyn Sleeps>,
        waiter: Box<dyn Waiter>,
    ) -> Pool<J, B> {
        let slots = config.slots as usize;
        let core = Core {
            jobs: vec![None; config.works as usize],
            seen: vec![J::Seen::default(); config.works as usize],
            handles: (0..slots).map(|_| None).collect(),
            noted: 0,
            lives: Vec::new(),
            creation_ns: Vec::new(),
            retries: Vec::new(),
            state,
        };
        let shared = Arc::new(Shared {
            core: Mutex::new(core),
            parkers: (0..slots).map(|_| Parker::default()).collect(),
            submitter: waiter.waker(),
            idle_timeout: config.idle_timeout,
            sleeps,
        });
        let seen = vec![J::Seen::default(); config.works as usize];
        let teardowns = Teardowns::new(config.teardown);
        let pool = Pool { shared, waiter, effects: Effects::default(), teardowns, seen };
        let at_start = pool.shared.lock().state.policy().workers_at_start();
        for _ in 0..at_start {
            let slot = pool.shared.lock().state.spawn_at_start();
            if let Some(id) = slot {
                pool.shared.create(id, None);
            }
        }
        pool
    }

    /// Opens a ring.
    pub fn open(&mut self) {
        self.shared.lock().state.ring_opened();
    }

    /// Closes a ring. That it is gone is known once it is torn down.
    pub fn close(&mut self) {
        self.teardowns.close(clock::now());
        self.run_teardowns();
    }

    /// Has the task drop the rings whose teardown is over. The kernel interrupts the submitter for
    /// that, as it does for a creation. Returns when the next one is over.
    fn run_teardowns(&mut self) -> Option<Nanos> {
        self.teardowns.next()?;
        while self.teardowns.take_due(clock::now()) {
            self.shared.lock().state.ring_gone(&mut self.effects);
            self.shared.perform(&mut self.effects);
        }
        self.teardowns.next()
    }

    /// Says what a work is, before it is submitted or stands behind a link.
    pub fn define(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.shared.lock().define(work, job, flags, link);
    }

    /// Says what a work is and queues it, in one go.
    pub fn submit(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        let mut core = self.shared.lock();
        core.define(work, job, flags, link);
        core.state.enqueue(work, &mut self.effects);
        drop(core);
        self.shared.perform(&mut self.effects);
    }

    /// Cancels a work that still waits. False where it runs or is done.
    pub fn cancel(&mut self, work: WorkId) -> bool {
        let cancelled = self.shared.lock().state.cancel(work, &mut self.effects);
        self.shared.perform(&mut self.effects);
        cancelled
    }

    /// Waits until `want` more works are done or until `until`, whichever is first, and moves
    /// what is done to `out`. Meanwhile creations that workers asked for are carried out.
    pub fn wait(&mut self, want: usize, until: Option<Nanos>, out: &mut Vec<Completion>) {
        let target = out.len() + want;
        while !self.wait_once(target.saturating_sub(out.len()), until, out) {}
    }

    /// The same with one sleep at most, which whatever the submitter waits on may end: false if
    /// neither is reached yet. With `want` zero only the time ends the wait.
    pub fn wait_once(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> bool {
        let target = out.len() + want;
        loop {
            let retry_at = self.run_creations();
            let gone_at = self.run_teardowns();
            let mut core = self.shared.lock();
            core.state.want(0);
            let reaped = out.len();
            core.state.reap(out);
            for done in &out[reaped..] {
                self.seen[done.work as usize] = core.seen[done.work as usize];
            }
            let now = clock::now();
            let late = until.is_some_and(|until| until <= now);
            if (want > 0 && out.len() >= target) || late {
                return true;
            }
            if core.state.creation_pending() {
                continue;
            }
            core.state.want(if want == 0 { usize::MAX } else { target - out.len() });
            drop(core);
            let deadline = [until, retry_at, gone_at].into_iter().flatten().min();
            self.waiter.wait(deadline.map(|deadline| deadline.until(now)));
            return false;
        }
    }

    /// What was seen of a work, from when [`Pool::wait`] said that it is done until it is submitted
    /// again; the default of one that was cancelled before it ran.
    #[must_use]
    pub fn seen(&self, work: WorkId) -> J::Seen {
        self.seen[work as usize]
    }

    /// Carries out all that workers asked for, and retries that are due. Returns when the next
    /// retry is.
    pub fn run_creations(&mut self) -> Option<Nanos> {
        let shared = &self.shared;
        self.waiter.requests(&mut |request| shared.lock().state.ran_out(request));
        loop {
            let mut core = self.shared.lock();
            let now = if core.retries.is_empty() { Nanos(0) } else { clock::now() };
            let due = core.retries.iter().position(|&(at, _)| at <= now);
            let slot = match due {
                Some(place) => Some(core.retries.swap_remove(place).1),
                None if core.state.creation_pending() => core.state.run_creation(&mut self.effects),
                None => return core.retries.iter().map(|&(at, _)| at).min(),
            };
            drop(core);
            self.shared.perform(&mut self.effects);
            if let Some(id) = slot {
                self.shared.create(id, None);
            }
        }
    }

    /// Workers alive by the pool's own books.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.shared.lock().state.alive()
    }

    /// Ends the pool: bounded work is done, unbounded work cancelled, all workers are joined.
    #[must_use]
    pub fn exit(mut self) -> Remains {
        let mut core = self.shared.lock();
        core.state.exit(&mut self.effects);
        for (_, id) in std::mem::take(&mut core.retries) {
            core.state.spawn_failed(id, false, None, &mut self.effects);
        }
        drop(core);
        self.shared.perform(&mut self.effects);
        // Nobody creates workers any more but a worker that is still at it, and that one is
        // joined first or makes its handle known before it ends.
        loop {
            let handle = self.shared.lock().handles.iter_mut().find_map(Option::take);
            let Some(handle) = handle else { break };
            let _ = handle.join();
        }
        let mut core = self.shared.lock();
        Remains {
            tally: core.state.tally(),
            lives: std::mem::take(&mut core.lives),
            creation_ns: std::mem::take(&mut core.creation_ns),
        }
    }
}
