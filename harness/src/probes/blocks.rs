//! The reader of block events: an account's last running worker fell asleep over its work.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use iowq_ebpf::BlockEvent;

use super::ring;

/// Reads the ring `BLOCKS`. There is one, for one thread.
pub struct BlockReader {
    ring: RingBuf<MapData>,
}

impl BlockReader {
    pub(super) fn new(ring: RingBuf<MapData>) -> BlockReader {
        BlockReader { ring }
    }

    /// Waits for events, at most `timeout`, and hands over all there are, oldest first. Returns
    /// how many there were: zero after a timeout or a signal.
    ///
    /// # Errors
    ///
    /// What `poll` returns, which is not to be expected.
    pub fn wait_and_drain(
        &mut self,
        timeout: Duration,
        mut take: impl FnMut(BlockEvent),
    ) -> io::Result<usize> {
        // Looking first saves a system call while events keep coming.
        let taken = self.drain(&mut take);
        if taken > 0 || timeout.is_zero() {
            return Ok(taken);
        }
        ring::wait(&[self.ring.as_fd()], timeout)?;
        Ok(self.drain(&mut take))
    }

    fn drain(&mut self, take: &mut impl FnMut(BlockEvent)) -> usize {
        let mut taken = 0;
        ring::take_all(&mut self.ring, |event| {
            taken += 1;
            take(event);
        });
        taken
    }
}

/// Readable while there are events, for whoever waits for something else besides.
impl AsFd for BlockReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}
