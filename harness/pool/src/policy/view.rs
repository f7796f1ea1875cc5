//! What a policy sees: the state of one account at a decision, and an op that is punted.

use iowq_workloads::{OpKind, Open};

use crate::nanos::Nanos;
use crate::work::{Account, Key};

/// An account at a decision. All of it is kept as counters, so that a view costs some loads.
///
/// Times are zero for a policy that does not need the clock (`Policy::needs_clock`).
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// The account; the counts below are its own.
    pub account: Account,
    /// The time of the decision.
    pub now: Nanos,
    /// Queued works.
    pub queued: u32,
    /// Time that the first queued work has waited, in nanoseconds; zero if none is queued.
    pub head_age_ns: u64,
    /// The first queued work.
    pub head: Key,
    /// On enqueue: whether the new work is CONCURRENT.
    pub concurrent: bool,
    /// On block: the work that the blocking worker holds; [`Key::NONE`] if it is idle.
    pub held: Key,
    /// On idle: whether the worker has just slept through a whole idle timeout.
    pub timed_out: bool,
    /// Slots in use: workers alive or being created (`nr_workers`).
    pub workers: u32,
    /// Slots that may be in use.
    pub limit: u32,
    /// Workers that are not blocked, and creations in flight (`nr_running`).
    pub running: i32,
    /// Workers whose thread is being created.
    pub creating: u32,
    /// Workers on the free list: created or idle, and without work yet.
    pub free: u32,
    /// Free workers that are asleep or about to be.
    pub asleep: u32,
    /// Workers that are blocked in their work.
    pub blocked: u32,
    /// Works that have ended since the pool began.
    pub completed: Completed,
    /// Whether the task had a ring and has none now.
    pub no_ring: bool,
}

/// Works that ended, and the time that they ran. A policy that wants those of late keeps the
/// value of its last decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completed {
    /// How many.
    pub works: u64,
    /// Sum of their run times, in nanoseconds.
    pub run_ns: u64,
}

impl Completed {
    /// Those that ended after `earlier`.
    #[must_use]
    pub fn since(self, earlier: Completed) -> Completed {
        let works = self.works.saturating_sub(earlier.works);
        Completed { works, run_ns: self.run_ns.saturating_sub(earlier.run_ns) }
    }

    /// Their mean run time in nanoseconds; zero if there is none.
    #[must_use]
    pub fn mean_run_ns(self) -> u64 {
        self.run_ns.checked_div(self.works).unwrap_or_default()
    }
}

/// An op that is punted to the pool.
#[derive(Clone, Copy, Debug)]
pub struct PuntedOp {
    /// What it does.
    pub kind: OpKind,
    /// How its file was opened.
    pub open: Open,
    /// The bucket of its file.
    pub bucket: u8,
    /// Whether another op of its chain must succeed first.
    pub behind_link: bool,
    /// Whether it was submitted with `IOSQE_ASYNC`.
    pub force_async: bool,
    /// Whether its file system takes direct writes to one file in parallel.
    pub direct_in_parallel: bool,
}
