//! A call: one op as a system call, with the buffer it works on.

use std::os::fd::AsRawFd as _;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use iowq_workloads::{OpKind, Plan};

use super::Request;
use super::begun::Beginner;
use crate::clock::{self, Nanos};
use crate::files::BlockBuffers;
use crate::io::{self, Failure};
use iowq_pool::{Job, Outcome};

/// What a call that moved too few bytes is booked as: the block is not what it should be.
pub(super) const SHORT: i32 = 5; // EIO

/// One buffer for each op in flight, shared between the submitter and whoever makes the call.
///
/// A buffer belongs to the submitter while its slot has no op in flight, and to the call while it
/// has. The lock of the engine is passed at each hand-over.
pub struct Buffers {
    /// Keeps the memory; it is only reached through `places`.
    _memory: BlockBuffers,
    places: Vec<Buffer>,
}

/// Where one buffer is.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    start: *mut u8,
    bytes: usize,
}

impl Buffer {
    /// Its first byte.
    #[must_use]
    pub fn start(self) -> *mut u8 {
        self.start
    }

    /// All of it.
    ///
    /// # Safety
    /// Only the party that the buffer belongs to may call this, see [`Buffers`], and the memory
    /// must still be there.
    #[must_use]
    pub unsafe fn bytes_mut<'a>(self) -> &'a mut [u8] {
        // SAFETY: see above.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.bytes) }
    }

    /// How long it is: a block.
    #[must_use]
    pub fn bytes(self) -> u32 {
        // The length of a block, which the plan has as this type.
        self.bytes as u32
    }
}

// SAFETY: a buffer is plain memory, used by one party at a time as told at `Buffers`.
unsafe impl Send for Buffer {}

impl Buffers {
    /// As many as the plan has ops in flight.
    #[must_use]
    pub fn new(plan: &Plan) -> Buffers {
        let mut memory = BlockBuffers::new(plan.depth, plan.block_bytes);
        let places = memory
            .iter_mut()
            .map(|bytes| Buffer { start: bytes.as_mut_ptr(), bytes: bytes.len() })
            .collect();
        Buffers { _memory: memory, places }
    }

    /// Lets `fill` write the buffer of a slot that has no op in flight.
    pub fn fill(&mut self, slot: u32, fill: impl FnOnce(&mut [u8])) {
        let Buffer { start, bytes } = self.places[slot as usize];
        // SAFETY: the memory lives as long as `self`, and while the slot has no op in flight
        // nobody else touches it.
        fill(unsafe { std::slice::from_raw_parts_mut(start, bytes) });
    }

    /// Where the buffers are, by slot.
    #[must_use]
    pub fn places(&self) -> Vec<Buffer> {
        self.places.clone()
    }
}

/// A system call to be made.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    kind: OpKind,
    file: RawFd,
    offset_bytes: u64,
    buffer: Buffer,
    /// Whether its times are wanted.
    timed: bool,
    /// What it is begun with, and in which slot, if that is all its worker does.
    begins: Option<(Beginner, u32)>,
}

/// When a call began and ended, both zero if its times were not wanted, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallTimes {
    /// Just before the call.
    pub begun: Nanos,
    /// Just after it.
    pub done: Nanos,
    /// Whether the call only began the op, which ends by itself.
    pub under_way: bool,
}

impl Call {
    /// The call for this request. The files and buffers must outlive it.
    #[must_use]
    pub fn new(request: &Request, files: &[OwnedFd], buffer: Buffer, timed: bool) -> Call {
        Call {
            kind: request.op.kind,
            file: files[request.op.file as usize].as_raw_fd(),
            offset_bytes: request.op.block * buffer.bytes as u64,
            buffer,
            timed,
            begins: None,
        }
    }

    /// The same, but a read or write is only begun, with this.
    #[must_use]
    pub fn beginning(self, slot: u32, beginner: Option<Beginner>) -> Call {
        let moves = matches!(self.kind, OpKind::Read | OpKind::Write);
        Call { begins: beginner.filter(|_| moves).map(|beginner| (beginner, slot)), ..self }
    }

    /// Whether its worker is to begin the op and no more.
    #[must_use]
    pub fn only_begins(&self) -> bool {
        self.begins.is_some()
    }

    /// Whether the op is under way, and there is no more to do for a worker.
    fn begin(&self) -> bool {
        self.begins.is_some_and(|(beginner, slot)| {
            let place = (self.offset_bytes, self.buffer);
            beginner.begin(slot, self.kind == OpKind::Write, self.file, place)
        })
    }

    fn make(&self) -> Result<(), Failure> {
        if self.kind == OpKind::Nop {
            return Ok(());
        }
        let Buffer { start, bytes } = self.buffer;
        // SAFETY: the files of a run stay open until its engine has ended, see `PoolEngine::finish`.
        let file = unsafe { BorrowedFd::borrow_raw(self.file) };
        match self.kind {
            // SAFETY: while its op is in flight the buffer is this call's, see `Buffers`.
            OpKind::Write => io::pwrite(
                file,
                unsafe { std::slice::from_raw_parts(start, bytes) },
                self.offset_bytes,
            ),
            // SAFETY: as above.
            OpKind::Read => io::pread(
                file,
                unsafe { std::slice::from_raw_parts_mut(start, bytes) },
                self.offset_bytes,
            ),
            OpKind::Fsync => Ok(io::fsync(file)?),
            OpKind::Fdatasync => Ok(io::fdatasync(file)?),
            OpKind::Fallocate => Ok(io::fallocate(file, self.offset_bytes, bytes as u64)?),
            OpKind::Nop => Ok(()),
        }
    }
}

impl Job for Call {
    type Seen = CallTimes;

    fn run(self) -> (Outcome, CallTimes) {
        let now = || if self.timed { clock::now() } else { Nanos(0) };
        let begun = now();
        let under_way = self.begin();
        let made = if under_way { Ok(()) } else { self.make() };
        let times = CallTimes { begun, done: now(), under_way };
        let outcome = match made {
            Ok(()) => Outcome::Done,
            Err(Failure::Errno(errno)) => Outcome::Failed(errno.raw_os_error()),
            Err(Failure::Short { .. }) => Outcome::Failed(SHORT),
        };
        (outcome, times)
    }

    fn may_block(&self) -> bool {
        self.kind != OpKind::Nop
    }
}
