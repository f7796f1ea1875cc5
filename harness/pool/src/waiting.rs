//! Waiting: how the submitter waits for works to end, and what it does meanwhile.

use crate::clock::{self, Nanos};
use crate::counters::RunCounters;
use crate::job::Job;
use crate::state::Completion;
use crate::sync::atomic::Ordering;
use crate::threads::Pool;
use crate::work::{Account, WorkId};

impl<J: Job, B: RunCounters + 'static> Pool<J, B> {
    /// Waits until `want` more works are done or until `until`, whichever is first, and moves
    /// completions to `out`. Carries out spawn requests meanwhile. With `want` zero only the time
    /// ends the wait, if there is one. Without a time, and with more works than are in flight, the
    /// wait does not end.
    pub fn wait(&mut self, want: usize, until: Option<Nanos>, out: &mut Vec<Completion>) {
        let target = out.len().saturating_add(want);
        while !self.wait_once(target.saturating_sub(out.len()), until, out) {}
    }

    /// The same with one sleep at most; false if neither is reached yet.
    pub fn wait_once(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> bool {
        let target = out.len().saturating_add(want);
        loop {
            let due = self.poll(out);
            let missing = target.saturating_sub(out.len());
            let late = || until.is_some_and(|until| until <= clock::now());
            if (missing == 0 && (want > 0 || until.is_none())) || late() {
                return true;
            }
            if until.is_none()
                && due.is_none()
                && self.reaping.spin(missing, &self.shared.of_submitter)
            {
                continue;
            }
            self.queue_submitted();
            if self.sleeps(want > 0, missing) {
                let deadline = [until, due].into_iter().flatten().min();
                self.waiter.wait(deadline.map(|deadline| deadline.until(clock::now())));
                self.shared.of_submitter.sleeps.store(false, Ordering::Relaxed);
                return false;
            }
        }
    }

    /// Whether the submitter may go to sleep: under the lock, so that nothing comes unnoticed
    /// between the last look and the sleep.
    fn sleeps(&mut self, wants: bool, missing: usize) -> bool {
        let enough = self.reaping.reaped.saturating_add(missing as u64);
        let sleeps = &self.shared.of_submitter.sleeps;
        self.shared.step(&mut self.effects, |core, effects| {
            if core.creates_now() || (wants && core.state.ended() >= enough) {
                return false;
            }
            core.state.want(if wants { enough } else { u64::MAX });
            // A processor is idle now.
            sleeps.store(true, Ordering::Relaxed);
            Account::ALL.into_iter().for_each(|account| core.make_up(account, effects));
            true
        })
    }

    /// Moves completions to `out` and carries out what the submitter has to do by now. Does not
    /// wait. Returns when it next has something to do by itself.
    pub fn poll(&mut self, out: &mut Vec<Completion>) -> Option<Nanos> {
        if self.is_left_alone() {
            self.queue_submitted();
        }
        let due = [self.run_creations(), self.run_teardowns()];
        self.reaping.take(out);
        due.into_iter().flatten().min()
    }

    /// What was seen of a work that [`Pool::wait`] returned, until it is submitted again; the
    /// default if it was cancelled before it ran.
    #[must_use]
    pub fn seen(&self, work: WorkId) -> J::Seen {
        self.reaping.seen(work)
    }
}
