//! Jobs: what works do when they run, and what observes that they block.

use crate::state::{Completion, WorkOutcome};
use crate::work::{Account, Flags, Key, WorkId, WorkerId};

/// What a work does when it runs.
pub trait Job: Copy + Send + 'static {
    /// What its worker saw of it, for the submitter to record: a worker keeps no records, so that
    /// a new one costs what a new one in the kernel costs.
    type Seen: Copy + Default + Send + 'static;

    /// Runs it, on a worker's thread, whose stack is [`STACK_BYTES`](crate::STACK_BYTES) long.
    fn run(self) -> (WorkOutcome, Self::Seen);

    /// Whether the call it makes may block; the answer never changes. If not, it is brief: while
    /// such a work runs another worker that was woken may be left asleep, if no processor is idle.
    fn may_block(&self) -> bool;
}

/// A work to be queued.
#[derive(Clone, Copy, Debug)]
pub struct Submission<J> {
    /// Which one; it is in flight once at most.
    pub work: WorkId,
    /// What it does.
    pub job: J,
    /// How it is queued.
    pub flags: Flags,
    /// The work that starts when this one has succeeded; it is defined before.
    pub link: Option<WorkId>,
}

/// A work that ended, and what was seen of it.
pub(super) type Ended<J> = (Completion, <J as Job>::Seen);

/// What observes that a worker blocks in its work, and the events it needs for that.
pub trait BlockingObserver: Send + Sync {
    /// Whether workers report it themselves, around each call that may block.
    fn self_reported(&self) -> bool;
    /// A worker starts, on its own thread.
    fn worker_started(&self, _: WorkerId, _: Account) {}
    /// A worker ends, on its own thread.
    fn worker_ended(&self, _: WorkerId) {}
    /// Sleep of this worker counts as blocking from now on.
    fn work_begins(&self, _: WorkerId, _: Key) {}
    /// It does not from now on.
    fn work_ends(&self, _: WorkerId) {}
}

/// Workers report blocking themselves, around each call that may block; a call that did not sleep
/// counts, too.
pub struct SelfReported;

impl BlockingObserver for SelfReported {
    fn self_reported(&self) -> bool {
        true
    }
}
