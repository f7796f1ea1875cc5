//! Enqueueing and creation: when workers come.

use std::time::Duration;

use super::board::Board;
use super::policy::{Creation, CreationView, EnqueueView, SleepView};
use super::state::{Effects, State, WorkerId, WorkerState};
use super::work::{Account, Flags, Key, WorkId};

/// Retries of a creation that failed for now (`WORKER_INIT_LIMIT`).
const RETRIES_MAX: u32 = 3;

/// The scheduler's probe saw the last running worker of an account fall asleep over its work
/// while other work was queued, and counted the worker to come as running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which worker.
    pub id: WorkerId,
    /// Which of the slot's workers, see [`Board::tenant`].
    pub tenant: u32,
    /// What it held at that moment.
    pub held: Key,
    /// What was queued first at that moment.
    pub head: Key,
}

/// What to do after a thread could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again after this long, in the submitter.
    Retry(Duration),
    /// The slot and the credit were given back.
    GaveUp,
}

impl<B: Board> State<B> {
    /// Says what a work is, and which one is linked behind it.
    pub fn define(&mut self, work: WorkId, flags: Flags, link: Option<WorkId>) {
        self.queue.define(work, flags, link);
    }

    /// Queues a work that was defined. The caller creates a thread where the effects say so: a
    /// new worker is made in the enqueuer, who pays for it.
    pub fn enqueue(&mut self, work: WorkId, effects: &mut Effects) {
        if self.exiting {
            self.complete_cancelled(work, effects);
            return;
        }
        let flags = self.queue.flags(work);
        let account = flags.account;
        self.queue.insert(work);
        self.accounts[account.index()].stalled = false;
        self.show_head(account);
        if self.activate_free(account, effects) {
            return;
        }
        let view =
            EnqueueView { concurrent: flags.concurrent, running: self.board.running(account) };
        if !self.policy.spawn_on_enqueue(&view) {
            // Where all workers from the start failed and none will come, it would wait for ever.
            if view.running == 0 && self.accounts[account.index()].workers == 0 {
                self.cancel(work, effects);
            }
            return;
        }
        // At the limit the work just waits: that is no failure.
        let books = &mut self.accounts[account.index()];
        if books.workers >= books.limit {
            return;
        }
        books.workers += 1;
        self.tally.spawned_on_enqueue += 1;
        self.board.running_inc(account);
        match self.take_slot(account) {
            Some(id) => effects.spawn = Some((id, work)),
            None => self.give_up(account, Some(work), effects),
        }
    }

    /// The submitter hears that the scheduler's probe asked for a worker. Its credit was counted at that moment, and is
    /// given back here where the policy says no, or a request is pending already.
    pub fn ran_out(&mut self, request: Request) {
        let Request { id, tenant, held, head } = request;
        // A worker that left before this was heard gave the credit back itself.
        if self.board.tenant(id) != tenant || !self.board.hear(id) {
            return;
        }
        if self.policy.spawn_on_sleep(&SleepView { held, head }) {
            self.ask(id);
        } else {
            self.board.running_dec(self.workers[id as usize].account);
        }
    }

    /// Queues the request of a worker. It brings its credit with it: the creation in flight
    /// counts as running, so that nobody asks for the same again.
    pub(super) fn ask(&mut self, id: WorkerId) {
        if self.exiting || self.has_asked(id) {
            self.board.running_dec(self.workers[id as usize].account);
            return;
        }
        self.workers[id as usize].create_pending = true;
        self.tally.requests += 1;
        self.creations.push_back(id);
    }

    /// Whether a request of this worker is under way.
    pub(super) fn has_asked(&self, id: WorkerId) -> bool {
        self.workers[id as usize].create_pending || self.board.unheard(id)
    }

    /// Whether a request for a worker waits for the submitter.
    #[must_use]
    pub fn creation_pending(&self) -> bool {
        !self.creations.is_empty()
    }

