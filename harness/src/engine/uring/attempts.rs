//! Attempts: what io_uring would do in the submitter itself, so that no worker is needed for it.
//!
//! io_uring first tries a read or write without blocking, and hands to io-wq only what would block.
//! The pool lets the kernel decide too: it submits the op to a ring of its own with
//! `RWF_NOWAIT`, which is what io_uring sets for its first try, except that the kernel then answers
//! `EAGAIN` where io_uring would punt. An op that is under way after that (direct I/O) ends like one
//! of io_uring. A file system without `RWF_NOWAIT` (`EOPNOTSUPP`: buffered writes on ext4, anything
//! on tmpfs) is tried once for each file.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, IntoRawFd as _, OwnedFd};

use io_uring::opcode::{Read, Write};
use io_uring::types::Fd;
use io_uring::{IoUring, squeue::Entry};
use iowq_workloads::{Op, OpKind, Open, Plan, SocketKind};

use super::entry::{self, Special};
use super::ring::new_ring;
use crate::engine::buffers::Buffer;
use crate::files::NamedFile;
use crate::io::{Errno, RWF_NOWAIT, read_nowait, write_nowait};

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It would block: a worker has to do it.
    Refused,
    /// It was started; [`Attempts::reap`] returns it when it ended.
    Started,
    /// It ended with this result: bytes moved, or an error number below zero.
    Ended(i32),
}

/// Whether ops of one kind are tried on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tries {
    /// The first one will show.
    Unknown,
    Never,
    Always,
}

/// The ring on which ops are tried.
pub struct Attempts {
    ring: IoUring,
    open: Vec<Open>,
    sockets: Option<SocketKind>,
    /// By file: reads, writes.
    tries: Vec<[Tries; 2]>,
    in_flight: u32,
    /// Ended while another op was tried.
    ended: Vec<(u32, i32)>,
}

impl Attempts {
    /// Attempts for this plan.
    ///
    /// # Errors
    /// If the kernel has no ring.
    pub fn new(plan: &Plan) -> io::Result<Attempts> {
        Ok(Attempts {
            ring: new_ring(plan.depth.next_power_of_two())?,
            open: plan.open.clone(),
            sockets: plan.sockets.map(|sockets| sockets.kind),
            tries: vec![[Tries::Unknown; 2]; plan.files as usize],
            in_flight: 0,
            ended: Vec::with_capacity(plan.depth as usize),
        })
    }

    /// Whether any op of this plan may be done without a worker, if that is known without
    /// asking the file system: reads, opens, and direct writes.
    #[must_use]
    pub fn matter(plan: &Plan) -> bool {
        let tried = |kind| matches!(kind, OpKind::Read | OpKind::Openat);
        let tries = plan.kinds().any(tried) || plan.open.contains(&Open::Direct);
        // Forced ones wait here, too.
        plan.sockets.is_some() || !plan.force_async && tries
    }

    /// Tries an op in the calling thread. File and buffer are its own until it ended.
    pub fn attempt(&mut self, op: &Op, slot: u32, file: &OwnedFd, buffer: Buffer) -> Attempt {
        let buffer = buffer.of(op);
        if matches!(op.kind, OpKind::Receive | OpKind::Send) {
            // io_uring polls for what is not there yet, and never hands it to a worker.
            let fd = file.as_raw_fd();
            let special = Special { sockets: self.sockets, ..Special::default() };
            let entry = entry::of(op, fd, fd, NamedFile::NONE, buffer, &special);
            return self.submit(entry, slot, 0);
        }
        let kind = match op.kind {
            OpKind::Read => 0,
            OpKind::Write => 1,
            // io_uring does not try them: their preparation sends them to a worker.
            _ => return Attempt::Refused,
        };
        match self.tries[op.file as usize][kind] {
            Tries::Never => Attempt::Refused,
            Tries::Always => self.submit_op(op, slot, file, buffer),
            Tries::Unknown => {
                let (tries, attempt) = ask(op, file, buffer);
                self.tries[op.file as usize][kind] = tries;
                if tries == Tries::Always && attempt == Attempt::Refused && self.waits_for_pages(op)
                {
                    return self.submit_op(op, slot, file, buffer);
                }
                attempt
            }
        }
    }

    /// Ops that were started and have not been reaped.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The next op that ended since it was started, and its result.
    pub fn reap(&mut self) -> Option<(u32, i32)> {
        if self.in_flight == 0 {
            return None;
        }
        let ended = self.ended.pop().or_else(|| self.next_completion())?;
        self.in_flight -= 1;
        Some(ended)
    }

    fn next_completion(&mut self) -> Option<(u32, i32)> {
        let entry = self.ring.completion().next()?;
        // What was submitted as a slot.
        Some((entry.user_data() as u32, entry.result()))
    }

    /// Waits for a file until an op on it can go on; [`Attempts::reap`] then returns it. False if
    /// there is no room for it.
    pub fn poll(&mut self, op: &Op, slot: u32, file: &OwnedFd) -> bool {
        let entry = entry::poll(op, file).user_data(u64::from(slot));
        // SAFETY: the entry has no buffer.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        let taken = pushed.is_ok() && self.ring.submit().is_ok();
        self.in_flight += u32::from(taken);
        taken
    }

