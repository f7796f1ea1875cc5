//! The trait of a policy, and what its decisions may be.

use std::time::Duration;

use super::flags;
use super::preset::NEWEST;
use super::view::{PuntedOp, View};
use crate::work::Flags;

/// Step by which the wait before a retry grows (13918315c5dc).
pub(super) const RETRY_STEP: Duration = Duration::from_millis(5);

/// The rules by which workers come and go. Defaults are those of the newest preset.
pub trait Policy: Send {
    /// Work was queued and no free worker could be woken: whether to create one, in the enqueuer.
    fn spawn_on_enqueue(&mut self, view: &View) -> bool;

    /// The last running worker of the account blocked or went idle while runnable work is queued:
    /// whether to request a worker from the submitter.
    fn spawn_on_block(&mut self, view: &View) -> bool;

    /// A worker found nothing to do: whether it exits.
    fn exit_when_idle(&mut self, view: &View) -> bool;

    /// The submitter carries out a request.
    fn on_request(&mut self, view: &View) -> Creation {
        if view.free > 0 { Creation::WakeFree } else { Creation::Spawn }
    }

    /// How a punted op is queued.
    fn flags(&self, op: PuntedOp) -> Flags {
        flags::of(NEWEST.patches, op)
    }

    /// Bounded workers that are created with the pool.
    fn workers_at_start(&self) -> u32 {
        0
    }

    /// Whether the pool may create workers past the limit. They are not counted in `workers`.
    fn exceeds_limit(&self) -> bool {
        false
    }

    /// Whether waking the first free worker suffices even if it was awake; if not, the next free
    /// one is tried.
    fn awake_counts(&self) -> bool {
        true
    }

    /// Whether the end of the last ring's teardown wakes every worker, so that it can exit.
    fn wakes_on_last_close(&self) -> bool {
        false
    }

    /// How long to wait before the n-th retry of a creation after a transient failure.
    fn retry_delay(&self, retry: u32) -> Duration {
        RETRY_STEP * retry
    }

    /// Whether a worker stays while a request of its own is pending; if not, it withdraws it.
    fn stays_while_requesting(&self) -> bool {
        false
    }

    /// Whether finishing unhashed work wrongly frees bucket 0.
    fn unhashed_frees_bucket_0(&self) -> bool {
        false
    }

    /// What the scheduler's probe decides by itself. It has to agree with
    /// [`Policy::spawn_on_block`]: what the probe withholds the policy is never asked.
    fn probe_rule(&self) -> ProbeRule {
        ProbeRule::Request
    }

    /// Whether the times of a [`View`] are used; if not, the pool reads no clock for them.
    fn needs_clock(&self) -> bool {
        true
    }
}

/// What the scheduler's probe does if the last running worker blocks while work is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeRule {
    /// It requests a worker, and the policy decides.
    Request,
    /// The same, unless the first queued work is in the bucket of the work that blocks.
    SkipSameBucket,
    /// It never requests one.
    Never,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// A free worker is woken instead, or a worker created if there is none.
    WakeFree,
    /// A worker is created, unless the account is at its limit.
    Spawn,
    /// The request is dropped.
    Drop,
}
