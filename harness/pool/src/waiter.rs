//! How the submitter waits: for completions, and for workers that ask for another.

use std::time::Duration;

use super::create::Request;
use super::parker::Parker;
use crate::sync::Arc;

/// Ends the submitter's wait, from any thread.
pub trait Waker: Send + Sync {
    /// Ends the wait that is under way, or else the next one.
    fn wake(&self);
}

/// Where the submitter waits.
pub trait Waiter {
    /// What ends its waits.
    fn waker(&self) -> Arc<dyn Waker>;

    /// Waits for the waker or a request, `timeout` at most where there is one. It may return
    /// early.
    fn wait(&mut self, timeout: Option<Duration>);

    /// Hands over the requests that came since the last time, oldest first. Does not wait.
    fn requests(&mut self, take: &mut dyn FnMut(Request));
}

/// On a parker. Workers that ask for another do so themselves, so no request comes this way.
#[derive(Default)]
pub struct Parked(Arc<Parker>);

impl Waiter for Parked {
    fn waker(&self) -> Arc<dyn Waker> {
        Arc::<Parker>::clone(&self.0)
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        self.0.park(timeout);
    }

    fn requests(&mut self, _: &mut dyn FnMut(Request)) {}
}

impl Waker for Parker {
    fn wake(&self) {
        self.unpark();
    }
}
