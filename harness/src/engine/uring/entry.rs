//! An op as io_uring's submission queue entry.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use io_uring::opcode::{
    Fallocate, Fsync, Ftruncate, Nop, OpenAt, PollAdd, Read, ReadFixed, Recv, RenameAt, Send,
    Splice, Statx, SyncFileRange, UnlinkAt, Write, WriteFixed,
};
use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};
use iowq_workloads::{Op, OpKind, SocketKind};

use crate::engine::buffers::Buffer;
use crate::files::NamedFile;
use crate::io::SYNC_RANGE_FLAGS;

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
    file: RawFd,
    sink: RawFd,
    named: NamedFile,
    buffer: Buffer,
    special: &Special,
) -> Entry {
    let (folder, name) = (Fd(named.folder()), named.name());
    match op.kind {
        OpKind::Nop => Nop::new().build(),
        OpKind::Openat => OpenAt::new(folder, name).flags(NamedFile::OPEN_FLAGS).build(),
        // The smallest block has room for two; there are none on connections.
        OpKind::Statx => {
            Statx::new(folder, name, buffer.start().cast()).mask(NamedFile::STATX_MASK).build()
        }
        OpKind::Rename => RenameAt::new(folder, name, folder, named.new_name()).build(),
        OpKind::Unlink => UnlinkAt::new(folder, name).build(),
        _ => on_file(op, file, sink, buffer, special),
    }
}

fn on_file(op: &Op, file: RawFd, sink: RawFd, buffer: Buffer, special: &Special) -> Entry {
    let kind = special.sockets;
    // A place among registered files stands where a descriptor would.
    let file = Fd(special.place.map_or(file, |place| place as RawFd));
    let sink = Fd(sink);
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
        OpKind::Receive if kind == Some(SocketKind::Pipe) => {
            Read::new(file, start, bytes).offset(NO_OFFSET).build()
        }
        OpKind::Send if kind == Some(SocketKind::Pipe) => {
            Write::new(file, start, bytes).offset(NO_OFFSET).build()
        }
        OpKind::Receive => Recv::new(file, start, bytes).build(),
        OpKind::Send => Send::new(file, start, bytes).build(),
        OpKind::Splice => Splice::new(file, NO_PLACE, sink, NO_PLACE, bytes).build(),
        OpKind::Truncate => Ftruncate::new(file, offset_bytes + u64::from(bytes)).build(),
        // No length: up to the end of the file.
        OpKind::SyncFileRange => SyncFileRange::new(file, 0).flags(SYNC_RANGE_FLAGS).build(),
        OpKind::Nop | OpKind::Openat | OpKind::Statx | OpKind::Rename | OpKind::Unlink => {
            Nop::new().build()
        }
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

/// Closes what an op opened, if that is what it did and this is its result.
pub fn close_opened(op: &Op, result: i32) {
    if op.kind == OpKind::Openat && result >= 0 {
        // SAFETY: the kernel made the descriptor for this op alone.
        drop(unsafe { OwnedFd::from_raw_fd(result) });
    }
}

/// What Linux 5.6 came with.
const SINCE_5_6: &str = "Linux has it since 5.6";
/// What came with Linux 5.7.
const SINCE_5_7: &str = "Linux has it since 5.7; --engine pool and sync need no such opcode";
/// What came with Linux 5.11.
const SINCE_5_11: &str = "Linux has it since 5.11; --engine pool and sync need no such opcode";
/// What came with Linux 6.9.
const SINCE_6_9: &str = "Linux has it since 6.9; --engine pool and sync need no such opcode";

/// The opcode that a kind of op needs, its name, and what helps if the kernel has none.
pub(super) fn opcode(kind: OpKind) -> (u8, &'static str, &'static str) {
    match kind {
        OpKind::Write => (Write::CODE, "IORING_OP_WRITE", SINCE_5_6),
        OpKind::Read => (Read::CODE, "IORING_OP_READ", SINCE_5_6),
        OpKind::Fsync | OpKind::Fdatasync => (Fsync::CODE, "IORING_OP_FSYNC", SINCE_5_6),
        OpKind::Fallocate => (Fallocate::CODE, "IORING_OP_FALLOCATE", SINCE_5_6),
        OpKind::Nop => (Nop::CODE, "IORING_OP_NOP", SINCE_5_6),
        OpKind::Receive => (Recv::CODE, "IORING_OP_RECV", SINCE_5_6),
        OpKind::Send => (Send::CODE, "IORING_OP_SEND", SINCE_5_6),
        OpKind::Splice => (Splice::CODE, "IORING_OP_SPLICE", SINCE_5_7),
        OpKind::Openat => (OpenAt::CODE, "IORING_OP_OPENAT", SINCE_5_6),
        OpKind::Statx => (Statx::CODE, "IORING_OP_STATX", SINCE_5_6),
        OpKind::Rename => (RenameAt::CODE, "IORING_OP_RENAMEAT", SINCE_5_11),
        OpKind::Unlink => (UnlinkAt::CODE, "IORING_OP_UNLINKAT", SINCE_5_11),
        OpKind::Truncate => (Ftruncate::CODE, "IORING_OP_FTRUNCATE", SINCE_6_9),
        OpKind::SyncFileRange => (SyncFileRange::CODE, "IORING_OP_SYNC_FILE_RANGE", SINCE_5_6),
    }
}
