//! Enqueueing and creation: when workers come.

use std::time::Duration;

use crate::counters::{RunCounters, SpawnRequest};
use crate::policy::{Creation, View};
use crate::state::{Effects, State, WorkerState};
use crate::work::{Account, Flags, WorkId, WorkerId};

/// Retries of a creation after a transient failure (`WORKER_INIT_LIMIT`).
const RETRIES_MAX: u32 = 3;

/// What to do after a thread could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again after this long, in the submitter.
    Retry(Duration),
    /// The slot and its `reserved_running` were given back.
    GaveUp,
}

impl<B: RunCounters> State<B> {
    /// Defines a work, and which one is linked behind it.
    pub fn define(&mut self, work: WorkId, flags: Flags, link: Option<WorkId>) {
        self.queue.define(work, flags, link);
    }

    /// Queues a work that was defined. If the effects say so the caller creates a thread: the
    /// enqueuer pays for it.
    pub fn enqueue(&mut self, work: WorkId, effects: &mut Effects) {
        if self.exiting {
            self.complete_cancelled(work, effects);
            return;
        }
        let flags = self.queue.flags(work);
        let account = flags.account;
        self.queue.insert(work, self.now);
        self.accounts[account.index()].stalled = false;
        self.publish_head(account);
        if self.activate_free(account, effects) {
            return;
        }
        let view = View { concurrent: flags.concurrent, ..self.view(account) };
        // At the limit the work stays queued: that is no failure.
        if !self.policy.spawn_on_enqueue(&view) || !self.reserve(account) {
            // If there is no worker and none will come, it would wait for ever.
            if view.running == 0 && view.workers == 0 {
                self.cancel(work, effects);
            }
            return;
        }
        self.tally.spawned_on_enqueue += 1;
        self.add_running(account);
        effects.spawn = self.take_slot(account);
        if effects.spawn.is_none() {
            self.give_up(account, effects);
        }
    }

    /// Counts a worker to be created; false at the limit of the account.
    fn reserve(&mut self, account: Account) -> bool {
        let account = &mut self.accounts[account.index()];
        let below_limit = account.workers < account.limit;
        account.workers += u32::from(below_limit);
        below_limit
    }

    /// The submitter takes a request of the scheduler's probe, with its `reserved_running`, which
    /// is given back if the policy refuses or a request of that worker is pending already.
    pub fn spawn_requested(&mut self, request: SpawnRequest) {
        let SpawnRequest { id, generation, held, head } = request;
        // A worker that exited before this has given it back.
        if self.counters.generation(id) != generation || !self.counters.take_request(id) {
            return;
        }
        let account = self.worker_account(id);
        self.accounts[account.index()].unblocked += 1;
        let view = self.view(account);
        // As it was at the request.
        let view = View { held, head, running: view.running - 1, ..view };
        if self.policy.spawn_on_block(&view) {
            self.queue_request(id);
        } else {
            self.sub_running(account);
        }
    }

    /// Queues the request of a worker. The creation in flight counts as running, so that the same
    /// is not requested again.
    pub(super) fn queue_request(&mut self, id: WorkerId) {
        if self.exiting || self.has_request(id) {
            self.sub_running(self.worker_account(id));
            return;
        }
        self.workers[id.index()].create_pending = true;
        self.tally.requests += 1;
        self.creations.push_back(id);
    }

    /// Whether a request of this worker is pending.
    pub(super) fn has_request(&self, id: WorkerId) -> bool {
        self.workers[id.index()].create_pending || self.counters.request_pending(id)
    }

    /// Whether a request waits for the submitter.
    #[must_use]
    pub fn creation_pending(&self) -> bool {
        !self.creations.is_empty()
    }

    /// Carries out the oldest request, in the submitter. Returns the slot that needs a thread.
    pub fn run_creation(&mut self, effects: &mut Effects) -> Option<WorkerId> {
        let requester = self.creations.pop_front()?;
        self.workers[requester.index()].create_pending = false;
        let account = self.worker_account(requester);
        let decision = self.policy.on_request(&self.view(account));
        if decision == Creation::WakeFree && self.activate_free(account, effects) {
            self.tally.requests_woken += 1;
            self.sub_running(account);
            return None;
        }
        let spawns =
            decision != Creation::Drop && (self.reserve(account) || self.policy.exceeds_limit());
        if !spawns {
            self.tally.requests_dropped += 1;
            self.sub_running(account);
            return None;
        }
        let slot = self.take_slot(account);
        if slot.is_none() {
            self.give_up(account, effects);
        }
        slot
    }

    /// Creates a worker that the policy wants from the start. Returns the slot that needs a thread.
    pub fn spawn_at_start(&mut self) -> Option<WorkerId> {
        let id = self.take_slot(Account::Bounded)?;
        self.accounts[Account::Bounded.index()].workers += 1;
        self.add_running(Account::Bounded);
        Some(id)
    }

    /// The thread of a slot was created, says its creator. It is free before it first runs.
    pub fn spawned(&mut self, id: WorkerId) {
        self.born(id);
        if self.worker_state(id) == WorkerState::Vacant {
            // It has come and gone already.
            self.vacant.push_back(id);
        } else {
            self.workers[id.index()].creator_back = true;
        }
    }

    /// Records a birth, by whichever is first: the creator or the thread.
    pub(super) fn born(&mut self, id: WorkerId) {
        if self.worker_state(id) == WorkerState::Creating {
            self.set_state(id, WorkerState::Created);
            self.tally.created += 1;
            self.publish_free(id);
        }
    }

    /// The thread of a slot could not be created. `transient` if a retry may succeed.
    pub fn spawn_failed(
        &mut self,
        id: WorkerId,
        transient: bool,
        effects: &mut Effects,
    ) -> AfterFailure {
        let worker = &mut self.workers[id.index()];
        if transient && !self.exiting && worker.retries < RETRIES_MAX {
            worker.retries += 1;
            self.tally.creations_retried += 1;
            return AfterFailure::Retry(self.policy.retry_delay(worker.retries));
        }
        let account = worker.account;
        worker.creator_back = true;
        self.vacate(id);
        self.give_up(account, effects);
        AfterFailure::GaveUp
    }

    /// Gives back the slot and the `reserved_running` of a creation. If no worker is left none will
    /// run what is queued, so all of the account is cancelled.
    fn give_up(&mut self, account: Account, effects: &mut Effects) {
        self.tally.creations_failed += 1;
        self.sub_running(account);
        let state = &mut self.accounts[account.index()];
        state.workers = state.workers.wrapping_sub(1);
        if state.workers == 0 {
            self.cancel_queued(account, effects);
        }
    }

    /// Removes a work from the queue and cancels it and its links. False if it is not queued: it
    /// runs already, or is done.
    pub fn cancel(&mut self, work: WorkId, effects: &mut Effects) -> bool {
        let queued = self.queue.remove(work);
        if queued {
            self.publish_head(self.queue.flags(work).account);
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
}
