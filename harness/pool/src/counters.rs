//! The numbers that the pool shares with the scheduler's probe, outside the state's lock.
//!
//! `nr_running` has two writers: the pool under its lock, and the probe at the moment at which a
//! worker is switched out.

use crate::work::{Account, Key, WorkerId};

/// `nr_running` of each account, the first queued work, and the probe's spawn requests.
///
/// The methods with a default are for a probe, which makes requests by itself: it marks the worker's
/// slot and adds one to `nr_running` for the worker to come (`reserved_running`).
pub trait RunCounters: Send {
    /// Adds one to `nr_running`.
    fn running_inc(&mut self, account: Account);
    /// Subtracts one from `nr_running`; true if that left none.
    fn running_dec(&mut self, account: Account) -> bool;
    /// `nr_running` now.
    fn running(&self, account: Account) -> i32;
    /// Publishes the first runnable work; [`Key::NONE`] if there is none or the queue is stalled.
    fn publish_head(&mut self, _: Account, _: Key) {}

    /// Which user of its slot this worker is; no two in succession have the same number.
    fn generation(&self, _: WorkerId) -> u32 {
        0
    }

    /// Whether the probe requested a worker on behalf of this one and nothing has taken that yet.
    fn request_pending(&self, _: WorkerId) -> bool {
        false
    }

    /// Takes the probe's request. True if there was one: `reserved_running` is then the caller's,
    /// to pass on or to give back.
    fn take_request(&mut self, _: WorkerId) -> bool {
        false
    }
}

/// A spawn request of the scheduler's probe: the last running worker of an account blocked in its
/// work while other work was queued, and `reserved_running` was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnRequest {
    /// The worker that blocked.
    pub id: WorkerId,
    /// See [`RunCounters::generation`].
    pub generation: u32,
    /// The work it held at that moment.
    pub held: Key,
    /// The first queued work at that moment.
    pub head: Key,
}

/// Counters without a probe.
#[derive(Debug, Default)]
pub struct LocalCounters {
    running: [i32; 2],
}

impl RunCounters for LocalCounters {
    fn running_inc(&mut self, account: Account) {
        self.running[account.index()] += 1;
    }

    fn running_dec(&mut self, account: Account) -> bool {
        let running = &mut self.running[account.index()];
        *running -= 1;
        *running == 0
    }

    fn running(&self, account: Account) -> i32 {
        self.running[account.index()]
    }
}
