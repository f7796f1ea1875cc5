//! A worker's turns: taking work, finishing it, going idle, sleeping and leaving.

use super::board::Board;
use super::policy::{IdleView, SleepView};
use super::queue::Pick;
use super::state::{Effects, Outcome, State, WorkerId, WorkerState};
use super::work::{Account, WorkId};

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Run this work, then [`State::finish`] it.
    Run(WorkId),
    /// Look again: [`State::lap`].
    Look,
    /// Go to sleep: [`State::sleep`].
    Doze,
    /// Exit: [`State::exited`].
    Leave,
}

impl<B: Board> State<B> {
    /// The worker's thread runs for the first time.
    pub fn started(&mut self, id: WorkerId) {
        self.born(id);
        let worker = &mut self.workers[id as usize];
        // It is on its way already if everybody is leaving.
        if worker.state == WorkerState::Made {
            worker.state = WorkerState::Looking;
        }
    }

    /// One lap of the worker's loop: from here on a wake is noticed; then it looks at the queue.
    pub fn lap(&mut self, id: WorkerId) -> Turn {
        self.workers[id as usize].state = WorkerState::Dozing;
        if let Some(work) = self.take_work(id) {
            return Turn::Run(work);
        }
        self.settle(id, Turn::Doze)
    }

    /// A work ended. Its run, its link and then the queue are looked through for the next.
    pub fn finish(&mut self, id: WorkerId, outcome: Outcome, effects: &mut Effects) -> Turn {
        let Some(work) = self.workers[id as usize].work.take() else { return Turn::Look };
        let next_in_run = self.queue.next_in_run(work);
        let mut link = self.queue.take_link(work);
        self.complete(work, outcome, effects);
        // At the end of the task nobody starts unbounded work any more, not even inline.
        let refused = |link: &mut WorkId| {
            outcome != Outcome::Done
                || (self.exiting && self.queue.flags(*link).account == Account::Unbounded)
        };
        if let Some(link) = link.take_if(refused) {
            self.complete_cancelled(link, effects);
        }
        let mut next = next_in_run;
        if next.is_none() {
            // An unhashed link needs no queue: the same worker goes on with it.
            next = link.take_if(|link| self.queue.flags(*link).bucket.is_none());
        }
        self.workers[id as usize].work = next;
        if let Some(link) = link {
            self.enqueue(link, effects);
        }
        if next_in_run.is_none() {
            self.release_bucket(id, work, effects);
        }
        match next.or_else(|| self.take_work(id)) {
            Some(work) => Turn::Run(work),
            None => {
                self.workers[id as usize].state = WorkerState::Looking;
                self.settle(id, Turn::Look)
            }
        }
    }

    /// The worker is about to be switched out. False where a wake came in between.
    pub fn sleep(&mut self, id: WorkerId, effects: &mut Effects) -> bool {
        let worker = &mut self.workers[id as usize];
        if worker.state != WorkerState::Dozing {
            return false;
        }
        worker.state = WorkerState::Asleep;
        self.sleeping(id, effects);
        true
    }

    /// The worker runs again after [`State::sleep`]; `timed_out` where it slept a whole timeout.
    pub fn woke(&mut self, id: WorkerId, timed_out: bool) {
        let worker = &mut self.workers[id as usize];
        // A wake that came together with the timeout wins: there is work to be looked for.
        worker.timed_out = timed_out && worker.state == WorkerState::Asleep;
        worker.state = WorkerState::Looking;
        let account = worker.account;
        self.board.running_inc(account);
    }

    /// A worker stops running: it sleeps, in its work or without. `io_wq_worker_sleeping`.
    pub fn sleeping(&mut self, id: WorkerId, effects: &mut Effects) {
        let account = self.workers[id as usize].account;
        if !self.board.running_dec(account) || !self.run_queue(account) {
            return;
        }
        let view = SleepView { held: self.held(id), head: self.queue.head(account) };
        if self.policy.spawn_on_sleep(&view) {
            self.board.running_inc(account);
            self.ask(id);
            effects.notify = true;
        }
    }

