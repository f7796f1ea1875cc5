//! A parker: one thread sleeps on it, any other wakes it; a wake that comes first is not lost.

use std::time::Duration;

use crate::sync::{Condvar, Mutex, thread};

/// Where one thread sleeps.
#[derive(Debug, Default)]
pub(super) struct Parker {
    woken: Mutex<bool>,
    change: Condvar,
}

impl Parker {
    /// Sleeps until [`Parker::unpark`], or for `timeout` at most where there is one. Takes back
    /// the wake. False where nobody called.
    pub(super) fn park(&self, timeout: Option<Duration>) -> bool {
        if timeout == Some(Duration::ZERO) {
            // Sleep of no length. Under shuttle, whose clock stands still, this is a timeout.
            thread::yield_now();
            return std::mem::take(&mut *super::unpoisoned(self.woken.lock()));
        }
        let mut woken = super::unpoisoned(self.woken.lock());
        while !*woken {
            match timeout {
                None => woken = super::unpoisoned(self.change.wait(woken)),
                // A wake out of the blue only ends the sleep early; the caller looks around anyway.
                Some(timeout) => {
                    woken = super::unpoisoned(self.change.wait_timeout(woken, timeout)).0;
                    break;
                }
            }
        }
        std::mem::take(&mut *woken)
    }

    /// Wakes the thread that sleeps here, or the next one that would.
    pub(super) fn unpark(&self) {
        let mut woken = super::unpoisoned(self.woken.lock());
        if !std::mem::replace(&mut *woken, true) {
            drop(woken);
            self.change.notify_one();
        }
    }
}
