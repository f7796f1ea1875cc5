//! Records out of a BPF ring: waiting for them and taking them.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use iowq_ebpf::{BlockEvent, ThreadEvent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A record: fixed-width integers without padding.
///
/// # Safety
///
/// Any bytes must be a valid value.
pub(super) unsafe trait Record: Copy {}

// SAFETY: integers and an array of bytes.
unsafe impl Record for ThreadEvent {}
// SAFETY: integers.
unsafe impl Record for BlockEvent {}

/// Takes every record there is, oldest first. Returns how many could not be understood.
pub(super) fn take_all<R: Record>(ring: &mut RingBuf<MapData>, mut take: impl FnMut(R)) -> u64 {
    let mut strange = 0;
    while let Some(item) = ring.next() {
        match decode(&item) {
            Some(record) => take(record),
            None => strange += 1,
        }
    }
    strange
}

fn decode<R: Record>(bytes: &[u8]) -> Option<R> {
    if bytes.len() < size_of::<R>() {
        return None;
    }
    // SAFETY: there are enough bytes, and any bytes are a valid record.
    Some(unsafe { ptr::read_unaligned(bytes.as_ptr().cast()) })
}

/// Waits until one of the files can be read or the time is over. A signal ends the wait, too.
pub(super) fn wait(files: &[BorrowedFd<'_>], timeout: Duration) -> io::Result<()> {
    let mut polled: Vec<PollFd<'_>> =
        files.iter().map(|file| PollFd::from_borrowed_fd(*file, PollFlags::IN)).collect();
    // A longer timeout than fits is as good as the longest that does.
    let timeout = Timespec::try_from(timeout).ok();
    match poll(&mut polled, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_cut_short_is_not_read() {
        assert!(decode::<BlockEvent>(&[0; 23]).is_none());
        assert!(decode::<BlockEvent>(&[0; 24]).is_some_and(|event| event.slot == 0));
    }
}
