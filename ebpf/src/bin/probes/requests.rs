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

use crate::KEEP;
use crate::account::{count_queued, work_flags};
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

/// The event that a request goes to io-wq.
#[tracepoint]
pub(crate) fn request_queued(ctx: TracePointContext) -> u32 {
    if current_tid().is_some()
        && let Some(user_data) = read(&ctx, &QUEUE_USER_DATA)
        && let Some(work) = read(&ctx, &QUEUE_WORK)
        && let Some(flags) = work_flags(work)
    {
        queued(user_data, flags, || Some(read::<i32>(&ctx, &QUEUE_RW)? != 0));
    }
    KEEP
}

/// The event that a request completes.
#[tracepoint]
pub(crate) fn request_completed(ctx: TracePointContext) -> u32 {
    if current_tid().is_some()
        && let Some(user_data) = read(&ctx, &COMPLETE_USER_DATA)
    {
        completed(user_data);
    }
    KEEP
}

/// A request goes to io-wq, in the context of its submitter or of the worker that ran the request
/// before it in a chain.
#[inline(always)]
pub(crate) fn queued(user_data: u64, work_flags: u32, hashed: impl FnOnce() -> Option<bool>) {
    count_queued(work_flags);
    let Some(times) = u32::try_from(user_data).ok().and_then(times) else { return };
    let Some(hashed) = hashed() else { return };
    // SAFETY: the pointer is to the map's element, and nothing else writes a request's times while
    // the kernel has not yet queued it. The helper has no requirement.
    unsafe {
        (*times).hashed = u32::from(hashed);
        (*times).started_ns = 0;
        (*times).queued_ns = bpf_ktime_get_ns();
    }
}

/// A request completes, in the context of its submitter or of a worker.
#[inline(always)]
pub(crate) fn completed(user_data: u64) {
    let Some(times) = u32::try_from(user_data).ok().and_then(times) else { return };
    // SAFETY: the pointer is to the map's element, and a request completes once. The helper has no
    // requirement.
    unsafe { (*times).done_ns = bpf_ktime_get_ns() };
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
