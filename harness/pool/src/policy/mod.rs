//! Policies: what io-wq decides at each point, as pure functions of what it can see there.
//!
//! A policy owns no thread, lock or clock. It is shown a snapshot and returns a decision; the pool
//! carries it out.

mod fixed;
mod flags;
mod kernel;
mod name;
mod preset;
mod switch;

use std::time::Duration;

use iowq_workloads::{OpKind, Open};

use super::work::{Flags, Key};

pub use fixed::Fixed;
pub use kernel::Kernel;
pub use name::{NameError, parse, preset};
pub use preset::{PRESETS, Preset};
pub use switch::{Switch, Switches};

/// A set of rules by which workers come and go.
pub trait Policy: Send {
    /// The switches that are on, by name, for the record.
    fn switches(&self) -> Vec<&'static str>;

    /// How an op of this kind is queued once it was punted. The bucket is that of its file;
    /// `behind_link` where another op must succeed first.
    fn flags(&self, op: PuntedOp) -> Flags;

    /// Workers that are there from the start.
    fn workers_at_start(&self) -> u32 {
        0
    }

    /// Whether waking the first free worker counts as served though it was awake already;
    /// if not, the next free one is tried.
    fn awake_counts(&self) -> bool;

    /// Work was queued and no free worker could be woken: create one, in the enqueuer?
    fn spawn_on_enqueue(&self, view: &EnqueueView) -> bool;

    /// The last running worker of the account went to sleep and runnable work is queued: ask the
    /// submitter for a new worker?
    fn spawn_on_sleep(&self, view: &SleepView) -> bool;

    /// The submitter has come to carry out such a request.
    fn on_creation(&self, view: &CreationView) -> Creation;

    /// A worker found nothing to do: does it leave?
    fn leave_when_idle(&self, view: &IdleView) -> bool;

    /// Whether the end of the last ring's teardown wakes every worker, so that it can leave.
    fn wakes_on_last_close(&self) -> bool {
        false
    }

    /// How long to wait before the n-th retry of a creation that failed for now.
    fn retry_delay(&self, retry: u32) -> Duration;

    /// Whether no worker leaves while a creation that it asked for is pending; if not, it takes
    /// that back.
    fn stays_while_asked(&self) -> bool;

    /// Whether finishing unhashed work wrongly frees bucket 0.
    fn unhashed_frees_bucket_0(&self) -> bool;
}

/// An op that goes to the pool.
#[derive(Clone, Copy, Debug)]
pub struct PuntedOp {
    /// What it does.
    pub kind: OpKind,
    /// How its file was opened.
    pub open: Open,
    /// The bucket of its file.
    pub bucket: u8,
    /// Whether it waits for another op of its chain.
    pub behind_link: bool,
    /// Whether it was handed over with `IOSQE_ASYNC`.
    pub force_async: bool,
    /// Whether its file system takes direct writes to one file in parallel.
    pub direct_in_parallel: bool,
}

/// What enqueueing sees.
#[derive(Clone, Copy, Debug)]
pub struct EnqueueView {
    /// The queued work's own wish.
    pub concurrent: bool,
    /// Workers not blocked, plus creations in flight.
    pub running: i32,
}

/// What the hook sees when the last running worker of an account goes to sleep.
#[derive(Clone, Copy, Debug)]
pub struct SleepView {
    /// The work in that worker's hands; [`Key::NONE`] where it is idle.
    pub held: Key,
    /// The first queued work.
    pub head: Key,
}

/// What the creation callback sees.
#[derive(Clone, Copy, Debug)]
pub struct CreationView {
    /// Workers alive or on their way.
    pub workers: u32,
    /// How many there may be.
    pub limit: u32,
    /// Whether a free worker could be woken instead.
    pub free: bool,
}

/// What becomes of a request for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// A free worker is woken instead.
    WakeFree,
    /// A worker is created; `counted` says whether the account's books show it.
    Spawn {
        /// Whether it takes a slot of the account.
        counted: bool,
    },
    /// Nothing: the account is at its limit.
    Drop,
}

/// What an idle worker sees.
#[derive(Clone, Copy, Debug)]
pub struct IdleView {
    /// Whether it slept through a whole idle timeout just now.
    pub timed_out: bool,
    /// Workers of its account, itself among them.
    pub workers: u32,
    /// Whether the task has no ring open.
    pub no_ring: bool,
}
