//! A call: one op as a system call, with the buffer it works on.

use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use iowq_workloads::OpKind;

use super::api::Request;
use super::begun::Beginner;
use super::buffers::Buffer;
use crate::clock::{self, Nanos};
use crate::files::{NamedFile, Names};
use crate::io::{self, Errno, Failure, sockets};
use iowq_pool::{Job, WorkOutcome};

/// The error of a call that moved too few bytes.
pub(super) const SHORT: i32 = 5; // EIO

/// A system call to be made.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    kind: OpKind,
    file: RawFd,
    offset_bytes: u64,
    buffer: Buffer,
    /// What an op by name is about.
    named: NamedFile,
    /// Whether its times are wanted.
    timed: bool,
    /// What it is begun with, and its slot, if its worker only begins it.
    begins: Option<(Beginner, u32)>,
    /// Whether its worker only looks whether it can be done, because the submitter can wait for it.
    looks: bool,
    /// Where what is spliced goes.
    to: RawFd,
}

/// When a call began and ended; both are zero if its times were not wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallTimes {
    /// Just before the call.
    pub begun: Nanos,
    /// Just after it.
    pub done: Nanos,
    /// Whether the call only began the op, which completes later.
    pub under_way: bool,
}

impl Call {
    /// The call for this request. The files, names and buffers must outlive it.
    #[must_use]
    pub fn new(
        request: &Request,
        files: &[OwnedFd],
        names: Option<&Names>,
        buffer: Buffer,
        timed: bool,
    ) -> Call {
        Call {
            kind: request.op.kind,
            file: files[request.op.file as usize].as_raw_fd(),
            offset_bytes: buffer.offset_bytes(&request.op),
            buffer: buffer.of(&request.op),
            named: NamedFile::of(names, &request.op, request.slot),
            timed,
            begins: None,
            looks: false,
            to: files[files.len() - 1].as_raw_fd(),
        }
    }

    /// The same, but a read or write is only begun, with `beginner`.
    #[must_use]
    pub fn beginning(self, slot: u32, beginner: Option<Beginner>) -> Call {
        let moves = matches!(self.kind, OpKind::Read | OpKind::Write);
        Call { begins: beginner.filter(|_| moves).map(|beginner| (beginner, slot)), ..self }
    }

    /// The same, but a receive or send that would wait is left to the submitter.
    #[must_use]
    pub fn looking(self) -> Call {
        Call { looks: matches!(self.kind, OpKind::Receive | OpKind::Send), ..self }
    }

    /// Whether its worker only begins the op.
    #[must_use]
    pub fn only_begins(&self) -> bool {
        self.begins.is_some()
    }

    /// Begins the op if that is wanted. True if the worker is then done with it.
    fn begin(&self) -> bool {
        self.begins.is_some_and(|(beginner, slot)| {
            let place = (self.offset_bytes, self.buffer);
            beginner.begin(slot, self.kind == OpKind::Write, self.file, place)
        })
    }

    /// Makes the call. What it opened is to be closed.
    fn make(&self) -> Result<Option<OwnedFd>, Failure> {
        match self.kind {
            OpKind::Nop => {}
            OpKind::Openat => return Ok(Some(self.named.open()?)),
            OpKind::Statx => self.named.statx()?,
            OpKind::Rename => self.named.rename()?,
            OpKind::Unlink => self.named.unlink()?,
            _ => self.make_on_file()?,
        }
        Ok(None)
    }

    fn make_on_file(&self) -> Result<(), Failure> {
        // SAFETY: the files of a run stay open until its engine has ended, see `PoolEngine::finish`.
        let file = unsafe { BorrowedFd::borrow_raw(self.file) };
        // SAFETY: while its op is in flight the buffer is this call's, see `Buffers`.
        let bytes = || unsafe { self.buffer.bytes_mut() };
        match self.kind {
            OpKind::Write => io::pwrite(file, bytes(), self.offset_bytes),
            OpKind::Read => io::pread(file, bytes(), self.offset_bytes),
            OpKind::Fsync => Ok(io::fsync(file)?),
            OpKind::Fdatasync => Ok(io::fdatasync(file)?),
            OpKind::Fallocate => {
                Ok(io::fallocate(file, self.offset_bytes, self.buffer.bytes().into())?)
            }
            OpKind::Receive => Ok(sockets::receive(file, bytes(), !self.looks).map(drop)?),
            OpKind::Send => Ok(sockets::send(file, bytes(), !self.looks).map(drop)?),
            OpKind::Splice => {
                // SAFETY: as of the file.
                let to = unsafe { BorrowedFd::borrow_raw(self.to) };
                Ok(sockets::splice(file, to, self.buffer.bytes()).map(drop)?)
            }
            OpKind::Truncate => {
                Ok(io::truncate(file, self.offset_bytes + u64::from(self.buffer.bytes()))?)
            }
            OpKind::SyncFileRange => Ok(io::sync_file_range(file)?),
            OpKind::Nop | OpKind::Openat | OpKind::Statx | OpKind::Rename | OpKind::Unlink => {
                Ok(())
            }
        }
    }
}

impl Job for Call {
    type Seen = CallTimes;

    fn run(self) -> (WorkOutcome, CallTimes) {
        let now = || if self.timed { clock::now() } else { Nanos(0) };
        let begun = now();
        let is_begun = self.begin();
        let made = if is_begun { Ok(None) } else { self.make() };
        let waits = self.looks && matches!(made, Err(Failure::Errno(Errno::AGAIN)));
        let under_way = is_begun || waits;
        let times = CallTimes { begun, done: now(), under_way };
        let outcome = match made {
            _ if under_way => WorkOutcome::Done,
            // What was opened is closed here, after the end of the op.
            Ok(_) => WorkOutcome::Done,
            Err(Failure::Errno(errno)) => WorkOutcome::Failed(errno.raw_os_error()),
            Err(Failure::Short { .. }) => WorkOutcome::Failed(SHORT),
        };
        (outcome, times)
    }

    fn may_block(&self) -> bool {
        self.kind != OpKind::Nop
    }
}
