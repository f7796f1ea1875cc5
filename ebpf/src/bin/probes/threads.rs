//! The life of threads: births, names and exits within the watched task group.

use aya_ebpf::Global;
use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use iowq_ebpf::{LOST_THREADS, THREAD_BORN, THREAD_EXITED, THREAD_NAMED, ThreadEvent};

use crate::KEEP;
use crate::account;
use crate::event::read;
use crate::maps::{SLOT_OF, THREADS, current_tid, forget_tid, lose, remember_tid};

/// `CLONE_THREAD`: without it a new process is born, which is not ours to count.
const CLONE_THREAD: u64 = 0x10000;

/// Offset of `pid` in `task:task_newtask`.
#[unsafe(no_mangle)]
static NEWTASK_PID: Global<u32> = Global::new(0);
/// Offset of `comm` in `task:task_newtask`.
#[unsafe(no_mangle)]
static NEWTASK_COMM: Global<u32> = Global::new(0);
/// Offset of `clone_flags` in `task:task_newtask`.
#[unsafe(no_mangle)]
static NEWTASK_FLAGS: Global<u32> = Global::new(0);
/// Offset of `pid` in `task:task_rename`.
#[unsafe(no_mangle)]
static RENAME_PID: Global<u32> = Global::new(0);
/// Offset of `newcomm` in `task:task_rename`.
#[unsafe(no_mangle)]
static RENAME_COMM: Global<u32> = Global::new(0);
/// Offset of `pid` in `sched:sched_process_exit`.
#[unsafe(no_mangle)]
static EXIT_PID: Global<u32> = Global::new(0);
/// Offset of `comm` in `sched:sched_process_exit`.
#[unsafe(no_mangle)]
static EXIT_COMM: Global<u32> = Global::new(0);
/// Bytes unread in the ring from which on the reader is woken. Below that it comes by itself now
/// and then, so that a burst of births costs no wake-up each.
#[unsafe(no_mangle)]
static THREADS_WAKE_BYTES: Global<u64> = Global::new(0);

/// A thread is created, in the context of its creator.
#[tracepoint]
pub(crate) fn thread_born(ctx: TracePointContext) -> u32 {
    let Some(by_tid) = current_tid() else { return KEEP };
    let Some(flags) = read::<u64>(&ctx, &NEWTASK_FLAGS) else { return KEEP };
    if flags & CLONE_THREAD != 0 {
        submit(&ctx, THREAD_BORN, by_tid, flags, [&NEWTASK_PID, &NEWTASK_COMM]);
    }
    KEEP
}

/// A thread gets a name, in its own context or in that of one that names it.
#[tracepoint]
pub(crate) fn thread_named(ctx: TracePointContext) -> u32 {
    let Some(by_tid) = current_tid() else { return KEEP };
    remember_tid();
    // A worker of io-wq begins with giving itself a name.
    submit(&ctx, THREAD_NAMED, by_tid, 0, [&RENAME_PID, &RENAME_COMM]);
    KEEP
}

/// A thread is gone, in its own context.
#[tracepoint]
pub(crate) fn thread_exited(ctx: TracePointContext) -> u32 {
    let Some(by_tid) = current_tid() else { return KEEP };
    // Its id may be another thread's next. Most threads are no workers and have no slot.
    let _ = SLOT_OF.remove(by_tid);
    forget_tid();
    submit(&ctx, THREAD_EXITED, by_tid, 0, [&EXIT_PID, &EXIT_COMM]);
    KEEP
}

/// Submits a record; `[tid, comm]` are where the event has them. Counts it where that fails.
#[inline(always)]
fn submit(ctx: &TracePointContext, kind: u32, by_tid: u32, flags: u64, at: [&Global<u32>; 2]) {
    let Some(tid) = read::<u32>(ctx, at[0]) else { return };
    let Some(comm) = read::<[u8; 16]>(ctx, at[1]) else { return };
    let Some(mut entry) = THREADS.reserve::<ThreadEvent>(0) else {
        lose(LOST_THREADS);
        return;
    };
    entry.write(ThreadEvent {
        // SAFETY: the helper has no requirement.
        time_ns: unsafe { bpf_ktime_get_ns() },
        clone_flags: flags,
        tid,
        by_tid,
        kind,
        account: if kind == THREAD_NAMED && tid == by_tid { account::of_current() } else { 0 },
        comm,
    });
    let crowded = THREADS.query(u64::from(BPF_RB_AVAIL_DATA)) >= THREADS_WAKE_BYTES.load();
    let wake = if crowded { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP };
    entry.submit(u64::from(wake));
}
