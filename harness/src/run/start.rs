//! The start of several streams: each waits until all are ready, or have given up.

use std::cell::Cell;

use crate::sync::{Condvar, Mutex, PoisonError};

/// Where streams wait for each other.
pub(super) struct Start {
    missing: Mutex<usize>,
    all_there: Condvar,
}

impl Start {
    /// For this number of streams.
    pub(super) fn of(streams: usize) -> Start {
        Start { missing: Mutex::new(streams), all_there: Condvar::new() }
    }

    /// A stream is ready, or will never be.
    pub(super) fn arrive(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        if *missing == 0 {
            self.all_there.notify_all();
        }
    }

    fn wait(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        while *missing > 0 {
            missing = self.all_there.wait(missing).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A stream's way in. One that is dropped before keeps no other waiting.
pub(super) struct Gate<'a> {
    start: &'a Start,
    passed: Cell<bool>,
}

impl Gate<'_> {
    /// The way of one of its streams.
    pub(super) fn of(start: &Start) -> Gate<'_> {
        Gate { start, passed: Cell::new(false) }
    }

    /// Waits until all streams are there.
    pub(super) fn pass(&self) {
        self.passed.set(true);
        self.start.arrive();
        self.start.wait();
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        if !self.passed.get() {
            self.start.arrive();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{mpsc, thread};

    #[test]
    fn streams_begin_together_and_one_that_gives_up_keeps_no_other_waiting() {
        let start = Start::of(3);
        let (told, received) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..2 {
                let (start, told) = (&start, told.clone());
                scope.spawn(move || {
                    told.send("there").expect("the test listens");
                    Gate::of(start).pass();
                    told.send("passed").expect("the test listens");
                });
            }
            let next = || received.recv().expect("a word");
            assert_eq!([next(), next()], ["there"; 2], "the third is missing");
            drop(Gate::of(&start));
            assert_eq!([next(), next()], ["passed"; 2]);
        });
    }
}
