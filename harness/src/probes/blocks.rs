//! The reader of block events: an account's last running worker fell asleep over its work.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use iowq_ebpf::BlockEvent;

use super::ring;
use crate::doorbell::{Caller, Doorbell};
use crate::sync::Arc;

/// Reads the ring `BLOCKS`, and can wait for its records. There is one, for one thread.
pub struct BlockReader {
    ring: RingBuf<MapData>,
    doorbell: Doorbell,
}

impl BlockReader {
    /// A reader of this ring.
    ///
    /// # Errors
    ///
    /// If there is no file descriptor left.
    pub(super) fn new(ring: RingBuf<MapData>) -> io::Result<BlockReader> {
        let doorbell = Doorbell::new()?;
        doorbell.watch(ring.as_fd())?;
        Ok(BlockReader { ring, doorbell })
    }

    /// Ends waits as long as this descriptor is readable, too.
    ///
    /// # Errors
    ///
    /// What epoll_ctl(2) says.
    pub fn watch(&self, descriptor: impl AsFd) -> io::Result<()> {
        self.doorbell.watch(descriptor)
    }

    /// What ends its waits.
    #[must_use]
    pub fn waker(&self) -> Arc<Caller> {
        self.doorbell.caller()
    }

    /// Waits for an event or the waker, at most `timeout` if there is one. A signal ends the
    /// wait, too.
    ///
    /// # Errors
    ///
    /// As [`Doorbell::wait`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.doorbell.wait(timeout)
    }

    /// Passes on all events there are, oldest first. Does not wait, and makes no system call.
    pub fn drain(&mut self, take: impl FnMut(BlockEvent)) {
        ring::take_all(&mut self.ring, take);
    }
}
