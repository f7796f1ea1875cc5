//! The programs on events: what they need is in the record that the kernel writes, at offsets that
//! the event's format tells.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use aya_ebpf::{EbpfContext as _, Global};
use iowq_ebpf::kernel::WORK_FLAGS;
use iowq_ebpf::trace::FD_UNKNOWN;

use super::requests::Queued;
use super::tables::{current, read_at};
use super::{lives, requests};
use crate::KEEP;

/// Offset of `pid` in `task:task_newtask`.
#[unsafe(no_mangle)]
static TRACE_NEWTASK_PID: Global<u32> = Global::new(0);
/// Offset of `comm` in it.
#[unsafe(no_mangle)]
static TRACE_NEWTASK_COMM: Global<u32> = Global::new(0);
/// Offset of `clone_flags` in it.
#[unsafe(no_mangle)]
static TRACE_NEWTASK_FLAGS: Global<u32> = Global::new(0);
/// Offset of `newcomm` in `task:task_rename`.
#[unsafe(no_mangle)]
static TRACE_RENAME_COMM: Global<u32> = Global::new(0);
/// Offset of `pid` in it.
#[unsafe(no_mangle)]
static TRACE_RENAME_PID: Global<u32> = Global::new(0);
/// Offset of `comm` in `sched:sched_process_exit`.
#[unsafe(no_mangle)]
static TRACE_EXIT_COMM: Global<u32> = Global::new(0);
/// Offset of `fd` in `io_uring:io_uring_create`.
#[unsafe(no_mangle)]
static CREATE_FD: Global<u32> = Global::new(0);
/// Offset of `sq_entries` in it.
#[unsafe(no_mangle)]
static CREATE_ENTRIES: Global<u32> = Global::new(0);
/// Offset of `opcode` in `io_uring:io_uring_register`.
#[unsafe(no_mangle)]
static REGISTER_OPCODE: Global<u32> = Global::new(0);
/// Offset of `opcode` in `io_uring:io_uring_submit_req`.
#[unsafe(no_mangle)]
static SUBMIT_OPCODE: Global<u32> = Global::new(0);
/// Offset of `flags` in it.
#[unsafe(no_mangle)]
static SUBMIT_FLAGS: Global<u32> = Global::new(0);
/// Offset of `req` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static PUNT_REQ: Global<u32> = Global::new(0);
/// Offset of `opcode` in it.
#[unsafe(no_mangle)]
static PUNT_OPCODE: Global<u32> = Global::new(0);
/// Offset of `flags` in it.
#[unsafe(no_mangle)]
static PUNT_FLAGS: Global<u32> = Global::new(0);
/// Offset of `work` in it.
#[unsafe(no_mangle)]
static PUNT_WORK: Global<u32> = Global::new(0);
/// Offset of `rw` in it: not 0 for hashed work.
#[unsafe(no_mangle)]
static PUNT_RW: Global<u32> = Global::new(0);
/// Offset of `req` in `io_uring:io_uring_complete`.
#[unsafe(no_mangle)]
static DONE_REQ: Global<u32> = Global::new(0);
/// Offset of `res` in it.
#[unsafe(no_mangle)]
static DONE_RES: Global<u32> = Global::new(0);

/// Reads a field of the event, and counts it where it cannot be read.
#[inline(always)]
fn read<T>(ctx: &TracePointContext, at: &Global<u32>) -> Option<T> {
    read_at(ctx.as_ptr() as u64, at.load())
}

#[tracepoint]
pub(crate) fn trace_born(ctx: TracePointContext) -> u32 {
    let Some(flags) = read::<u64>(&ctx, &TRACE_NEWTASK_FLAGS) else { return KEEP };
    lives::born(flags, || read(&ctx, &TRACE_NEWTASK_PID), || read(&ctx, &TRACE_NEWTASK_COMM));
    KEEP
}

#[tracepoint]
pub(crate) fn trace_named(ctx: TracePointContext) -> u32 {
    lives::named(|| read(&ctx, &TRACE_RENAME_PID), || read(&ctx, &TRACE_RENAME_COMM));
    KEEP
}

#[tracepoint]
pub(crate) fn trace_exited(ctx: TracePointContext) -> u32 {
    lives::exited(None, || read(&ctx, &TRACE_EXIT_COMM));
    KEEP
}

#[tracepoint]
pub(crate) fn trace_ring(ctx: TracePointContext) -> u32 {
    let Some(fd) = read(&ctx, &CREATE_FD) else { return KEEP };
    let Some(entries) = read(&ctx, &CREATE_ENTRIES) else { return KEEP };
    lives::ring(fd, entries);
    KEEP
}

#[tracepoint]
pub(crate) fn trace_registered(ctx: TracePointContext) -> u32 {
    let Some(opcode) = read(&ctx, &REGISTER_OPCODE) else { return KEEP };
    lives::registered(opcode);
    KEEP
}

#[tracepoint]
pub(crate) fn trace_submitted(ctx: TracePointContext) -> u32 {
    let Some((tgid, _)) = current() else { return KEEP };
    let Some(opcode) = read(&ctx, &SUBMIT_OPCODE) else { return KEEP };
    let Some(flags) = read(&ctx, &SUBMIT_FLAGS) else { return KEEP };
    requests::submitted(tgid, opcode, flags);
    KEEP
}

#[tracepoint]
pub(crate) fn trace_queued(ctx: TracePointContext) -> u32 {
    if let Some(queued) = read_queued(&ctx) {
        requests::queued(queued);
    }
    KEEP
}

#[inline(always)]
fn read_queued(ctx: &TracePointContext) -> Option<Queued> {
    current()?;
    let request = read(ctx, &PUNT_REQ)?;
    Some(Queued {
        request,
        opcode: read(ctx, &PUNT_OPCODE)?,
        flags: read(ctx, &PUNT_FLAGS)?,
        work_flags: read_at(read(ctx, &PUNT_WORK)?, WORK_FLAGS)?,
        hashed: read::<i32>(ctx, &PUNT_RW)? != 0,
        fd: FD_UNKNOWN,
    })
}

#[tracepoint]
pub(crate) fn trace_completed(ctx: TracePointContext) -> u32 {
    let Some(request) = read(&ctx, &DONE_REQ) else { return KEEP };
    requests::completed(request, || read(&ctx, &DONE_RES));
    KEEP
}
