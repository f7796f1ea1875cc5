//! A worker's steps: taking work, finishing it, going idle, sleeping and exiting.

use crate::counters::RunCounters;
use crate::policy::View;
use crate::queue::Pick;
use crate::state::{Effects, State, WorkOutcome, Worker, WorkerState};
use crate::work::{Account, WorkId, WorkerId};

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Run this work, then [`State::finish`] it.
    Run(WorkId),
    /// Scan the queue again: [`State::next_step`].
    Rescan,
    /// Go to sleep: [`State::sleep`].
    Sleep,
    /// Exit: [`State::exited`].
    Exit,
}

impl<B: RunCounters> State<B> {
    /// The worker's thread runs for the first time.
    pub fn started(&mut self, id: WorkerId) {
        self.born(id);
        // It is exiting already if all workers are.
        if self.worker_state(id) == WorkerState::Created {
            self.set_state(id, WorkerState::Scanning);
        }
    }

    /// The worker scans the queue. A wake from here on keeps it awake.
    pub fn next_step(&mut self, id: WorkerId) -> NextStep {
        self.set_state(id, WorkerState::PreparingToSleep);
        match self.take_work(id) {
            Some(work) => NextStep::Run(work),
            None => self.idle(id, NextStep::Sleep),
        }
    }

    /// A work ended. The next one comes from its run, its link or the queue, in this order.
    pub fn finish(
        &mut self,
        id: WorkerId,
        outcome: WorkOutcome,
        effects: &mut Effects,
    ) -> NextStep {
        let worker = &mut self.workers[id.index()];
        let Some(work) = worker.work.take() else { return NextStep::Rescan };
        let completed = &mut self.accounts[worker.account.index()].completed;
        completed.works += 1;
        completed.run_ns += self.now.since(worker.began);
        let next_in_run = self.queue.next_in_run(work);
        let mut link = self.queue.take_link(work);
        self.complete(work, outcome, effects);
        // Once the task exits no unbounded work is started, not even inline.
        let refused = |link: &mut WorkId| {
            outcome != WorkOutcome::Done
                || (self.exiting && self.queue.flags(*link).account == Account::Unbounded)
        };
        if let Some(link) = link.take_if(refused) {
            self.complete_cancelled(link, effects);
        }
        let mut next = next_in_run;
        if next.is_none() {
            // An unhashed link is not queued: the same worker continues with it.
            next = link.take_if(|link| self.queue.flags(*link).bucket.is_none());
        }
        let worker = &mut self.workers[id.index()];
        (worker.work, worker.began) = (next, self.now);
        if let Some(link) = link {
            self.enqueue(link, effects);
        }
        if next_in_run.is_none() {
            self.release_bucket(id, work, effects);
        }
        match next.or_else(|| self.take_work(id)) {
            Some(work) => NextStep::Run(work),
            None => {
                self.set_state(id, WorkerState::Scanning);
                self.idle(id, NextStep::Rescan)
            }
        }
    }

    /// The idle worker is about to be switched out. False if a wake came in between.
    pub fn sleep(&mut self, id: WorkerId, effects: &mut Effects) -> bool {
        if self.worker_state(id) != WorkerState::PreparingToSleep {
            return false;
        }
        self.set_state(id, WorkerState::Asleep);
        let account = self.worker_account(id);
        let none_running = self.sub_running(account);
        self.stopped_running(id, none_running, effects);
        true
    }

    /// The worker runs again after [`State::sleep`]; `timed_out` if it slept a whole timeout.
    pub fn woke(&mut self, id: WorkerId, timed_out: bool) {
        // A wake that came together with the timeout wins: there is work to be taken.
        self.workers[id.index()].timed_out =
            timed_out && self.worker_state(id) == WorkerState::Asleep;
        self.set_state(id, WorkerState::Scanning);
        self.add_running(self.worker_account(id));
    }

    /// A worker blocks in its work. `io_wq_worker_sleeping`.
    pub fn block(&mut self, id: WorkerId, effects: &mut Effects) {
        let none_running = self.counters.running_dec(self.worker_account(id));
        self.stopped_running(id, none_running, effects);
    }

    /// A worker that blocked in its work runs again. `io_wq_worker_running`.
    pub fn unblock(&mut self, id: WorkerId) {
        self.counters.running_inc(self.worker_account(id));
    }

