//! A call: one op as a system call, with the buffer it works on and the times it is counted from.

use std::os::fd::AsRawFd as _;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use iowq_workloads::{OpKind, Plan};

use super::Request;
use crate::clock::{self, Nanos};
use crate::files::BlockBuffers;
use crate::io::{self, Failure};
use crate::pool::{Job, Outcome};
use crate::recorder::Recorder;

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
    intended: Nanos,
    handed_over: Nanos,
    /// When it was queued, with the others of its round.
    queued: Nanos,
    measured: bool,
    /// Whether it was queued when it was handed over, not after the op that it is linked to.
    queued_at_once: bool,
}

impl Call {
    /// The call for the request at this place of its chain, handed over now. The files and
    /// buffers must outlive it.
    #[must_use]
    pub fn new(request: &Request, place: usize, files: &[OwnedFd], buffer: Buffer) -> Call {
        Call {
            kind: request.op.kind,
            file: files[request.op.file as usize].as_raw_fd(),
            offset_bytes: request.op.block * buffer.bytes as u64,
            buffer,
            intended: request.intended,
            handed_over: clock::now(),
            queued: Nanos(0),
            measured: request.measured,
            queued_at_once: place == 0,
        }
    }

    /// The same call, queued now.
    #[must_use]
    pub fn queued_now(self) -> Call {
        Call { queued: clock::now(), ..self }
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
    type Recorder = Recorder;

    fn run(self, recorder: &mut Recorder) -> Outcome {
        let begun = clock::now();
        match self.make() {
            Ok(()) => {
                if self.measured {
                    if self.queued_at_once {
                        recorder.record_queue(self.kind, begun.since(self.queued));
                    }
                    let now = clock::now();
                    let (response, service) =
                        (now.since(self.intended), now.since(self.handed_over));
                    recorder.record(self.kind, response, service);
                }
                Outcome::Done
            }
            Err(Failure::Errno(errno)) => Outcome::Failed(errno.raw_os_error()),
            Err(Failure::Short { .. }) => Outcome::Failed(SHORT),
        }
    }

    fn may_block(&self) -> bool {
        self.kind != OpKind::Nop
    }
}
