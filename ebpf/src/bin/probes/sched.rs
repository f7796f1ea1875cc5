//! The sleep of workers: what the scheduler knows when it takes one off its CPU.
//!
//! This runs at every context switch of the machine, so the order of checks is by cost: the task
//! group of the thread that leaves is at hand, the idle thread has no slot, and only then is a
//! thread looked up.

use core::arch::asm;
use core::ffi::c_void;
use core::ptr;

use aya_ebpf::EbpfContext as _;
use aya_ebpf::Global;
use aya_ebpf::helpers::{bpf_ktime_get_ns, bpf_probe_read_kernel};
use aya_ebpf::macros::{raw_tracepoint, tracepoint};
use aya_ebpf::programs::{RawTracePointContext, TracePointContext};
use iowq_ebpf::{
    ACCOUNTS, BlockEvent, KEY_HASHED, KEY_NONE, LOST_BLOCKS, LOST_SWITCHES, LOST_UNREADABLE,
    NEVER_ASK, POOLS_MAX, PoolCounts, SKIP_SAME_BUCKET, SLOTS_MAX, Slot,
};

use crate::KEEP;
use crate::maps::{BLOCKS, SHARED, SLOT_OF, current_tid, lose};

/// Bits of `prev_state` in the event that say why a thread sleeps. A thread that was preempted has
/// a higher bit, and one that merely yielded has none.
const SLEEPS: u32 = 0xff;

/// Offset of `prev_state` in `sched:sched_switch`.
#[unsafe(no_mangle)]
static SWITCH_PREV_STATE: Global<u32> = Global::new(0);
/// Offset of `next_pid` in `sched:sched_switch`.
#[unsafe(no_mangle)]
static SWITCH_NEXT_PID: Global<u32> = Global::new(0);
/// Offset of `pid` in the kernel's `task_struct`.
#[unsafe(no_mangle)]
static TASK_PID: Global<u32> = Global::new(0);

/// One thread leaves a CPU, in its own context, and another one gets it. The classic event, which
/// needs no BTF: the kernel leaves it out wherever another BPF program or a system call on a BPF
/// map is under way on this CPU, even if what is under way was preempted.
#[tracepoint]
pub(crate) fn thread_switched(ctx: TracePointContext) -> u32 {
    if let Some((pool, slot, index)) = current() {
        let asleep = read(ctx.as_ptr(), SWITCH_PREV_STATE.load()) & SLEEPS != 0;
        leaves(pool, slot, index, asleep);
    }
    enters(read(ctx.as_ptr(), SWITCH_NEXT_PID.load()));
    KEEP
}

/// The same from the bare trace point, which nothing but this program itself keeps from firing.
/// Its arguments: whether the thread was preempted, the thread that leaves, the one that comes, and
/// the state of the one that leaves.
#[raw_tracepoint]
pub(crate) fn thread_switched_raw(ctx: RawTracePointContext) -> i32 {
    if let Some((pool, slot, index)) = current() {
        let (preempted, state) = (ctx.arg::<u32>(0) & 0xff, ctx.arg::<u32>(3));
        leaves(pool, slot, index, preempted == 0 && state != 0);
    }
    enters(read(ctx.arg::<*mut c_void>(2), TASK_PID.load()));
    0
}

/// What belongs to the thread that leaves, where it is a worker.
#[inline(always)]
fn current() -> Option<(*mut PoolCounts, *mut Slot, u32)> {
    find(current_tid()?)
}

/// The pool, the slot and its index, where the thread is a worker.
#[inline(always)]
fn find(tid: u32) -> Option<(*mut PoolCounts, *mut Slot, u32)> {
    // SAFETY: userspace inserts a thread before it works and removes it after, so the element is
    // not another thread's meanwhile. Should it be, the index is kept in range all the same.
    let index = *unsafe { SLOT_OF.get(tid) }?;
    let shared = SHARED.get_ptr_mut(0)?;
    // Userspace inserts no other. The verifier of Linux 6.1 follows a mask, and not a comparison.
    let index = index & (SLOTS_MAX as u32 - 1);
    // SAFETY: the index is in range.
    let slot = unsafe { (&raw mut (*shared).slots).cast::<Slot>().add(index as usize) };
    // SAFETY: the slot is in the map's value; the index is kept in range, as above.
    let pool = unsafe {
        let pool = ptr::read_volatile(&raw const (*slot).pool) & (POOLS_MAX as u32 - 1);
        (&raw mut (*shared).pools).cast::<PoolCounts>().add(pool as usize)
    };
    Some((pool, slot, index))
}

