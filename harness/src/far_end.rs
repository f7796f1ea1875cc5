//! The far end of connections: a thread that answers what ops wait for, each answer after its time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::clock::{self, Nanos};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, PoisonError, thread};

/// Bytes that are moved in one call at most.
const CHUNK_BYTES: usize = 65_536;

/// The other end of all connections of a stream. Its thread ends when this is dropped.
#[derive(Debug)]
pub struct FarEnd {
    inbox: Arc<Inbox>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What the far end is to do, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// Not before this.
    pub due: Nanos,
    /// On which connection.
    pub socket: u32,
    /// Whether it sends this many bytes; else it takes them.
    pub sends: bool,
    /// How many.
    pub bytes: u32,
}

#[derive(Debug)]
struct Inbox {
    answers: Mutex<Vec<Answer>>,
    /// Readable if there are any, or if it is over.
    bell: OwnedFd,
    over: AtomicBool,
}

impl Inbox {
    fn ring(&self) {
        // Fails only if the counter is full, which takes longer than any process lives.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }
}

impl FarEnd {
    /// At these ends of connections, which must not block.
    ///
    /// # Errors
    /// If there is no thread or descriptor left.
    pub fn start(ends: Vec<OwnedFd>) -> io::Result<FarEnd> {
        let inbox = Arc::new(Inbox {
            answers: Mutex::default(),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            over: AtomicBool::new(false),
        });
        let mut work = Work {
            inbox: Arc::clone(&inbox),
            owed: vec![Owed::default(); ends.len()],
            ends,
            later: BinaryHeap::new(),
            unfinished: Vec::new(),
            chunk: vec![0; CHUNK_BYTES],
        };
        let thread = thread::Builder::new().name("far-end".into()).spawn(move || work.run())?;
        Ok(FarEnd { inbox, thread: Some(thread) })
    }

    /// Has an answer given when it is due.
    pub fn answer(&self, answer: Answer) {
        // A panic leaves no answer half-added.
        let mut answers = self.inbox.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push(answer);
        // The bell rings for those that are there already.
        if answers.len() == 1 {
            self.inbox.ring();
        }
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        self.inbox.over.store(true, Ordering::Relaxed);
        self.inbox.ring();
        // It panicked or not: nothing is left of it.
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

/// Bytes that were due on a connection and have not been moved.
#[derive(Clone, Copy, Default)]
struct Owed {
    send: usize,
    take: usize,
}

struct Work {
    inbox: Arc<Inbox>,
    ends: Vec<OwnedFd>,
    owed: Vec<Owed>,
    later: BinaryHeap<Reverse<Answer>>,
    /// Connections on which something is owed.
    unfinished: Vec<u32>,
    chunk: Vec<u8>,
}

impl Work {
    fn run(&mut self) {
        while !self.inbox.over.load(Ordering::Relaxed) {
            let mut answers = self.inbox.answers.lock().unwrap_or_else(PoisonError::into_inner);
            self.later.extend(answers.drain(..).map(Reverse));
            drop(answers);
            self.take_due(clock::now());
            let mut unfinished = std::mem::take(&mut self.unfinished);
            unfinished.retain(|&socket| !self.settle(socket as usize));
            self.unfinished = unfinished;
            self.sleep();
        }
    }

    /// Owes what is due.
    fn take_due(&mut self, now: Nanos) {
        while let Some(Reverse(answer)) = self.later.peek().copied()
            && answer.due <= now
        {
            self.later.pop();
            let Some(owed) = self.owed.get_mut(answer.socket as usize) else { continue };
            if owed.send + owed.take == 0 {
                self.unfinished.push(answer.socket);
            }
            let side = if answer.sends { &mut owed.send } else { &mut owed.take };
            *side += answer.bytes as usize;
        }
    }

    /// Moves what is owed on a connection, as far as it goes now. True if nothing is owed any more.
    fn settle(&mut self, socket: usize) -> bool {
        let (end, owed) = (&self.ends[socket], &mut self.owed[socket]);
        let chunk = &mut self.chunk;
        owed.send = moved(owed.send, |bytes| rustix::io::write(end, &chunk[..bytes]));
        owed.take = moved(owed.take, |bytes| rustix::io::read(end, &mut chunk[..bytes]));
        owed.send + owed.take == 0
    }

    /// Until the next answer is due, one is added, or what is owed can be moved.
    fn sleep(&self) {
        let mut watched = vec![PollFd::new(&self.inbox.bell, PollFlags::IN)];
        for &socket in &self.unfinished {
            let owed = self.owed[socket as usize];
            let mut events = PollFlags::empty();
            events.set(PollFlags::OUT, owed.send > 0);
            events.set(PollFlags::IN, owed.take > 0);
            watched.push(PollFd::from_borrowed_fd(self.ends[socket as usize].as_fd(), events));
        }
        let left = self.later.peek().map(|Reverse(next)| next.due.until(clock::now()));
        let left = left.map(|left: Duration| Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        });
        // It looks again whatever ended the sleep.
        let _ = poll(&mut watched, left.as_ref());
        let _ = rustix::io::read(&self.inbox.bell, &mut [0; 8]);
    }
}

/// Calls `step` with parts of that many bytes; returns how many could not be moved now, for want of room
/// or of memory. A connection that is closed or broken is owed nothing.
fn moved(mut owed: usize, mut step: impl FnMut(usize) -> Result<usize, Errno>) -> usize {
    while owed > 0 {
        match step(owed.min(CHUNK_BYTES)) {
            Ok(0) => return 0,
            Ok(bytes) => owed -= bytes,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM) => return owed,
            Err(_) => return 0,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use iowq_workloads::SocketKind;

    use super::*;
    use crate::io::sockets::{connect, receive, send};

    fn at_once(socket: u32, sends: bool, bytes: u32) -> Answer {
        Answer { due: Nanos(0), socket, sends, bytes }
    }

    #[test]
    fn what_is_due_is_sent_on_its_connection_whatever_it_is() {
        for kind in [SocketKind::Unix, SocketKind::Tcp, SocketKind::Pipe] {
            let (near, far) = connect(kind, 3, false).expect("connections");
            let far_end = FarEnd::start(far).expect("a thread");
            far_end.answer(at_once(2, true, 5));
            let mut bytes = [1; 8];
            assert_eq!(receive(&near[2], &mut bytes, true), Ok(5), "{kind:?}");
            assert_eq!(receive(&near[0], &mut bytes, false), Err(Errno::AGAIN), "{kind:?}");
        }
    }

    #[test]
    fn more_than_a_connection_holds_is_taken_as_it_comes() {
        for kind in [SocketKind::Unix, SocketKind::Tcp, SocketKind::Pipe] {
            let (near, far) = connect(kind, 1, true).expect("a connection");
            let far_end = FarEnd::start(far).expect("a thread");
            let message = [0; 60_000];
            for _ in 0..100 {
                far_end.answer(at_once(0, false, 60_000));
                assert_eq!(send(&near[0], &message, true), Ok(60_000), "{kind:?}");
            }
        }
    }

    #[test]
    fn it_ends_with_answers_that_are_not_due_and_some_that_have_no_room() {
        let (near, far) = connect(SocketKind::Pipe, 1, false).expect("a pipe");
        let far_end = FarEnd::start(far).expect("a thread");
        far_end.answer(Answer { due: Nanos(u64::MAX), ..at_once(0, true, 1) });
        far_end.answer(at_once(0, true, 10_000_000));
        far_end.answer(at_once(7, true, 1));
        let mut bytes = [1; 8];
        assert_eq!(receive(&near[0], &mut bytes, true), Ok(8));
        drop(far_end);
    }
}
