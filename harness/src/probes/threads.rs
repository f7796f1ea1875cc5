//! The reader of thread events: a thread that empties the ring `THREADS` into memory.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use iowq_ebpf::ThreadEvent;
use rustix::event::{EventfdFlags, eventfd};

use super::ring;
use crate::clock::{self, Nanos};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc, thread};

/// Events kept at most, so that a runaway cannot take all memory (400 MB). More are lost, and
/// counted.
const EVENTS_MAX: usize = 1 << 23;

/// How long a few events may wait in the ring. The programs wake the reader only for many, so
/// that it takes no CPU from what is measured.
const NAP: Duration = Duration::from_millis(20);

/// How often [`ThreadReader::drain_until`] polls.
const LOOK: Duration = Duration::from_millis(1);

/// Reads the ring `THREADS`, on a thread of its own and on demand.
pub(super) struct ThreadReader {
    collected: Arc<Mutex<Collected>>,
    ring_fd: OwnedFd,
    stop: OwnedFd,
    thread: Option<thread::JoinHandle<()>>,
}

/// Name of the reader's thread.
pub(super) const THREAD_NAME: &str = "iowq-probes";

/// The ring, and what came out of it.
pub(super) struct Collected {
    ring: RingBuf<MapData>,
    events: Vec<ThreadEvent>,
    /// Events that did not fit.
    over: u64,
    /// Records that were none.
    strange: u64,
}

impl Collected {
    fn drain(&mut self) {
        let Collected { ring, events, over, strange } = self;
        *strange += ring::take_all(ring, |event| {
            if events.len() < EVENTS_MAX {
                events.push(event);
            } else {
                *over += 1;
            }
        });
    }
}

/// While it lives, nothing leaves the ring.
pub struct Pause<'a> {
    _held: MutexGuard<'a, Collected>,
}

impl ThreadReader {
    /// Starts reading.
    pub(super) fn start(ring: RingBuf<MapData>) -> io::Result<ThreadReader> {
        let ring_fd = ring.as_fd().try_clone_to_owned()?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let collected =
            Arc::new(Mutex::new(Collected { ring, events: Vec::new(), over: 0, strange: 0 }));
        let files = (ring_fd.try_clone()?, stop.try_clone()?);
        let (ready_sender, ready) = mpsc::channel();
        let thread = thread::Builder::new().name(THREAD_NAME.into()).spawn({
            let collected = Arc::clone(&collected);
            move || {
                // The other end waits for it: by then the thread has its name.
                let _ = ready_sender.send(());
                read(&collected, &files.0, &files.1);
            }
        })?;
        ready.recv().map_err(io::Error::other)?;
        Ok(ThreadReader { collected, ring_fd, stop, thread: Some(thread) })
    }

    /// Empties the ring, and returns all events so far.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Vec<ThreadEvent>) -> T) -> T {
        let mut collected = lock(&self.collected);
        collected.drain();
        look(&mut collected.events)
    }

    /// Holds the reader.
    pub(super) fn pause(&self) -> Pause<'_> {
        Pause { _held: lock(&self.collected) }
    }

    /// Polls until `done` returns true or the time is over. Returns the last answer.
    pub(super) fn drain_until(
        &self,
        deadline: Nanos,
        mut done: impl FnMut(&[ThreadEvent]) -> bool,
    ) -> bool {
        loop {
            if self.look(|events| done(events)) {
                return true;
            }
            let left = deadline.until(clock::now());
            if left.is_zero() || ring::wait(&[self.ring_fd.as_fd()], left.min(LOOK)).is_err() {
                return false;
            }
        }
    }

    /// Stops after everything in the ring was read. Returns the events, how many did not fit into
    /// memory, and how many could not be understood.
    pub(super) fn finish(mut self) -> (Vec<ThreadEvent>, u64, u64) {
        self.end();
        let mut collected = lock(&self.collected);
        collected.drain();
        (std::mem::take(&mut collected.events), collected.over, collected.strange)
    }

    fn end(&mut self) {
        // Fails only if the counter is full, and then it can be read all the same.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            // A reader that panicked has read what it could.
            let _ = thread.join();
        }
    }
}

impl Drop for ThreadReader {
    fn drop(&mut self) {
        self.end();
    }
}

/// The reader's thread.
fn read(collected: &Mutex<Collected>, ring_fd: &OwnedFd, stop: &OwnedFd) {
    loop {
        // Should waiting fail, the end reads the rest.
        if ring::wait(&[ring_fd.as_fd(), stop.as_fd()], NAP).is_err() || is_set(stop) {
            return;
        }
        lock(collected).drain();
    }
}

fn is_set(stop: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut [PollFd::new(stop, PollFlags::IN)], Some(&now)), Ok(1))
}

fn lock(collected: &Mutex<Collected>) -> MutexGuard<'_, Collected> {
    // What a panicking thread left is a list of events, each of them whole.
    collected.lock().unwrap_or_else(PoisonError::into_inner)
}
