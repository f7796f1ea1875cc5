//! The sleep of workers: what the scheduler knows when it takes one off its CPU.
//!
//! This runs at every context switch of the machine, so the order of checks is by cost: the task
//! group of the thread that leaves is at hand, the idle thread has no slot, and only then is a
//! thread looked up.

use core::arch::asm;
use core::ptr;

use aya_ebpf::EbpfContext as _;
use aya_ebpf::Global;
use aya_ebpf::helpers::{bpf_ktime_get_ns, bpf_probe_read_kernel};
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use iowq_ebpf::{
    ACCOUNTS, BlockEvent, KEY_HASHED, KEY_NONE, LOST_BLOCKS, LOST_SWITCHES, LOST_UNREADABLE,
    NEVER_ASK, SKIP_SAME_BUCKET, SLOTS_MAX, Shared, Slot,
};

use crate::maps::{BLOCKS, SHARED, SLOT_OF, current_tid, lose};

/// Bits of `prev_state` that say why a thread sleeps. A thread that was preempted has a higher
/// bit, and one that merely yielded has none.
const SLEEPS: u32 = 0xff;

/// Offset of `prev_state` in `sched:sched_switch`.
#[unsafe(no_mangle)]
static SWITCH_PREV_STATE: Global<u32> = Global::new(0);
/// Offset of `next_pid` in `sched:sched_switch`.
#[unsafe(no_mangle)]
static SWITCH_NEXT_PID: Global<u32> = Global::new(0);

/// One thread leaves a CPU, in its own context, and another one gets it.
#[tracepoint]
pub(crate) fn thread_switched(ctx: TracePointContext) -> u32 {
    if let Some(tid) = current_tid()
        && let Some((shared, slot, index)) = find(tid)
    {
        leaves(&ctx, shared, slot, index);
    }
    let next = read(&ctx, &SWITCH_NEXT_PID);
    if next != 0
        && let Some((shared, slot, _)) = find(next)
    {
        enters(shared, slot);
    }
    0
}

/// The page, the slot and its index, where the thread is a worker.
#[inline(always)]
fn find(tid: u32) -> Option<(*mut Shared, *mut Slot, u32)> {
    // SAFETY: userspace inserts a thread before it works and removes it after, so the element is
    // not another thread's meanwhile. Should it be, the index is checked below all the same.
    let index = *unsafe { SLOT_OF.get(tid) }?;
    let shared = SHARED.get_ptr_mut(0)?;
    if index as usize >= SLOTS_MAX {
        return None;
    }
    // SAFETY: the index was checked.
    let slot = unsafe { (&raw mut (*shared).slots).cast::<Slot>().add(index as usize) };
    Some((shared, slot, index))
}

/// A worker leaves its CPU: where it sleeps inside its work, it no longer counts as running.
#[inline(always)]
fn leaves(ctx: &TracePointContext, shared: *mut Shared, slot: *mut Slot, index: u32) {
    // SAFETY: the slot is in the map's value, and only the current thread writes it.
    let (work, account) = unsafe { ((*slot).work, (*slot).account) };
    if work == KEY_NONE || read(ctx, &SWITCH_PREV_STATE) & SLEEPS == 0 {
        return;
    }
    // SAFETY: as above.
    let unseen = unsafe {
        (*slot).sleeps += 1;
        core::mem::replace(&mut (*slot).blocked, 1) != 0
    };
    // Once in some hundred thousand switches the kernel fires no event. A worker that sleeps twice
    // came back in between and was not added, so it must not be subtracted again.
    let was = if unseen {
        lose(LOST_SWITCHES);
        add(shared, account, 0) + 1
    } else {
        add(shared, account, -1)
    };
    if was != 1 {
        return;
    }
    let head = head(shared, account);
    if head != KEY_NONE && may_ask(shared, work, head) {
        ask(shared, slot, index, head);
    }
}

/// Whether the rules in force let a worker ask that holds `work` while `head` is queued first.
#[inline(always)]
fn may_ask(shared: *mut Shared, work: u32, head: u32) -> bool {
    // SAFETY: an aligned u32 in the map's value, which nobody writes once there are workers.
    let flags = unsafe { (*shared).flags };
    let same_bucket = work >= KEY_HASHED && work == head;
    flags & NEVER_ASK == 0 && !(same_bucket && flags & SKIP_SAME_BUCKET != 0)
}

/// Asks for a worker, and counts it as running from now on, so that nobody asks for the same.
#[inline(always)]
fn ask(shared: *mut Shared, slot: *mut Slot, index: u32, head: u32) {
    // SAFETY: the slot is in the map's value, and only the current thread sets the mark; the pool
    // may clear it, and then has heard of the last time.
    let asked = unsafe { ptr::read_volatile(&raw const (*slot).asked) };
    if asked != 0 {
        return;
    }
    let Some(mut entry) = BLOCKS.reserve::<BlockEvent>(0) else {
        lose(LOST_BLOCKS);
        return;
    };
    // SAFETY: the helper has no requirement; the slot is as above.
    let (time_ns, work, account, tenant) = unsafe {
        ptr::write_volatile(&raw mut (*slot).asked, 1);
        (bpf_ktime_get_ns(), (*slot).work, (*slot).account, (*slot).tenant)
    };
    add(shared, account, 1);
    entry.write(BlockEvent { time_ns, slot: index, work, head, tenant });
    entry.submit(0);
}

/// A worker gets a CPU: where it slept, it counts as running again.
#[inline(always)]
fn enters(shared: *mut Shared, slot: *mut Slot) {
    // SAFETY: the slot is in the map's value. Its thread is not on a CPU yet, so only this
    // program, which runs once for the switch, writes it.
    let account = unsafe {
        if (*slot).blocked == 0 {
            return;
        }
        (*slot).blocked = 0;
        (*slot).account
    };
    add(shared, account, 1);
}

/// Adds to the running count of an account, and returns what it was.
#[inline(always)]
fn add(shared: *mut Shared, account: u32, by: i32) -> i32 {
    let index = account as usize % ACCOUNTS;
    // SAFETY: the index is in range.
    let running = unsafe { (&raw mut (*shared).running).cast::<i32>().add(index) };
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
fn head(shared: *mut Shared, account: u32) -> u32 {
    let index = account as usize % ACCOUNTS;
    // SAFETY: the index is in range, so this is an aligned u32 in the map's value. Userspace may
    // write it at any time; the load is one instruction, and the atomic addition before it orders
    // the two: whoever comes second, enqueuer or this, sees what the other did.
    unsafe { ptr::read_volatile((&raw const (*shared).head).cast::<u32>().add(index)) }
}

/// Reads a field of the event: the value, or 0 and a count where it cannot be read.
///
/// 0 is the idle thread's id and the state of a thread that does not sleep.
#[inline(always)]
fn read(ctx: &TracePointContext, at: &Global<u32>) -> u32 {
    let address = ctx.as_ptr().wrapping_byte_add(at.load() as usize);
    // SAFETY: the helper checks the address and fails where it cannot be read.
    unsafe { bpf_probe_read_kernel(address.cast::<u32>()) }.unwrap_or_else(|_| {
        lose(LOST_UNREADABLE);
        0
    })
}
