//! The page cache of a file: what is in it, and leaving it.

use std::os::fd::{AsFd, AsRawFd as _};

use rustix::fs::Advice;
use rustix::io::Errno;

/// Number of cachestat(2), which is the same on all machines but Alpha, and not in libc for this one.
const CACHESTAT: libc::c_long = 451;

/// Pages of a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pages {
    /// Changed, and not yet on their way to the device.
    pub(super) dirty: u64,
    /// On their way to the device.
    pub(super) written_back: u64,
}

/// Counts the pages of a part of a file.
///
/// # Errors
///
/// What cachestat(2) says; `ENOSYS` before Linux 6.5.
pub(super) fn pages(file: impl AsFd, offset_bytes: u64, length_bytes: u64) -> Result<Pages, Errno> {
    let range = [offset_bytes, length_bytes];
    // Cached, dirty, written back, evicted, recently evicted.
    let mut found = [0_u64; 5];
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the kernel's structs are two and five numbers of this size, and outlive the call, which
    // reads the first and writes the second.
    let done = unsafe { libc::syscall(CACHESTAT, file, range.as_ptr(), found.as_mut_ptr(), 0) };
    if done == 0 {
        let [_, dirty, written_back, ..] = found;
        return Ok(Pages { dirty, written_back });
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}

/// Drops the pages of a file that are clean, so that the next read asks the device. Dirty ones stay,
/// and start on their way there.
///
/// # Errors
///
/// What posix_fadvise(2) says.
pub(super) fn drop_clean(file: impl AsFd) -> Result<(), Errno> {
    rustix::fs::fadvise(file, 0, None, Advice::DontNeed)
}