    /// A worker stopped running: it requests another if it was the last one, work is queued and
    /// the policy agrees.
    fn stopped_running(&mut self, id: WorkerId, none_running: bool, effects: &mut Effects) {
        let account = self.worker_account(id);
        if !none_running || !self.run_queue(account) {
            return;
        }
        let view = View { held: self.held(id), ..self.view(account) };
        if self.policy.spawn_on_block(&view) {
            self.add_running(account);
            self.queue_request(id);
            effects.notify = true;
        }
    }

    /// The worker's thread ends after this.
    pub fn exited(&mut self, id: WorkerId) {
        self.leave_free(id);
        if self.worker_state(id) != WorkerState::Exiting {
            self.sub_running(self.worker_account(id));
        }
        self.withdraw_request(id);
        self.tally.exited += 1;
        self.vacate(id);
    }

    /// A worker that exits withdraws its request, and gives back `reserved_running`.
    fn withdraw_request(&mut self, id: WorkerId) {
        let account = self.worker_account(id);
        if std::mem::take(&mut self.workers[id.index()].create_pending) {
            self.creations.retain(|&requester| requester != id);
            self.sub_running(account);
        }
        if self.counters.take_request(id) {
            self.counters.running_dec(account);
        }
    }

    /// The task exits: bounded work is still done, unbounded work is cancelled, then all exit.
    pub fn exit(&mut self, effects: &mut Effects) {
        self.exiting = true;
        while let Some(requester) = self.creations.pop_front() {
            self.workers[requester.index()].create_pending = false;
            self.sub_running(self.worker_account(requester));
        }
        self.cancel_queued(Account::Unbounded, effects);
        if self.accounts[Account::Bounded.index()].workers == 0 {
            self.cancel_queued(Account::Bounded, effects);
        }
        self.wake_all(effects);
    }

    /// Gives the worker the next runnable work, and takes it off the free list.
    fn take_work(&mut self, id: WorkerId) -> Option<WorkId> {
        let account = self.worker_account(id);
        if !self.run_queue(account) {
            return None;
        }
        let pick = self.queue.pick(account);
        if pick == Pick::Stalled {
            self.accounts[account.index()].stalled = true;
            self.hash_waiting = true;
        }
        self.publish_head(account);
        let Pick::Work(work) = pick else { return None };
        self.leave_free(id);
        self.set_state(id, WorkerState::Working);
        let worker = &mut self.workers[id.index()];
        (worker.work, worker.began) = (Some(work), self.now);
        Some(work)
    }

    /// An idle worker exits, or publishes itself as free and goes on with `otherwise`.
    fn idle(&mut self, id: WorkerId, otherwise: NextStep) -> NextStep {
        let Worker { account, timed_out, .. } = self.workers[id.index()];
        let stays = self.policy.stays_while_requesting() && self.has_request(id);
        let exits = !stays && self.policy.exit_when_idle(&View { timed_out, ..self.view(account) });
        if !exits && !self.exiting {
            self.workers[id.index()].timed_out = false;
            self.publish_free(id);
            return otherwise;
        }
        let state = &mut self.accounts[account.index()];
        state.workers = state.workers.wrapping_sub(1);
        self.set_state(id, WorkerState::Exiting);
        // It is no longer free nor running from this very step on, which follows a scan of the
        // queue, so no work is left behind for it.
        self.leave_free(id);
        self.sub_running(account);
        self.withdraw_request(id);
        NextStep::Exit
    }

    /// Frees the bucket of a run that is over and wakes workers that wait for one.
    fn release_bucket(&mut self, id: WorkerId, work: WorkId, effects: &mut Effects) {
        let by_mistake = self.policy.unhashed_frees_bucket_0().then_some(0);
        let Some(bucket) = self.queue.flags(work).bucket.or(by_mistake) else { return };
        self.queue.release(bucket);
        let own = self.worker_account(id);
        self.accounts[own.index()].stalled = false;
        self.publish_head(own);
        if std::mem::take(&mut self.hash_waiting) {
            for account in Account::ALL {
                if std::mem::take(&mut self.accounts[account.index()].stalled) {
                    self.publish_head(account);
                    self.activate_free(account, effects);
                }
            }
        }
    }
}
