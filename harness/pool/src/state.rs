//! The state of a pool: every counter and list, without a thread, lock or clock.
//!
//! Callers hold the lock, call one method per step and carry out the effects after releasing it.
//! The protocol is in `README.md` beside this crate.

use std::collections::VecDeque;

use crate::counters::RunCounters;
use crate::nanos::Nanos;
use crate::policy::{Completed, Policy, PuntedOp, View};
use crate::queue::Queue;
use crate::work::{Account, Flags, Key, WorkId, WorkerId};

/// Where a worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// The slot is not in use.
    Vacant,
    /// The slot is taken, the thread does not exist yet.
    Creating,
    /// The thread was created and has not run yet.
    Created,
    /// It holds a work.
    Working,
    /// Awake without a work; it will scan the queue again before it sleeps.
    Scanning,
    /// It scanned, found nothing and is about to sleep; a wake still keeps it awake.
    PreparingToSleep,
    /// Parked.
    Asleep,
    /// It decided to exit.
    Exiting,
}

impl WorkerState {
    const COUNT: usize = WorkerState::Exiting as usize + 1;
}

/// One worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worker {
    state: WorkerState,
    pub(super) account: Account,
    pub(super) work: Option<WorkId>,
    /// When it was given that work.
    pub(super) began: Nanos,
    /// Whether it is on the free list: from when it published itself idle until it gets work.
    pub(super) free: bool,
    /// Whether its last sleep was a whole idle timeout.
    pub(super) timed_out: bool,
    /// Whether a spawn request of its own is pending; there is one at most.
    pub(super) create_pending: bool,
    pub(super) retries: u32,
    /// Whether its creator has returned from creating the thread.
    pub(super) creator_back: bool,
}

const VACANT: Worker = Worker {
    state: WorkerState::Vacant,
    account: Account::Bounded,
    work: None,
    began: Nanos(0),
    free: false,
    timed_out: false,
    create_pending: false,
    retries: 0,
    creator_back: false,
};

/// One account: bounded or unbounded.
#[derive(Debug)]
pub(super) struct AccountState {
    /// Slots in use: live workers and those being created. It wraps like the kernel's, because
    /// the patch of `6.17-as-posted` subtracts more than it adds.
    pub(super) workers: u32,
    pub(super) limit: u32,
    /// All queued works have busy buckets; cleared by any insertion and any release.
    pub(super) stalled: bool,
    /// Free workers; the last one to go idle is at the end and is woken first.
    pub(super) free: Vec<WorkerId>,
    /// Workers by [`WorkerState`], without those of vacant slots.
    by_state: [u32; WorkerState::COUNT],
    /// What `nr_running` would be if no worker were blocked in its work.
    pub(super) unblocked: i32,
    pub(super) completed: Completed,
}

/// How a work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkOutcome {
    /// Without error.
    Done,
    /// With this error number.
    Failed(i32),
    /// Its job panicked. The message went to the panic hook, by default to standard error.
    Panicked,
    /// It was never run.
    Cancelled,
}

/// A work that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which work.
    pub work: WorkId,
    /// How it ended.
    pub outcome: WorkOutcome,
}

/// What a step asks its caller to do after releasing the lock.
#[derive(Debug, Default)]
pub struct Effects {
    /// Workers to unpark.
    pub wakes: Vec<WorkerId>,
    /// Whether to wake the submitter.
    pub notify: bool,
    /// A slot to create a thread for, here and now.
    pub spawn: Option<WorkerId>,
}

/// Counts of what happened in a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolTally {
    /// Threads created.
    pub created: u64,
    /// Threads that exited.
    pub exited: u64,
    /// Creations begun by enqueueing.
    pub spawned_on_enqueue: u64,
    /// Spawn requests of workers that blocked while work was queued.
    pub requests: u64,
    /// Requests met by waking a free worker.
    pub requests_woken: u64,
    /// Requests dropped, most often at the limit.
    pub requests_dropped: u64,
    /// Creations that failed for good.
    pub creations_failed: u64,
    /// Failures of a creation that were followed by a retry.
    pub creations_retried: u64,
}

/// A pool, without its threads.
pub struct State<B> {
    pub(super) policy: Box<dyn Policy>,
    /// Whether the policy uses times.
    needs_clock: bool,
    /// The time by which a step goes.
    pub(super) now: Nanos,
    pub(super) counters: B,
    pub(super) queue: Queue,
    pub(super) accounts: [AccountState; 2],
    pub(super) workers: Vec<Worker>,
    /// Vacant slots, the longest unused first.
    pub(super) vacant: VecDeque<WorkerId>,
    /// Workers whose spawn request waits for the submitter, oldest first.
    pub(super) creations: VecDeque<WorkerId>,
    completions: Vec<Completion>,
    /// Works that ended so far.
    ended: u64,
    /// The number of ended works that the submitter waits for; none if it does not wait.
    wanted: Option<u64>,
    /// Whether the pool waits to be woken when a bucket is released.
    pub(super) hash_waiting: bool,
    /// Rings that are open or not torn down yet.
    rings: u32,
    /// The last ring is gone and none was opened since.
    no_ring: bool,
    pub(super) exiting: bool,
    pub(super) tally: PoolTally,
}

