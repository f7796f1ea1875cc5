//! Births, names and exits of the threads that `io_uring` makes, and what changes about processes.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use iowq_ebpf::trace::{
    LIFE_BORN, LIFE_EXITED, LIFE_LIMITS, LIFE_NAMED, LIFE_PROCESS, LIFE_RING, LifeEvent,
    TRACE_LOST_LIVES,
};

use super::requests::take_last;
use super::tables::{LIVES, TRACED, current, lose, read};
use crate::account;

/// Clone flags of the threads that `io_uring` makes: the same in Linux 6.1 to 6.18.
const IO_THREAD: u64 = 0x8081_0f00;
/// `CLONE_THREAD`: without it a new process is born.
const CLONE_THREAD: u64 = 0x1_0000;

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
/// `IORING_REGISTER_IOWQ_MAX_WORKERS`.
const MAX_WORKERS: u32 = 19;

/// A thread is created, in the context of its creator.
#[tracepoint]
pub(crate) fn trace_born(ctx: TracePointContext) -> u32 {
    let Some((tgid, by_tid)) = current() else { return 0 };
    let Some(flags) = read::<u64>(&ctx, &TRACE_NEWTASK_FLAGS) else { return 0 };
    if flags & CLONE_THREAD == 0 {
        follow(&ctx);
        return 0;
    }
    if flags != IO_THREAD {
        return 0;
    }
    let Some(tid) = read::<u32>(&ctx, &TRACE_NEWTASK_PID) else { return 0 };
    let Some(comm) = read::<[u8; 16]>(&ctx, &TRACE_NEWTASK_COMM) else { return 0 };
    let mut event = event(LIFE_BORN, tgid, tid, by_tid, comm);
    if let Some(last) = take_last(by_tid) {
        event.queued_ns = last.queued_ns;
        event.fd = last.fd;
        event.opcode = last.opcode;
        event.class = last.class;
    }
    submit(event);
    0
}

/// A worker gives itself its name, which is the first thing it does.
#[tracepoint]
pub(crate) fn trace_named(ctx: TracePointContext) -> u32 {
    let Some((tgid, by_tid)) = current() else { return 0 };
    let Some(tid) = read::<u32>(&ctx, &TRACE_RENAME_PID) else { return 0 };
    let Some(comm) = read::<[u8; 16]>(&ctx, &TRACE_RENAME_COMM) else { return 0 };
    if tid != by_tid || !is_io_thread(&comm) {
        return 0;
    }
    let mut event = event(LIFE_NAMED, tgid, tid, by_tid, comm);
    event.account = account::of_current();
    submit(event);
    0
}

/// A thread is gone, in its own context.
#[tracepoint]
pub(crate) fn trace_exited(ctx: TracePointContext) -> u32 {
    let Some((tgid, tid)) = current() else { return 0 };
    let Some(comm) = read::<[u8; 16]>(&ctx, &TRACE_EXIT_COMM) else { return 0 };
    if is_io_thread(&comm) {
        submit(event(LIFE_EXITED, tgid, tid, tid, comm));
    } else if tid == tgid {
        // Of the many processes that end, userspace knows which used a ring.
        submit(event(LIFE_PROCESS, tgid, tid, tid, comm));
    }
    0
}

/// A process creates a ring.
#[tracepoint]
pub(crate) fn trace_ring(ctx: TracePointContext) -> u32 {
    let Some((tgid, by_tid)) = current() else { return 0 };
    let Some(fd) = read::<i32>(&ctx, &CREATE_FD) else { return 0 };
    let Some(entries) = read::<u32>(&ctx, &CREATE_ENTRIES) else { return 0 };
    let mut event = event(LIFE_RING, tgid, fd as u32, by_tid, [0; 16]);
    event.account = entries;
    submit(event);
    0
}

/// A process registers something with a ring.
#[tracepoint]
pub(crate) fn trace_registered(ctx: TracePointContext) -> u32 {
    let Some((tgid, by_tid)) = current() else { return 0 };
    if read::<u32>(&ctx, &REGISTER_OPCODE) == Some(MAX_WORKERS) {
        submit(event(LIFE_LIMITS, tgid, 0, by_tid, [0; 16]));
    }
    0
}

/// A child of a traced process is traced, too.
#[inline(always)]
fn follow(ctx: &TracePointContext) {
    if super::tables::TRACE_SOME.load() == 0 {
        return;
    }
    let Some(tgid) = read::<u32>(ctx, &TRACE_NEWTASK_PID) else { return };
    if TRACED.insert(tgid, 1, 0).is_err() {
        lose(TRACE_LOST_LIVES);
    }
}

/// Whether a thread of this name is one that `io_uring` makes: `iou-wrk-PID` or `iou-sqp-PID`.
#[inline(always)]
fn is_io_thread(comm: &[u8; 16]) -> bool {
    comm[0] == b'i' && comm[1] == b'o' && comm[2] == b'u' && comm[3] == b'-'
}

#[inline(always)]
fn event(kind: u32, tgid: u32, tid: u32, by_tid: u32, comm: [u8; 16]) -> LifeEvent {
    LifeEvent {
        // SAFETY: the helper has no requirement.
        time_ns: unsafe { bpf_ktime_get_ns() },
        queued_ns: 0,
        kind,
        tgid,
        tid,
        by_tid,
        account: 0,
        fd: -1,
        opcode: 0,
        class: 0,
        reserved: 0,
        reserved_too: 0,
        comm,
    }
}

#[inline(always)]
fn submit(event: LifeEvent) {
    if LIVES.output::<LifeEvent>(event, u64::from(BPF_RB_NO_WAKEUP)).is_err() {
        lose(TRACE_LOST_LIVES);
    }
}