    /// Carries out the oldest request, in the submitter. Returns the slot that needs a thread.
    pub fn run_creation(&mut self, effects: &mut Effects) -> Option<WorkerId> {
        let asker = self.creations.pop_front()?;
        let worker = &mut self.workers[asker as usize];
        worker.create_pending = false;
        let account = worker.account;
        let books = &self.accounts[account.index()];
        let view = CreationView {
            workers: books.workers,
            limit: books.limit,
            free: self.has_free(account),
        };
        match self.policy.on_creation(&view) {
            Creation::WakeFree => {
                self.tally.requests_woken += 1;
                self.activate_free(account, effects);
                self.board.running_dec(account);
                None
            }
            Creation::Spawn { counted } => {
                if counted {
                    self.accounts[account.index()].workers += 1;
                }
                let slot = self.take_slot(account);
                if slot.is_none() {
                    self.give_up(account, None, effects);
                }
                slot
            }
            Creation::Drop => {
                self.tally.requests_dropped += 1;
                self.board.running_dec(account);
                None
            }
        }
    }

    /// A worker from the start, as `fixed` has them. Returns the slot that needs a thread.
    pub fn spawn_at_start(&mut self) -> Option<WorkerId> {
        let id = self.take_slot(Account::Bounded)?;
        self.accounts[Account::Bounded.index()].workers += 1;
        self.board.running_inc(Account::Bounded);
        Some(id)
    }

    /// The thread of a slot was made, says its creator. It counts as free before it first runs.
    pub fn spawned(&mut self, id: WorkerId) {
        self.born(id);
        if self.workers[id as usize].state == WorkerState::Vacant {
            // It has come and gone meanwhile.
            self.vacant.push_back(id);
        } else {
            self.workers[id as usize].creator_back = true;
        }
    }

    /// Notes a birth, by whoever is first: the creator or the thread.
    pub(super) fn born(&mut self, id: WorkerId) {
        if self.workers[id as usize].state == WorkerState::Creating {
            self.workers[id as usize].state = WorkerState::Made;
            self.tally.created += 1;
            self.publish_free(id);
        }
    }

    /// The thread of a slot could not be made. `passing` where another try may succeed; `work` is
    /// the one it was wanted for, where it was wanted at enqueue.
    pub fn spawn_failed(
        &mut self,
        id: WorkerId,
        passing: bool,
        work: Option<WorkId>,
        effects: &mut Effects,
    ) -> AfterFailure {
        let worker = &mut self.workers[id as usize];
        if passing && !self.exiting && worker.retries < RETRIES_MAX {
            worker.retries += 1;
            self.tally.creations_retried += 1;
            return AfterFailure::Retry(self.policy.retry_delay(worker.retries));
        }
        let account = worker.account;
        worker.creator_back = true;
        self.vacate(id);
        self.give_up(account, work, effects);
        AfterFailure::GaveUp
    }

    /// Gives back the slot and the credit of a creation. Without any worker left nobody will ever
    /// run what waits, so it is cancelled: the one work, or all of the account.
    fn give_up(&mut self, account: Account, work: Option<WorkId>, effects: &mut Effects) {
        self.tally.creations_failed += 1;
        self.board.running_dec(account);
        let books = &mut self.accounts[account.index()];
        books.workers = books.workers.wrapping_sub(1);
        if books.workers != 0 {
            return;
        }
        match work {
            Some(work) => {
                self.cancel(work, effects);
            }
            None => self.cancel_queued(account, effects),
        }
    }

    /// Takes a work out of the queue and ends it, and its links, as cancelled. False where it is
    /// not queued: it runs already, or is done.
    pub fn cancel(&mut self, work: WorkId, effects: &mut Effects) -> bool {
        let queued = self.queue.remove(work);
        if queued {
            self.show_head(self.queue.flags(work).account);
            self.complete_cancelled(work, effects);
        }
        queued
    }

    /// Cancels all that is queued in an account.
    pub(super) fn cancel_queued(&mut self, account: Account, effects: &mut Effects) {
        while let Some(work) = self.queue.first(account) {
            self.cancel(work, effects);
        }
    }

    /// Takes a vacant slot for a worker to come.
    fn take_slot(&mut self, account: Account) -> Option<WorkerId> {
        let id = self.vacant.pop_front()?;
        let worker = &mut self.workers[id as usize];
        worker.state = WorkerState::Creating;
        worker.account = account;
        Some(id)
    }
}
