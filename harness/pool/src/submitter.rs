//! How the submitter waits: for completions, and for spawn requests.

use std::time::Duration;

use crate::counters::SpawnRequest;
use crate::parker::Parker;
use crate::sync::Arc;

/// Ends the submitter's wait, from any thread.
pub trait SubmitterWake: Send + Sync {
    /// Ends the current wait, or else the next one.
    fn wake(&self);
}

/// Where the submitter waits.
pub trait SubmitterWait {
    /// What ends its waits.
    fn waker(&self) -> Arc<dyn SubmitterWake>;

    /// Waits for a wake or a request, at most `timeout` if there is one. It may return early.
    fn wait(&mut self, timeout: Option<Duration>);

    /// Passes on the requests since the last call, oldest first. Does not wait. There is none if
    /// workers report blocking themselves.
    fn requests(&mut self, _: &mut dyn FnMut(SpawnRequest)) {}
}

/// A wait on a parker, for workers that report blocking themselves.
#[derive(Default)]
pub struct ParkedWait(Arc<Parker>);

impl SubmitterWait for ParkedWait {
    fn waker(&self) -> Arc<dyn SubmitterWake> {
        Arc::<Parker>::clone(&self.0)
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        self.0.park(timeout);
    }
}

impl SubmitterWake for Parker {
    fn wake(&self) {
        self.unpark();
    }
}
