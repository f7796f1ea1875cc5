//! The moment at which a worker takes a request up. No trace event tells, so this takes a kprobe.
//!
//! The function knows the work, and only the queueing event knows which request's it is.

use aya_ebpf::Global;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::{kprobe, map, tracepoint};
use aya_ebpf::maps::HashMap;
use aya_ebpf::programs::{ProbeContext, TracePointContext};

use crate::KEEP;
use crate::event::read;
use crate::maps::current_tid;
use crate::requests::{slot, times};

/// Slots of requests by the address of their work, while they are queued. Userspace sets the size
/// at load.
#[map]
static WORKS: HashMap<u64, u32> = HashMap::with_max_entries(1, 0);

/// Offset of `user_data` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static WORK_USER_DATA: Global<u32> = Global::new(0);
/// Offset of `work` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static WORK_ADDRESS: Global<u32> = Global::new(0);
/// Offset of a function's first argument among the saved registers.
#[unsafe(no_mangle)]
static FIRST_ARGUMENT: Global<u32> = Global::new(0);

/// A request goes to io-wq: remembers whose the work is.
#[tracepoint]
pub(crate) fn work_queued(ctx: TracePointContext) -> u32 {
    let Some(slot) = slot(&ctx, &WORK_USER_DATA) else { return KEEP };
    // Other requests may have numbers that are no slots, and would fill the map.
    if times(slot).is_none() {
        return KEEP;
    }
    let Some(work) = read::<u64>(&ctx, &WORK_ADDRESS) else { return KEEP };
    // Where there is no room, the start stays unknown.
    let _ = WORKS.insert(work, slot, 0);
    KEEP
}

/// A worker calls `io_wq_submit_work`, in its own context.
#[kprobe]
pub(crate) fn work_started(ctx: ProbeContext) -> u32 {
    if current_tid().is_none() {
        return KEEP;
    }
    let Some(work) = read::<u64>(&ctx, &FIRST_ARGUMENT) else { return KEEP };
    // SAFETY: the number is copied at once. Nobody removes it but this, and a work starts once.
    let Some(slot) = unsafe { WORKS.get(work) }.copied() else { return KEEP };
    let _ = WORKS.remove(work);
    let Some(times) = times(slot) else { return KEEP };
    // SAFETY: the pointer is to the map's element, and only the worker that has the request writes
    // this field by now. The helper has no requirement.
    unsafe { (*times).started_ns = bpf_ktime_get_ns() };
    KEEP
}
