//! An op as io_uring's submission queue entry.

use std::os::fd::{AsRawFd as _, OwnedFd};

use io_uring::opcode::{
    Fallocate, Fsync, Nop, PollAdd, Read, ReadFixed, Recv, Send, Splice, Write, WriteFixed,
};
use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};
use iowq_workloads::{Op, OpKind, SocketKind};

use crate::engine::buffers::Buffer;

/// What is special about the files and buffers of a ring.
#[derive(Default)]
pub(super) struct Special {
    /// What they are, if they are connections.
    pub(super) sockets: Option<SocketKind>,
    /// The file's place among those that are registered.
    pub(super) place: Option<u32>,
    /// The buffer's place among those.
    pub(super) buffer: Option<u32>,
}

/// The entry of an op, without flags and user data. `sink` takes what is spliced.
pub(super) fn of(
    op: &Op,
    file: &OwnedFd,
    sink: &OwnedFd,
    buffer: Buffer,
    special: &Special,
) -> Entry {
    if op.kind == OpKind::Nop {
        return Nop::new().build();
    }
    let kind = special.sockets;
    // A place among registered files stands where a descriptor would.
    let file = special.place.map_or(file.as_raw_fd(), |place| place as i32);
    let (file, sink) = (Fd(file), Fd(sink.as_raw_fd()));
    let offset_bytes = buffer.offset_bytes(op);
    let (start, bytes) = (buffer.start(), buffer.of(op).bytes());
    match (op.kind, special.buffer) {
        (OpKind::Write, Some(place)) => {
            let write = WriteFixed::new(file, start, bytes, place as u16);
            return write.offset(offset_bytes).build();
        }
        (OpKind::Read, Some(place)) => {
            let read = ReadFixed::new(file, start, bytes, place as u16);
            return read.offset(offset_bytes).build();
        }
        _ => {}
    }
    match op.kind {
        OpKind::Write => Write::new(file, start, bytes).offset(offset_bytes).build(),
        OpKind::Read => Read::new(file, start, bytes).offset(offset_bytes).build(),
        OpKind::Fsync => Fsync::new(file).build(),
        OpKind::Fdatasync => Fsync::new(file).flags(FsyncFlags::DATASYNC).build(),
        OpKind::Fallocate => Fallocate::new(file, u64::from(bytes)).offset(offset_bytes).build(),
        OpKind::Nop => Nop::new().build(),
        OpKind::Receive if kind == Some(SocketKind::Pipe) => {
            Read::new(file, start, bytes).offset(NO_OFFSET).build()
        }
        OpKind::Send if kind == Some(SocketKind::Pipe) => {
            Write::new(file, start, bytes).offset(NO_OFFSET).build()
        }
        OpKind::Receive => Recv::new(file, start, bytes).build(),
        OpKind::Send => Send::new(file, start, bytes).build(),
        OpKind::Splice => Splice::new(file, NO_PLACE, sink, NO_PLACE, bytes).build(),
    }
}

/// Waits until an op on a connection can go on.
pub(super) fn poll(op: &Op, file: &OwnedFd) -> Entry {
    let events = if op.kind == OpKind::Send { libc::POLLOUT } else { libc::POLLIN };
    PollAdd::new(Fd(file.as_raw_fd()), events as u32).build()
}

/// An offset that stands for none, in reads and writes and in splices.
const NO_OFFSET: u64 = u64::MAX;
const NO_PLACE: i64 = -1;

/// The opcode that a kind of op needs, and its name.
pub(super) fn opcode(kind: OpKind) -> (u8, &'static str) {
    match kind {
        OpKind::Write => (Write::CODE, "IORING_OP_WRITE"),
        OpKind::Read => (Read::CODE, "IORING_OP_READ"),
        OpKind::Fsync | OpKind::Fdatasync => (Fsync::CODE, "IORING_OP_FSYNC"),
        OpKind::Fallocate => (Fallocate::CODE, "IORING_OP_FALLOCATE"),
        OpKind::Nop => (Nop::CODE, "IORING_OP_NOP"),
        OpKind::Receive => (Recv::CODE, "IORING_OP_RECV"),
        OpKind::Send => (Send::CODE, "IORING_OP_SEND"),
        OpKind::Splice => (Splice::CODE, "IORING_OP_SPLICE"),
    }
}
