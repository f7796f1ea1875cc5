//! A parker: one thread sleeps on it, any other wakes it; a wake that comes first is kept.

use std::time::Duration;

use crate::sync::{Condvar, Mutex, thread, unpoisoned};

/// Where one thread sleeps.
#[derive(Debug, Default)]
pub(super) struct Parker {
    woken: Mutex<bool>,
    change: Condvar,
}

impl Parker {
    /// Sleeps until [`Parker::unpark`], at most `timeout` if there is one, and consumes the wake.
    /// False if there was none.
    pub(super) fn park(&self, timeout: Option<Duration>) -> bool {
        if timeout == Some(Duration::ZERO) {
            // Under shuttle, whose clock stands still, this is how a timeout passes.
            thread::yield_now();
            return std::mem::take(&mut *unpoisoned(self.woken.lock()));
        }
        let mut woken = unpoisoned(self.woken.lock());
        while !*woken {
            match timeout {
                None => woken = unpoisoned(self.change.wait(woken)),
                // A spurious wake only ends the sleep early; the caller rescans in any case.
                Some(timeout) => {
                    woken = unpoisoned(self.change.wait_timeout(woken, timeout)).0;
                    break;
                }
            }
        }
        std::mem::take(&mut *woken)
    }

    /// Wakes the thread that sleeps here, or the next one that would.
    pub(super) fn unpark(&self) {
        let mut woken = unpoisoned(self.woken.lock());
        if !std::mem::replace(&mut *woken, true) {
            drop(woken);
            self.change.notify_one();
        }
    }
}
