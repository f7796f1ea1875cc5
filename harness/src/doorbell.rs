//! The doorbell: one thread sleeps here until another calls it, or a watched descriptor is readable.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

use crate::sync::Arc;
use crate::sync::atomic::{AtomicU32, Ordering};

/// [`Caller::state`]: the sleeper is awake.
const AWAKE: u32 = 0;
/// [`Caller::state`]: it sleeps, or is about to.
const WAITING: u32 = 1;
/// [`Caller::state`]: it was called.
const CALLED: u32 = 2;

/// Where one thread sleeps.
pub struct Doorbell {
    epoll: OwnedFd,
    caller: Arc<Caller>,
}

/// Ends the sleep, from any thread.
pub struct Caller {
    state: AtomicU32,
    call: OwnedFd,
}

impl Caller {
    /// Ends the sleep that is under way, or else the next one. A system call only if the thread
    /// sleeps.
    pub fn call(&self) {
        if self.state.swap(CALLED, Ordering::SeqCst) == WAITING {
            // Fails only if the counter is full, which takes longer than any process lives.
            let _ = rustix::io::write(&self.call, &1u64.to_ne_bytes());
        }
    }
}

impl Doorbell {
    /// A doorbell that watches no descriptor yet.
    ///
    /// # Errors
    /// If there is no file descriptor left.
    pub fn new() -> io::Result<Doorbell> {
        let call = eventfd(0, EventfdFlags::CLOEXEC)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        // Each write is reported once, so that the counter need not be read.
        epoll::add(&epoll, &call, EventData::new_u64(0), EventFlags::IN | EventFlags::ET)?;
        let caller = Arc::new(Caller { state: AtomicU32::new(AWAKE), call });
        Ok(Doorbell { epoll, caller })
    }

    /// Ends sleeps as long as this descriptor is readable, too.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn watch(&self, descriptor: impl AsFd) -> io::Result<()> {
        epoll::add(&self.epoll, descriptor, EventData::new_u64(1), EventFlags::IN)?;
        Ok(())
    }

    /// What ends its sleeps.
    #[must_use]
    pub fn caller(&self) -> Arc<Caller> {
        Arc::clone(&self.caller)
    }

    /// Sleeps until called or a descriptor is readable, at most `timeout` if there is one. A
    /// signal ends the sleep, too.
    ///
    /// # Errors
    /// What epoll_pwait2(2) says, which is not to be expected.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // A longer timeout than fits is as good as none.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let state = &self.caller.state;
        let waits =
            state.compare_exchange(AWAKE, WAITING, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        let mut ready = [MaybeUninit::<Event>::uninit(); 4];
        let waited = if waits {
            epoll::wait(&self.epoll, &mut ready, timeout.as_ref()).map(drop)
        } else {
            Ok(())
        };
        state.store(AWAKE, Ordering::SeqCst);
        match waited {
            Ok(()) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
