//! The life of `io_uring` requests: handed to io-wq and completed, within the watched task group.
//!
//! The request's user data is its slot in the table, and anything else is not ours to time.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::TracePointContext;
use iowq_ebpf::RequestTimes;

use crate::account::count_queued;
use crate::event::read;
use crate::maps::current_tid;

/// The table that userspace maps too. Userspace sets the number of slots at load.
#[map]
static REQUESTS: Array<RequestTimes> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Offset of `user_data` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static QUEUE_USER_DATA: Global<u32> = Global::new(0);
/// Offset of `rw` in `io_uring:io_uring_queue_async_work`: not 0 for hashed work.
#[unsafe(no_mangle)]
static QUEUE_RW: Global<u32> = Global::new(0);
/// Offset of `work` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static QUEUE_WORK: Global<u32> = Global::new(0);
/// Offset of `user_data` in `io_uring:io_uring_complete`.
#[unsafe(no_mangle)]
static COMPLETE_USER_DATA: Global<u32> = Global::new(0);

/// A request goes to io-wq, in the context of its submitter or of the worker that ran the request
/// before it in a chain.
#[tracepoint]
pub(crate) fn request_queued(ctx: TracePointContext) -> u32 {
    if current_tid().is_some()
        && let Some(work) = read::<u64>(&ctx, &QUEUE_WORK)
    {
        count_queued(work);
    }
    let Some(slot) = slot(&ctx, &QUEUE_USER_DATA) else { return 0 };
    let Some(times) = times(slot) else { return 0 };
    let Some(rw) = read::<i32>(&ctx, &QUEUE_RW) else { return 0 };
    // SAFETY: the pointer is to the map's element, and nothing else writes a request's times while
    // the kernel has not yet queued it. The helper has no requirement.
    unsafe {
        (*times).hashed = u32::from(rw != 0);
        (*times).started_ns = 0;
        (*times).queued_ns = bpf_ktime_get_ns();
    }
    0
}

/// A request completes, in the context of its submitter or of a worker.
#[tracepoint]
pub(crate) fn request_completed(ctx: TracePointContext) -> u32 {
    let Some(slot) = slot(&ctx, &COMPLETE_USER_DATA) else { return 0 };
    let Some(times) = times(slot) else { return 0 };
    // SAFETY: the pointer is to the map's element, and a request completes once. The helper has no
    // requirement.
    unsafe { (*times).done_ns = bpf_ktime_get_ns() };
    0
}

/// The slot of the request that an event is about, where it is one of the watched task group.
#[inline(always)]
pub(crate) fn slot(ctx: &TracePointContext, user_data: &Global<u32>) -> Option<u32> {
    current_tid()?;
    u32::try_from(read::<u64>(ctx, user_data)?).ok()
}

/// The times of a slot, where there is such a slot.
#[inline(always)]
pub(crate) fn times(slot: u32) -> Option<*mut RequestTimes> {
    REQUESTS.get_ptr_mut(slot)
}