/// A worker leaves its CPU: where it sleeps inside its work, it no longer counts as running.
#[inline(always)]
fn leaves(pool: *mut PoolCounts, slot: *mut Slot, index: u32, asleep: bool) {
    // SAFETY: the slot is in the map's value, and only the current thread writes it.
    let (work, account) = unsafe {
        (*slot).outs += 1;
        (*slot).outs_asleep += u32::from(asleep);
        ((*slot).work, (*slot).account)
    };
    if work == KEY_NONE {
        return;
    }
    // SAFETY: as above.
    let unseen = unsafe {
        (*slot).sleeps += u32::from(asleep);
        core::mem::replace(&mut (*slot).blocked, u32::from(asleep)) != 0
    };
    // A worker that leaves came back before. Its return is missed where the thread before it on
    // the CPU fires no event when it leaves; on one kernel no thread of the first process does,
    // nor does ftrace see it then.
    if unseen {
        lose(LOST_SWITCHES);
        add(pool, account, 1);
    }
    if !asleep || add(pool, account, -1) != 1 {
        return;
    }
    let head = head(pool, account);
    if head != KEY_NONE && may_ask(pool, work, head) {
        ask(pool, slot, index, head);
    }
}

/// Whether the rules in force let a worker ask that holds `work` while `head` is queued first.
#[inline(always)]
fn may_ask(pool: *mut PoolCounts, work: u32, head: u32) -> bool {
    // SAFETY: an aligned u32 in the map's value, which is not written once there are workers.
    let flags = unsafe { (*pool).flags };
    let same_bucket = work >= KEY_HASHED && work == head;
    flags & NEVER_ASK == 0 && !(same_bucket && flags & SKIP_SAME_BUCKET != 0)
}

/// Requests a worker, and counts it as running from now on, so that no other requests the same.
#[inline(always)]
fn ask(pool: *mut PoolCounts, slot: *mut Slot, index: u32, head: u32) {
    // SAFETY: the slot is in the map's value, and only the current thread sets the mark; the pool
    // may clear it, and then has heard of the last time.
    let request_pending = unsafe { ptr::read_volatile(&raw const (*slot).request_pending) };
    if request_pending != 0 {
        return;
    }
    let Some(mut entry) = BLOCKS.reserve::<BlockEvent>(0) else {
        lose(LOST_BLOCKS);
        return;
    };
    // SAFETY: the helper has no requirement; the slot is as above.
    let (time_ns, work, account, generation) = unsafe {
        ptr::write_volatile(&raw mut (*slot).request_pending, 1);
        (bpf_ktime_get_ns(), (*slot).work, (*slot).account, (*slot).generation)
    };
    add(pool, account, 1);
    entry.write(BlockEvent { time_ns, slot: index, work, head, generation });
    entry.submit(0);
}

/// A thread gets a CPU: where it is a worker that slept, it counts as running again.
#[inline(always)]
fn enters(tid: u32) {
    // The idle thread.
    if tid == 0 {
        return;
    }
    let Some((pool, slot, _)) = find(tid) else { return };
    // SAFETY: the slot is in the map's value. Its thread is not on a CPU yet, so only this
    // program, which runs once for the switch, writes it.
    let account = unsafe {
        (*slot).ins += 1;
        if (*slot).blocked == 0 {
            return;
        }
        (*slot).blocked = 0;
        (*slot).account
    };
    add(pool, account, 1);
}

/// Adds to the running count of an account, and returns what it was.
#[inline(always)]
fn add(pool: *mut PoolCounts, account: u32, by: i32) -> i32 {
    let index = account as usize % ACCOUNTS;
    // SAFETY: the index is in range.
    let running = unsafe { (&raw mut (*pool).running).cast::<i32>().add(index) };
    let was: i32;
    // SAFETY: the pointer is an aligned i32 in the map's value. `core` offers this target no
    // atomic addition, the instruction set has one.
    unsafe {
        asm!(
            "{was} = atomic_fetch_add((u32 *)({at} + 0), {was})",
            at = in(reg) running,
            was = inout(wreg) by => was,
        );
    }
    was
}

/// Key of the first queued work of an account.
#[inline(always)]
fn head(pool: *mut PoolCounts, account: u32) -> u32 {
    let index = account as usize % ACCOUNTS;
    // SAFETY: the index is in range, so this is an aligned u32 in the map's value. Userspace may
    // write it at any time; the load is one instruction, and the atomic addition before it orders
    // the two: the second, enqueuer or this, sees what the other did.
    unsafe { ptr::read_volatile((&raw const (*pool).head).cast::<u32>().add(index)) }
}

/// Reads a number at an offset from an address: the value, or 0 and a count where it cannot be
/// read.
///
/// 0 is the idle thread's id and the state of a thread that does not sleep.
#[inline(always)]
fn read(from: *mut c_void, offset: u32) -> u32 {
    let address = from.wrapping_byte_add(offset as usize);
    // SAFETY: the helper checks the address and fails where it cannot be read.
    unsafe { bpf_probe_read_kernel(address.cast::<u32>()) }.unwrap_or_else(|_| {
        lose(LOST_UNREADABLE);
        0
    })
}