    fn submit_op(&mut self, op: &Op, slot: u32, file: &OwnedFd, buffer: Buffer) -> Attempt {
        self.submit(self.entry(op, file, buffer), slot, buffer.bytes())
    }

    /// Submits an entry, which is refused if it would block or moves fewer bytes than are wanted.
    fn submit(&mut self, entry: Entry, slot: u32, wanted_bytes: u32) -> Attempt {
        let entry = entry.user_data(u64::from(slot));
        // SAFETY: file and buffer are the op's own until it ended, see `PoolEngine`.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        if pushed.is_err() || self.ring.submit().is_err() {
            // Memory is short; a worker can still do it.
            return Attempt::Refused;
        }
        self.in_flight += 1;
        while let Some((ended, result)) = self.next_completion() {
            if ended != slot {
                self.ended.push((ended, result));
                continue;
            }
            self.in_flight -= 1;
            let refused = would_block(result, wanted_bytes);
            return if refused { Attempt::Refused } else { Attempt::Ended(result) };
        }
        Attempt::Started
    }

    fn entry(&self, op: &Op, file: &OwnedFd, buffer: Buffer) -> Entry {
        let (file, start, bytes) = (Fd(file.as_raw_fd()), buffer.start(), buffer.bytes());
        let offset_bytes = buffer.offset_bytes(op);
        let flags = RWF_NOWAIT;
        if op.kind == OpKind::Write {
            return Write::new(file, start, bytes).offset(offset_bytes).rw_flags(flags).build();
        }
        let read = Read::new(file, start, bytes).offset(offset_bytes);
        if self.waits_for_pages(op) { read.build() } else { read.rw_flags(flags).build() }
    }

    /// Whether io_uring itself continues an op once a missing page is there. A file system that takes
    /// a cached read without waiting takes any buffered read so (`FMODE_BUF_RASYNC`), except one with
    /// `RWF_NOWAIT` of its own.
    fn waits_for_pages(&self, op: &Op) -> bool {
        op.kind == OpKind::Read && self.open[op.file as usize] != Open::Direct
    }
}

impl AsFd for Attempts {
    /// Readable once an op has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring keeps its descriptor open as long as it lives.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }
    }
}

/// Opens a file by name if the kernel finds it in memory, as io_uring tries it. What it ends with is a
/// descriptor, for [`close_opened`](super::close_opened).
#[must_use]
pub fn attempt_open(file: NamedFile) -> Attempt {
    match file.open_cached() {
        Ok(opened) => Attempt::Ended(opened.into_raw_fd()),
        // Kernels before 5.12 cannot tell, and some filters of system calls let none.
        Err(Errno::AGAIN | Errno::INVAL | Errno::NOSYS | Errno::PERM) => Attempt::Refused,
        Err(errno) => Attempt::Ended(-errno.raw_os_error()),
    }
}

/// Whether a read or write of N bytes with this result would block, and so goes to a worker. One
/// that came to a part of them would block in the rest, which io_uring hands on as well.
#[must_use]
pub fn would_block(result: i32, wanted_bytes: u32) -> bool {
    match u32::try_from(result) {
        Ok(moved_bytes) => moved_bytes < wanted_bytes,
        Err(_) => {
            [Errno::AGAIN, Errno::OPNOTSUPP].iter().any(|errno| -result == errno.raw_os_error())
        }
    }
}

/// Tries the first op of its kind on a file by a plain system call, which shows whether the file
/// system supports attempts at all.
fn ask(op: &Op, file: &OwnedFd, buffer: Buffer) -> (Tries, Attempt) {
    let offset_bytes = buffer.offset_bytes(op);
    let wanted_bytes = buffer.bytes();
    // SAFETY: the buffer is this op's own.
    let bytes = unsafe { buffer.bytes_mut() };
    let moved = match op.kind {
        OpKind::Write => write_nowait(file, bytes, offset_bytes),
        _ => read_nowait(file, bytes, offset_bytes),
    };
    match moved {
        Err(Errno::OPNOTSUPP) => (Tries::Never, Attempt::Refused),
        Err(Errno::AGAIN) => (Tries::Always, Attempt::Refused),
        Err(errno) => (Tries::Always, Attempt::Ended(-errno.raw_os_error())),
        // An op is far below the largest number.
        Ok(bytes) if would_block(bytes as i32, wanted_bytes) => (Tries::Always, Attempt::Refused),
        Ok(bytes) => (Tries::Always, Attempt::Ended(bytes as i32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_to_a_part_of_its_bytes_goes_to_a_worker_as_what_came_to_none() {
        let again = -Errno::AGAIN.raw_os_error();
        assert!([again, 0, 4096].iter().all(|&result| would_block(result, 8192)));
        assert!(![8192, -Errno::IO.raw_os_error()].iter().any(|&result| would_block(result, 8192)));
    }
}