impl<B: RunCounters> State<B> {
    /// A pool without workers: room for `works` works and `slots` workers, `limits` per account.
    #[must_use]
    pub fn new(
        policy: Box<dyn Policy>,
        counters: B,
        works: u32,
        slots: u32,
        limits: [u32; 2],
    ) -> State<B> {
        let account = |limit| AccountState {
            workers: 0,
            limit,
            stalled: false,
            free: Vec::with_capacity(slots as usize),
            by_state: [0; WorkerState::COUNT],
            unblocked: 0,
            completed: Completed::default(),
        };
        State {
            needs_clock: policy.needs_clock(),
            policy,
            now: Nanos(0),
            counters,
            queue: Queue::new(works),
            accounts: limits.map(account),
            workers: vec![VACANT; slots as usize],
            vacant: (0..slots).map(WorkerId).collect(),
            creations: VecDeque::with_capacity(slots as usize),
            completions: Vec::with_capacity(works as usize),
            ended: 0,
            wanted: None,
            hash_waiting: false,
            rings: 0,
            no_ring: false,
            exiting: false,
            tally: PoolTally::default(),
        }
    }

    /// Whether the policy uses times, so that [`State::set_now`] must come before each step.
    #[must_use]
    pub fn needs_clock(&self) -> bool {
        self.needs_clock
    }

    /// Sets the time of the next steps.
    pub fn set_now(&mut self, now: Nanos) {
        self.now = now;
    }

    /// How an op is queued under this pool's policy.
    #[must_use]
    pub fn flags(&self, op: PuntedOp) -> Flags {
        self.policy.flags(op)
    }

    /// Workers that the policy wants from the start.
    #[must_use]
    pub fn workers_at_start(&self) -> u32 {
        self.policy.workers_at_start()
    }

    /// What happened so far.
    #[must_use]
    pub fn tally(&self) -> PoolTally {
        self.tally
    }

