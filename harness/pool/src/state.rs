//! The state of a pool: every counter and list, without a thread, lock or clock.
//!
//! Callers hold the lock, call one method per step and carry out the effects after letting go of
//! it. The protocol is in `README.md` beside this file.

use std::collections::VecDeque;

use super::board::Board;
use super::policy::{Policy, PuntedOp};
use super::queue::Queue;
use super::work::{Account, Flags, Key, WorkId};

/// Index of a worker; slots are used again.
pub type WorkerId = u32;

/// Where a worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// Nobody has this slot.
    Vacant,
    /// The slot is taken, the thread is not there yet.
    Creating,
    /// The thread was made and has not run yet.
    Made,
    /// It has a work in hand.
    Working,
    /// Awake without a work; it will look at the queue again before it sleeps.
    Looking,
    /// It looked, found nothing and is about to sleep; a wake still keeps it awake.
    Dozing,
    /// Parked.
    Asleep,
    /// It decided to exit.
    Leaving,
}

/// One worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worker {
    pub(super) state: WorkerState,
    pub(super) account: Account,
    pub(super) work: Option<WorkId>,
    /// Whether it is on the free list: from when it published itself idle until it gets work.
    pub(super) free: bool,
    /// Whether its last sleep was a whole idle timeout.
    pub(super) timed_out: bool,
    /// Whether a creation that it asked for is pending; there is one at most.
    pub(super) create_pending: bool,
    pub(super) retries: u32,
    /// Whether its creator is back from making the thread.
    pub(super) creator_back: bool,
}

const NOBODY: Worker = Worker {
    state: WorkerState::Vacant,
    account: Account::Bounded,
    work: None,
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
    /// the patch of `6.17-as-posted` takes more away than it adds.
    pub(super) workers: u32,
    pub(super) limit: u32,
    /// All queued works have busy buckets; cleared by any insertion and any release.
    pub(super) stalled: bool,
    /// Idle workers; the last one to go idle is at the end and is woken first.
    pub(super) free: Vec<WorkerId>,
}

/// How a work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// With this error number.
    Failed(i32),
    /// It was never run.
    Cancelled,
}

/// A work that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which.
    pub work: WorkId,
    /// How.
    pub outcome: Outcome,
}

/// What a step asks its caller to do after letting go of the lock.
#[derive(Debug, Default)]
pub struct Effects {
    /// Workers to unpark.
    pub wakes: Vec<WorkerId>,
    /// Whether the submitter is to be unparked.
    pub notify: bool,
    /// A thread to create here and now, for this slot; the work it was created for.
    pub spawn: Option<(WorkerId, WorkId)>,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Threads that were made.
    pub created: u64,
    /// Threads that left.
    pub exited: u64,
    /// Creations begun by enqueueing.
    pub spawned_on_enqueue: u64,
    /// Requests of workers that fell asleep over queued work.
    pub requests: u64,
    /// Requests that were met by waking a free worker.
    pub requests_woken: u64,
    /// Requests that were dropped at the limit.
    pub requests_dropped: u64,
    /// Creations that failed for good.
    pub creations_failed: u64,
    /// Failures of a creation that were followed by a retry.
    pub creations_retried: u64,
}

/// A pool, without its threads.
pub struct State<B> {
    pub(super) policy: Box<dyn Policy>,
    pub(super) board: B,
    pub(super) queue: Queue,
    pub(super) accounts: [AccountState; 2],
    pub(super) workers: Vec<Worker>,
    /// Vacant slots, the longest unused first.
    pub(super) vacant: VecDeque<WorkerId>,
    /// Workers whose request for another one waits for the submitter.
    pub(super) creations: VecDeque<WorkerId>,
    pub(super) completions: Vec<Completion>,
    /// How many completions the submitter sleeps for; zero where it does not sleep.
    pub(super) wanted: usize,
    /// Whether the pool waits to be woken when a bucket is released.
    pub(super) hash_waiting: bool,
    /// Rings open or not torn down yet.
    pub(super) rings: u32,
    /// The last ring is gone and none was opened since.
    pub(super) no_ring: bool,
    pub(super) exiting: bool,
    pub(super) tally: Tally,
}

impl<B: Board> State<B> {
    /// A pool with no worker: room for `works` works and `slots` workers, `limits` per account.
    #[must_use]
    pub fn new(
        policy: Box<dyn Policy>,
        board: B,
        works: u32,
        slots: u32,
        limits: [u32; 2],
    ) -> State<B> {
        let account = |limit| AccountState {
            workers: 0,
            limit,
            stalled: false,
            free: Vec::with_capacity(slots as usize),
        };
        State {
            policy,
            board,
            queue: Queue::new(works),
            accounts: limits.map(account),
            workers: vec![NOBODY; slots as usize],
            vacant: (0..slots).collect(),
            creations: VecDeque::with_capacity(slots as usize),
            completions: Vec::with_capacity(works as usize),
            wanted: 0,
            hash_waiting: false,
            rings: 0,
            no_ring: false,
            exiting: false,
            tally: Tally::default(),
        }
    }

    /// How an op is to be queued under this pool's policy.
    #[must_use]
    pub fn flags(&self, op: PuntedOp) -> Flags {
        self.policy.flags(op)
    }

