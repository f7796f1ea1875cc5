//! An op as io_uring's submission queue entry.

use std::os::fd::{AsRawFd as _, OwnedFd};

use io_uring::opcode::{Fallocate, Fsync, Nop, Read, Write};
use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};
use iowq_workloads::{Op, OpKind};

use crate::engine::buffers::Buffer;

/// The entry of an op, without flags and user data.
pub(super) fn of(op: &Op, files: &[OwnedFd], buffer: Buffer) -> Entry {
    if op.kind == OpKind::Nop {
        return Nop::new().build();
    }
    let file = Fd(files[op.file as usize].as_raw_fd());
    let offset_bytes = buffer.offset_bytes(op);
    let (start, bytes) = (buffer.start(), buffer.of(op).bytes());
    match op.kind {
        OpKind::Write => Write::new(file, start, bytes).offset(offset_bytes).build(),
        OpKind::Read => Read::new(file, start, bytes).offset(offset_bytes).build(),
        OpKind::Fsync => Fsync::new(file).build(),
        OpKind::Fdatasync => Fsync::new(file).flags(FsyncFlags::DATASYNC).build(),
        OpKind::Fallocate => Fallocate::new(file, u64::from(bytes)).offset(offset_bytes).build(),
        OpKind::Nop => Nop::new().build(),
    }
}

/// The opcode that a kind of op needs, and its name.
pub(super) fn opcode(kind: OpKind) -> (u8, &'static str) {
    match kind {
        OpKind::Write => (Write::CODE, "IORING_OP_WRITE"),
        OpKind::Read => (Read::CODE, "IORING_OP_READ"),
        OpKind::Fsync | OpKind::Fdatasync => (Fsync::CODE, "IORING_OP_FSYNC"),
        OpKind::Fallocate => (Fallocate::CODE, "IORING_OP_FALLOCATE"),
        OpKind::Nop => (Nop::CODE, "IORING_OP_NOP"),
    }
}