    /// A worker that slept in its work runs again. `io_wq_worker_running`.
    pub fn running_again(&mut self, id: WorkerId) {
        self.board.running_inc(self.workers[id as usize].account);
    }

    /// The worker's thread ends after this.
    pub fn exited(&mut self, id: WorkerId) {
        self.leave_free(id);
        let worker = self.workers[id as usize];
        if worker.state != WorkerState::Leaving {
            self.board.running_dec(worker.account);
        }
        self.take_request_back(id);
        self.tally.exited += 1;
        self.vacate(id);
    }

    /// A worker that leaves takes back what it asked for, with the credit.
    fn take_request_back(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id as usize];
        let account = worker.account;
        if std::mem::take(&mut worker.create_pending) {
            self.creations.retain(|&asker| asker != id);
            self.board.running_dec(account);
        }
        if self.board.hear(id) {
            self.board.running_dec(account);
        }
    }

    /// The task exits: bounded work is still done, unbounded work is cancelled, then all leave.
    pub fn exit(&mut self, effects: &mut Effects) {
        self.exiting = true;
        while let Some(asker) = self.creations.pop_front() {
            let worker = &mut self.workers[asker as usize];
            worker.create_pending = false;
            let account = worker.account;
            self.board.running_dec(account);
        }
        self.cancel_queued(Account::Unbounded, effects);
        if self.accounts[Account::Bounded.index()].workers == 0 {
            self.cancel_queued(Account::Bounded, effects);
        }
        self.wake_all(effects);
    }

    /// Gives the worker the next work that may run, and takes it off the free list.
    fn take_work(&mut self, id: WorkerId) -> Option<WorkId> {
        let account = self.workers[id as usize].account;
        if !self.run_queue(account) {
            return None;
        }
        let pick = self.queue.pick(account);
        if pick == Pick::Stalled {
            self.accounts[account.index()].stalled = true;
            self.hash_waiting = true;
        }
        self.show_head(account);
        let Pick::Work(work) = pick else { return None };
        self.leave_free(id);
        let worker = &mut self.workers[id as usize];
        worker.state = WorkerState::Working;
        worker.work = Some(work);
        Some(work)
    }

    /// An idle worker leaves or publishes itself as free; `or` is what it does then.
    fn settle(&mut self, id: WorkerId, or: Turn) -> Turn {
        let worker = self.workers[id as usize];
        let workers = self.accounts[worker.account.index()].workers;
        let view = IdleView { timed_out: worker.timed_out, workers, no_ring: self.no_ring };
        let stays = self.policy.stays_while_asked() && self.has_asked(id);
        let leaves = !stays && self.policy.leave_when_idle(&view);
        if !leaves && !self.exiting {
            self.workers[id as usize].timed_out = false;
            self.publish_free(id);
            return or;
        }
        self.accounts[worker.account.index()].workers = workers.wrapping_sub(1);
        self.workers[id as usize].state = WorkerState::Leaving;
        // All that work to come could take for a worker goes in this very step, after the queue
        // was looked at, so nothing is left behind.
        self.leave_free(id);
        self.board.running_dec(worker.account);
        self.take_request_back(id);
        Turn::Leave
    }

    /// Frees the bucket of a run that is over and wakes who waits for one.
    fn release_bucket(&mut self, id: WorkerId, work: WorkId, effects: &mut Effects) {
        let by_mistake = self.policy.unhashed_frees_bucket_0().then_some(0);
        let Some(bucket) = self.queue.flags(work).bucket.or(by_mistake) else { return };
        self.queue.release(bucket);
        let own = self.workers[id as usize].account;
        self.accounts[own.index()].stalled = false;
        self.show_head(own);
        if std::mem::take(&mut self.hash_waiting) {
            for account in Account::ALL {
                if std::mem::take(&mut self.accounts[account.index()].stalled) {
                    self.show_head(account);
                    self.activate_free(account, effects);
                }
            }
        }
    }
}
