//! Births, names and exits of the threads that `io_uring` makes, and what changes about processes.

use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::{bpf_get_current_comm, bpf_ktime_get_ns};
use iowq_ebpf::kernel::{CLONE_THREAD, IO_THREAD, MAX_WORKERS};
use iowq_ebpf::trace::{
    LIFE_BORN, LIFE_EXITED, LIFE_LIMITS, LIFE_NAMED, LIFE_PROCESS, LIFE_RING, LifeEvent,
    TRACE_LOST_LIVES,
};

use super::limit;
use super::requests::take_last;
use super::tables::{LIVES, TRACE_SOME, TRACED, current, lose};
use crate::account;

/// Name of a thread.
pub(super) type Comm = [u8; 16];

/// A thread is created, in the context of its creator.
#[inline(always)]
pub(super) fn born(
    flags: u64,
    tid: impl FnOnce() -> Option<u32>,
    comm: impl FnOnce() -> Option<Comm>,
) {
    let Some((tgid, by_tid)) = current() else { return };
    if flags & CLONE_THREAD == 0 {
        return follow(tid);
    }
    if flags != IO_THREAD {
        return;
    }
    let Some(tid) = tid() else { return };
    let Some(comm) = comm() else { return };
    let mut event = event(LIFE_BORN, tgid, tid, by_tid, comm);
    if let Some(last) = take_last(by_tid) {
        event.queued_ns = last.queued_ns;
        event.fd = last.fd;
        event.opcode = last.opcode;
        event.class = last.class;
    }
    submit(event);
}

/// A worker gives itself its name, which is the first thing it does.
#[inline(always)]
pub(super) fn named(tid: impl FnOnce() -> Option<u32>, comm: impl FnOnce() -> Option<Comm>) {
    let Some((tgid, by_tid)) = current() else { return };
    let Some(comm) = comm() else { return };
    if !is_io_thread(&comm) || tid() != Some(by_tid) {
        return;
    }
    let mut event = event(LIFE_NAMED, tgid, by_tid, by_tid, comm);
    event.account = account::of_current();
    event.limit = limit::of_current(event.account);
    submit(event);
}

/// A thread is gone, in its own context; whether it is the last of its process, where that is known,
/// or else if it is the first.
#[inline(always)]
pub(super) fn exited(is_last: Option<bool>, comm: impl FnOnce() -> Option<Comm>) {
    let Some((tgid, tid)) = current() else { return };
    let Some(comm) = comm() else { return };
    if is_io_thread(&comm) {
        submit(event(LIFE_EXITED, tgid, tid, tid, comm));
    }
    if is_last.unwrap_or(tid == tgid) {
        // Of the many processes that end, userspace knows which used a ring.
        submit(event(LIFE_PROCESS, tgid, tid, tid, comm));
        if TRACE_SOME.load() != 0 {
            // Its number may be another's next.
            let _ = TRACED.remove(tgid);
        }
    }
}

/// A process creates a ring.
#[inline(always)]
pub(super) fn ring(fd: u32, entries: u32) {
    let Some((tgid, by_tid)) = current() else { return };
    // Some processes are over before userspace could read their name.
    let comm = bpf_get_current_comm().unwrap_or_default();
    let mut event = event(LIFE_RING, tgid, fd, by_tid, comm);
    event.account = entries;
    submit(event);
}

/// A process registers something with a ring.
#[inline(always)]
pub(super) fn registered(opcode: u32) {
    let Some((tgid, by_tid)) = current() else { return };
    if opcode == MAX_WORKERS {
        submit(event(LIFE_LIMITS, tgid, 0, by_tid, [0; 16]));
    }
}

/// A child of a traced process is traced, too.
#[inline(always)]
fn follow(tid: impl FnOnce() -> Option<u32>) {
    if TRACE_SOME.load() == 0 {
        return;
    }
    let Some(tgid) = tid() else { return };
    if TRACED.insert(tgid, 1, 0).is_err() {
        lose(TRACE_LOST_LIVES);
    }
}

/// Whether a thread of this name is one that `io_uring` makes: `iou-wrk-PID` or `iou-sqp-PID`.
#[inline(always)]
fn is_io_thread(comm: &Comm) -> bool {
    comm[0] == b'i' && comm[1] == b'o' && comm[2] == b'u' && comm[3] == b'-'
}

#[inline(always)]
fn event(kind: u32, tgid: u32, tid: u32, by_tid: u32, comm: Comm) -> LifeEvent {
    // SAFETY: the helper has no requirement.
    let time_ns = unsafe { bpf_ktime_get_ns() };
    LifeEvent { by_tid, comm, ..LifeEvent::of(kind, time_ns, tgid, tid) }
}

#[inline(always)]
fn submit(event: LifeEvent) {
    if LIVES.output::<LifeEvent>(event, u64::from(BPF_RB_NO_WAKEUP)).is_err() {
        lose(TRACE_LOST_LIVES);
    }
}