    /// What the policy is.
    #[must_use]
    pub fn policy(&self) -> &dyn Policy {
        &*self.policy
    }

    /// What happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Threads that were made and have not left.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.tally.created - self.tally.exited
    }

    /// Where a worker is in its life.
    #[must_use]
    pub fn worker_state(&self, id: WorkerId) -> WorkerState {
        self.workers[id as usize].state
    }

    /// Account of a worker.
    #[must_use]
    pub fn worker_account(&self, id: WorkerId) -> Account {
        self.workers[id as usize].account
    }

    /// The key of what a worker has in hand.
    #[must_use]
    pub fn held(&self, id: WorkerId) -> Key {
        self.workers[id as usize]
            .work
            .map_or(Key::NONE, |work| Key::of(self.queue.flags(work).bucket))
    }

    /// Slots in use of an account.
    #[must_use]
    pub fn workers_counted(&self, account: Account) -> u32 {
        self.accounts[account.index()].workers
    }

    /// `nr_running` of an account.
    #[must_use]
    pub fn running(&self, account: Account) -> i32 {
        self.board.running(account)
    }

    /// Sets both limits. Workers beyond a lower one are not killed; they leave when idle.
    pub fn set_limits(&mut self, limits: [u32; 2]) {
        for (account, limit) in self.accounts.iter_mut().zip(limits) {
            account.limit = limit;
        }
    }

    /// A ring was opened.
    pub fn ring_opened(&mut self) {
        self.rings += 1;
        self.no_ring = false;
    }

    /// A ring that was closed is torn down: the task has one less.
    pub fn ring_gone(&mut self, effects: &mut Effects) {
        self.rings = self.rings.saturating_sub(1);
        if self.rings == 0 {
            self.no_ring = true;
            if self.policy.wakes_on_last_close() {
                self.wake_all(effects);
            }
        }
    }

    /// Moves finished works to `out`, the oldest first.
    pub fn reap(&mut self, out: &mut Vec<Completion>) {
        out.append(&mut self.completions);
    }

    /// Says for how many completions the submitter is going to sleep; zero for none.
    pub fn want(&mut self, completions: usize) {
        self.wanted = completions;
    }

    /// Notes the end of a work.
    pub(super) fn complete(&mut self, work: WorkId, outcome: Outcome, effects: &mut Effects) {
        self.completions.push(Completion { work, outcome });
        if self.wanted != 0 && self.completions.len() >= self.wanted {
            effects.notify = true;
        }
    }

    /// Notes that a work and all that is linked behind it will not run.
    pub(super) fn complete_cancelled(&mut self, work: WorkId, effects: &mut Effects) {
        let mut chain = Some(work);
        while let Some(work) = chain {
            self.complete(work, Outcome::Cancelled, effects);
            chain = self.queue.take_link(work);
        }
    }

    /// Whether there is something to do: queued, and not known to be stalled.
    pub(super) fn run_queue(&self, account: Account) -> bool {
        !self.accounts[account.index()].stalled && !self.queue.is_empty(account)
    }

    /// Shows the probe what is queued.
    pub(super) fn show_head(&mut self, account: Account) {
        let stalled = self.accounts[account.index()].stalled;
        let head = if stalled { Key::NONE } else { self.queue.head(account) };
        self.board.show_head(account, head);
    }

    /// Wakes the free worker that went idle last. True where one counts as woken.
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

    /// Whether [`State::activate_free`] would find somebody.
    pub(super) fn has_free(&self, account: Account) -> bool {
        let asleep = |&id: &WorkerId| {
            matches!(self.worker_state(id), WorkerState::Asleep | WorkerState::Dozing)
        };
        let free = &self.accounts[account.index()].free;
        if self.policy.awake_counts() { !free.is_empty() } else { free.iter().any(asleep) }
    }

    /// Wakes one worker; false where it was awake.
    pub(super) fn wake(&mut self, id: WorkerId, effects: &mut Effects) -> bool {
        let worker = &mut self.workers[id as usize];
        match worker.state {
            WorkerState::Asleep => effects.wakes.push(id),
            WorkerState::Dozing => {}
            _ => return false,
        }
        worker.state = WorkerState::Looking;
        true
    }

    /// Wakes everybody who is not awake.
    pub(super) fn wake_all(&mut self, effects: &mut Effects) {
        for id in 0..self.workers.len() as WorkerId {
            self.wake(id, effects);
        }
    }

    /// Puts a worker at the head of the free list.
    pub(super) fn publish_free(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id as usize];
        if !worker.free {
            worker.free = true;
            self.accounts[worker.account.index()].free.push(id);
        }
    }

    /// Takes a worker off the free list.
    pub(super) fn leave_free(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id as usize];
        if worker.free {
            worker.free = false;
            let free = &mut self.accounts[worker.account.index()].free;
            // Mostly it is near the end, where the next to be woken stands.
            if let Some(place) = free.iter().rposition(|&other| other == id) {
                free.remove(place);
            }
        }
    }

    /// Empties a slot, for the next worker: at once if the creator of the last one is back, or
    /// else in [`State::spawned`], as it would take the next thread for its own.
    pub(super) fn vacate(&mut self, id: WorkerId) {
        let last = std::mem::replace(&mut self.workers[id as usize], NOBODY);
        if last.creator_back {
            self.vacant.push_back(id);
        }
    }
}
