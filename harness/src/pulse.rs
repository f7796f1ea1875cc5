//! The pulse: detects that the process or the machine was suspended.
//!
//! A thread that sleeps for moments all along sees how long it was kept from running. A machine that
//! was suspended shows in the clock that goes on meanwhile (`CLOCK_BOOTTIME`), and in no other.

use std::time::Duration;

use crate::clock::{self, Nanos};
use crate::sync::{Arc, Mutex, PoisonError, mpsc, thread};

/// How long it sleeps each time.
const BEAT: Duration = Duration::from_millis(50);

/// What it measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stillness {
    /// The longest time in which the process did not run, in nanoseconds.
    pub stopped_ns_max: u64,
    /// How long the machine was suspended, in nanoseconds.
    pub suspended_ns: u64,
}

/// A thread that measures until [`Pulse::finish`].
pub struct Pulse {
    longest: Arc<Mutex<u64>>,
    end: mpsc::Sender<()>,
    thread: Option<thread::JoinHandle<()>>,
    asleep_ns: u64,
}

impl Pulse {
    /// Starts. Without a thread only a suspension of the machine is detected.
    #[must_use]
    pub fn start() -> Pulse {
        let longest = Arc::new(Mutex::new(0));
        let (end, ended) = mpsc::channel::<()>();
        let own = Arc::clone(&longest);
        let thread = thread::Builder::new().name("iowq-pulse".to_owned()).spawn(move || {
            let mut last = clock::now();
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(BEAT) {
                last = beat(last, clock::now(), &own);
            }
            beat(last, clock::now(), &own);
        });
        Pulse { longest, end, thread: thread.ok(), asleep_ns: clock::suspended_ns() }
    }

    /// Ends it.
    #[must_use]
    pub fn finish(mut self) -> Stillness {
        // It has ended by itself if this fails.
        let _ = self.end.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let longest = *self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        Stillness {
            stopped_ns_max: longest,
            suspended_ns: clock::suspended_ns().saturating_sub(self.asleep_ns),
        }
    }
}

/// Notes how much later than it should the thread is back.
fn beat(last: Nanos, now: Nanos, longest: &Mutex<u64>) -> Nanos {
    let late_ns = now.since(last.after(BEAT));
    let mut longest = longest.lock().unwrap_or_else(PoisonError::into_inner);
    *longest = (*longest).max(late_ns);
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_standstill_is_what_exceeds_a_beat() {
        let longest = Mutex::new(0);
        let beat_ns = clock::duration_ns(BEAT);
        let at = beat(Nanos(0), Nanos(beat_ns + 7), &longest);
        let at = beat(at, Nanos(at.0 + 3 * beat_ns), &longest);
        beat(at, Nanos(at.0 + 1), &longest);
        assert_eq!(longest.into_inner().ok(), Some(2 * beat_ns));
    }

    #[test]
    fn a_machine_that_was_not_suspended_shows_none() {
        assert!(Pulse::start().finish().suspended_ns < 10_000_000);
    }
}
