//! The reader of block events: an account's last running worker fell asleep over its work.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use iowq_ebpf::BlockEvent;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

use super::ring;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU32, Ordering};

/// [`BlockWaker::state`]: the reader does not wait.
const AWAKE: u32 = 0;
/// [`BlockWaker::state`]: it waits, or is about to.
const WAITING: u32 = 1;
/// [`BlockWaker::state`]: it was called.
const CALLED: u32 = 2;

/// Reads the ring `BLOCKS`, and can wait for its records. There is one, for one thread.
pub struct BlockReader {
    ring: RingBuf<MapData>,
    epoll: OwnedFd,
    waker: Arc<BlockWaker>,
}

/// Ends the reader's wait, from any thread.
pub struct BlockWaker {
    state: AtomicU32,
    call: OwnedFd,
}

impl BlockWaker {
    /// Ends the wait that is under way, or else the next one. A system call only where the reader
    /// waits.
    pub fn wake(&self) {
        if self.state.swap(CALLED, Ordering::SeqCst) == WAITING {
            // Fails only where the counter is full, which takes longer than anybody lives.
            let _ = rustix::io::write(&self.call, &1u64.to_ne_bytes());
        }
    }
}

impl BlockReader {
    /// A reader of this ring.
    ///
    /// # Errors
    ///
    /// Where there is no file descriptor left.
    pub(super) fn new(ring: RingBuf<MapData>) -> io::Result<BlockReader> {
        let call = eventfd(0, EventfdFlags::CLOEXEC)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        // Each write is told once, so that nobody needs to read the counter.
        epoll::add(&epoll, &call, EventData::new_u64(0), EventFlags::IN | EventFlags::ET)?;
        // The ring is told as long as there are records: it does not call again for one that
        // comes while another is being read.
        epoll::add(&epoll, ring.as_fd(), EventData::new_u64(1), EventFlags::IN)?;
        let waker = Arc::new(BlockWaker { state: AtomicU32::new(AWAKE), call });
        Ok(BlockReader { ring, epoll, waker })
    }

    /// What ends its waits.
    #[must_use]
    pub fn waker(&self) -> Arc<BlockWaker> {
        Arc::clone(&self.waker)
    }

    /// Waits for an event or the waker, at most `timeout` where there is one. A signal ends the
    /// wait, too.
    ///
    /// # Errors
    ///
    /// What `epoll_pwait2` returns, which is not to be expected.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // A longer timeout than fits is as good as none.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let state = &self.waker.state;
        let waits =
            state.compare_exchange(AWAKE, WAITING, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        let mut told = [MaybeUninit::<Event>::uninit(); 2];
        let waited = if waits {
            epoll::wait(&self.epoll, &mut told, timeout.as_ref()).map(drop)
        } else {
            Ok(())
        };
        state.store(AWAKE, Ordering::SeqCst);
        match waited {
            Ok(()) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Hands over all events there are, oldest first. Does not wait, and makes no system call.
    pub fn drain(&mut self, take: impl FnMut(BlockEvent)) {
        ring::take_all(&mut self.ring, take);
    }
}
