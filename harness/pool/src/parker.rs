//! A parker: one thread sleeps on it, any other wakes it; a wake that comes first is kept.

use std::time::Duration;

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Condvar, Mutex, spin_loop, thread, unpoisoned};

/// [`Parker::state`]: its thread is awake, and no wake is kept.
const AWAKE: u32 = 0;
/// [`Parker::state`]: its thread sleeps, or is about to.
const PARKED: u32 = 1;
/// [`Parker::state`]: a wake came.
const WOKEN: u32 = 2;

/// Looks at the state before a thread sleeps, if it spins: as long as a sleep and a wake take.
#[cfg(not(feature = "shuttle"))]
const SPINS: u32 = 1000;
#[cfg(feature = "shuttle")]
const SPINS: u32 = 1;

/// How a [`Parker::spin`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spun {
    /// By a wake, which it consumed.
    Woken,
    /// There is something else to do.
    Busy,
    /// It is time to sleep.
    InVain,
}

/// Where one thread sleeps. Two share no cache line, nor the pair that a processor prefetches.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Parker {
    state: AtomicU32,
    lock: Mutex<()>,
    change: Condvar,
}

impl Parker {
    /// Waits for [`Parker::unpark`] without sleeping, for about as long as a sleep costs, or until
    /// `busy` says that there is something else to do.
    pub(super) fn spin(&self, mut busy: impl FnMut() -> bool) -> Spun {
        for _ in 0..SPINS {
            if self.state.load(Ordering::Relaxed) == WOKEN && self.take() {
                return Spun::Woken;
            }
            if busy() {
                return Spun::Busy;
            }
            spin_loop();
        }
        Spun::InVain
    }

    /// Sleeps until [`Parker::unpark`], at most `timeout` if there is one, and consumes the wake.
    /// False if there was none.
    pub(super) fn park(&self, timeout: Option<Duration>) -> bool {
        if timeout == Some(Duration::ZERO) {
            // Under shuttle, whose clock stands still, this is how a timeout passes.
            thread::yield_now();
            return self.take();
        }
        let mut held = unpoisoned(self.lock.lock());
        let parks = self.state.compare_exchange(AWAKE, PARKED, Ordering::SeqCst, Ordering::SeqCst);
        while parks.is_ok() && self.state.load(Ordering::SeqCst) == PARKED {
            match timeout {
                None => held = unpoisoned(self.change.wait(held)),
                // A spurious wake only ends the sleep early; the caller rescans in any case.
                Some(timeout) => {
                    held = unpoisoned(self.change.wait_timeout(held, timeout)).0;
                    break;
                }
            }
        }
        drop(held);
        self.take()
    }

    /// Consumes a wake.
    fn take(&self) -> bool {
        self.state.swap(AWAKE, Ordering::SeqCst) == WOKEN
    }

    /// Wakes the thread that sleeps here, or the next one that would. A system call only if one
    /// sleeps.
    pub(super) fn unpark(&self) {
        if self.state.swap(WOKEN, Ordering::SeqCst) == PARKED {
            // It holds the lock until it waits for the change.
            drop(unpoisoned(self.lock.lock()));
            self.change.notify_one();
        }
    }
}