    /// Threads that were created and have not exited.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.tally.created - self.tally.exited
    }

    /// The state of a worker.
    #[must_use]
    pub fn worker_state(&self, id: WorkerId) -> WorkerState {
        self.workers[id.index()].state
    }

    /// Account of a worker.
    #[must_use]
    pub fn worker_account(&self, id: WorkerId) -> Account {
        self.workers[id.index()].account
    }

    /// The key of the work that a worker holds.
    #[must_use]
    pub fn held(&self, id: WorkerId) -> Key {
        let work = self.workers[id.index()].work;
        work.map_or(Key::NONE, |work| Key::of(self.queue.flags(work).bucket))
    }

    /// Slots in use of an account.
    #[must_use]
    pub fn workers_counted(&self, account: Account) -> u32 {
        self.accounts[account.index()].workers
    }

    /// `nr_running` of an account.
    #[must_use]
    pub fn running(&self, account: Account) -> i32 {
        self.counters.running(account)
    }

    /// What a policy sees of an account now.
    #[must_use]
    pub fn view(&self, account: Account) -> View {
        let state = &self.accounts[account.index()];
        let count = |of: WorkerState| state.by_state[of as usize];
        let running = self.counters.running(account);
        View {
            account,
            now: self.now,
            queued: self.queue.len(account),
            head_age_ns: self.queue.head_age_ns(account, self.now),
            head: self.queue.head(account),
            workers: state.workers,
            limit: state.limit,
            running,
            creating: count(WorkerState::Creating),
            free: state.free.len() as u32,
            asleep: count(WorkerState::Asleep) + count(WorkerState::PreparingToSleep),
            blocked: u32::try_from(state.unblocked - running).unwrap_or_default(),
            completed: state.completed,
            no_ring: self.no_ring,
            ..View::default()
        }
    }

    /// Sets limits; none for no change. Workers beyond a lower one are not ended; they exit when idle.
    pub fn set_limits(&mut self, limits: [Option<u32>; 2]) {
        for (account, limit) in self.accounts.iter_mut().zip(limits) {
            account.limit = limit.unwrap_or(account.limit);
        }
    }

    /// A ring was opened.
    pub fn ring_opened(&mut self) {
        self.rings += 1;
        self.no_ring = false;
    }

    /// A closed ring was torn down.
    pub fn ring_gone(&mut self, effects: &mut Effects) {
        self.rings = self.rings.saturating_sub(1);
        if self.rings == 0 {
            self.no_ring = true;
            if self.policy.wakes_on_last_close() {
                self.wake_all(effects);
            }
        }
    }

    /// Completions since the last call, oldest first.
    pub fn completions(&mut self) -> impl Iterator<Item = Completion> + '_ {
        self.completions.drain(..)
    }

    /// Works that ended so far.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// The submitter is going to wait until N works have ended, and is notified once then.
    pub fn want(&mut self, ended: u64) {
        self.wanted = Some(ended);
    }

    /// Records the end of a work.
    pub(super) fn complete(&mut self, work: WorkId, outcome: WorkOutcome, effects: &mut Effects) {
        self.completions.push(Completion { work, outcome });
        self.ended += 1;
        effects.notify |= self.wanted.take_if(|wanted| self.ended >= *wanted).is_some();
    }

    /// Cancels a work and all that is linked behind it.
    pub(super) fn complete_cancelled(&mut self, work: WorkId, effects: &mut Effects) {
        let mut chain = Some(work);
        while let Some(work) = chain {
            self.complete(work, WorkOutcome::Cancelled, effects);
            chain = self.queue.take_link(work);
        }
    }

    /// Whether any work is queued in an account.
    pub(super) fn has_queued(&self, account: Account) -> bool {
        !self.queue.is_empty(account)
    }

    /// Whether there is runnable work: queued, and not known to be stalled.
    pub(super) fn run_queue(&self, account: Account) -> bool {
        !self.accounts[account.index()].stalled && !self.queue.is_empty(account)
    }

    /// Publishes the head of the queue to the probe.
    pub(super) fn publish_head(&mut self, account: Account) {
        let stalled = self.accounts[account.index()].stalled;
        let head = if stalled { Key::NONE } else { self.queue.head(account) };
        self.counters.publish_head(account, head);
    }

    /// A worker of the account begins to run, or its creation is reserved.
    pub(super) fn add_running(&mut self, account: Account) {
        self.accounts[account.index()].unblocked += 1;
        self.counters.running_inc(account);
    }

    /// Undoes [`State::add_running`]. True if none is running now.
    pub(super) fn sub_running(&mut self, account: Account) -> bool {
        self.accounts[account.index()].unblocked -= 1;
        self.counters.running_dec(account)
    }

    /// Wakes the free worker that went idle last. True if that suffices by the policy.
    pub(super) fn activate_free(&mut self, account: Account, effects: &mut Effects) -> bool {
        let awake_counts = self.policy.awake_counts();
        for place in (0..self.accounts[account.index()].free.len()).rev() {
            let id = self.accounts[account.index()].free[place];
            if self.wake(id, effects) || awake_counts {
                return true;
            }
        }
        false
    }

    /// Wakes one worker; false if it was awake.
    fn wake(&mut self, id: WorkerId, effects: &mut Effects) -> bool {
        match self.worker_state(id) {
            WorkerState::Asleep => effects.wakes.push(id),
            WorkerState::PreparingToSleep => {}
            _ => return false,
        }
        self.set_state(id, WorkerState::Scanning);
        true
    }

    /// A worker that was woken, and whose thread sleeps still: whether nothing is left for it to do,
    /// and it would stay. It is then asleep again, as if it had looked.
    pub fn sleep_on(&mut self, id: WorkerId) -> bool {
        let account = self.worker_account(id);
        let sleeps = self.worker_state(id) == WorkerState::Scanning
            && !self.exiting
            && !self.run_queue(account)
            && !self.policy.exit_when_idle(&self.view(account));
        if sleeps {
            self.set_state(id, WorkerState::Asleep);
        }
        sleeps
    }

    /// Wakes every worker that is not awake.
    pub(super) fn wake_all(&mut self, effects: &mut Effects) {
        for id in 0..self.workers.len() as u32 {
            self.wake(WorkerId(id), effects);
        }
    }

    /// Changes the state of a worker whose slot is in use.
    pub(super) fn set_state(&mut self, id: WorkerId, state: WorkerState) {
        let worker = &mut self.workers[id.index()];
        let by_state = &mut self.accounts[worker.account.index()].by_state;
        by_state[worker.state as usize] -= 1;
        by_state[state as usize] += 1;
        worker.state = state;
    }

    /// Puts a worker at the front of the free list.
    pub(super) fn publish_free(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id.index()];
        if !worker.free {
            worker.free = true;
            self.accounts[worker.account.index()].free.push(id);
        }
    }

    /// Takes a worker off the free list.
    pub(super) fn leave_free(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id.index()];
        if worker.free {
            worker.free = false;
            let free = &mut self.accounts[worker.account.index()].free;
            // Mostly it is near the end, where the next to be woken is.
            if let Some(place) = free.iter().rposition(|&other| other == id) {
                free.remove(place);
            }
        }
    }

    /// Takes a vacant slot for a worker to be created.
    pub(super) fn take_slot(&mut self, account: Account) -> Option<WorkerId> {
        let id = self.vacant.pop_front()?;
        let worker = &mut self.workers[id.index()];
        (worker.state, worker.account) = (WorkerState::Creating, account);
        self.accounts[account.index()].by_state[WorkerState::Creating as usize] += 1;
        Some(id)
    }

    /// Empties a slot. It is vacant at once if the creator of its worker has returned, or else
    /// from [`State::spawned`], as the creator would take the next thread for its own.
    pub(super) fn vacate(&mut self, id: WorkerId) {
        let last = std::mem::replace(&mut self.workers[id.index()], VACANT);
        self.accounts[last.account.index()].by_state[last.state as usize] -= 1;
        if last.creator_back {
            self.vacant.push_back(id);
        }
    }
}
