//! The life of `io_uring` requests: handed to io-wq and completed, within the watched task group.
//!
//! The request's user data is its slot in the tables, and whether to time it. Anything else is not ours.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::TracePointContext;
use iowq_ebpf::{QUEUED_AT_SOME_TIME, QUEUED_HASHED, REQUEST_TIMED};

use crate::KEEP;
use crate::account::{count_queued, work_flags};
use crate::event::read;
use crate::maps::current_tid;

/// When each request was queued, and how. Userspace sets the number of slots of all tables at load.
#[map]
static QUEUED_AT: Array<u64> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// When a worker took it up.
#[map]
pub(crate) static STARTED_AT: Array<u64> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// When it was done.
#[map]
static DONE_AT: Array<u64> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// 1 if it is seen when requests start, so that it matters when they were queued.
#[unsafe(no_mangle)]
static STARTS_SEEN: Global<u32> = Global::new(0);

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
    if let Some(user_data) = read(&ctx, &COMPLETE_USER_DATA) {
        completed(user_data);
    }
    KEEP
}

/// A request goes to io-wq, in the context of its submitter or of the worker that ran the request
/// before it in a chain.
#[inline(always)]
pub(crate) fn queued(user_data: u64, work_flags: u32, hashed: impl FnOnce() -> Option<bool>) {
    count_queued(work_flags);
    let Some(element) = QUEUED_AT.get_ptr_mut(slot(user_data)) else { return };
    let Some(hashed) = hashed() else { return };
    let at = if STARTS_SEEN.load() != 0 && user_data & REQUEST_TIMED != 0 {
        // SAFETY: the helper has no requirement.
        unsafe { bpf_ktime_get_ns() }
    } else {
        QUEUED_AT_SOME_TIME
    };
    // SAFETY: the pointer is to the map's element, and nothing else writes it while the kernel has not
    // yet queued the request.
    unsafe { *element = (at << 1) | if hashed { QUEUED_HASHED } else { 0 } };
}

/// A request completes, in the context of its submitter or of a worker. To look at the bit costs less
/// than to ask whose it is.
#[inline(always)]
pub(crate) fn completed(user_data: u64) {
    if user_data & REQUEST_TIMED != 0 && current_tid().is_some() {
        stamp(&DONE_AT, user_data);
    }
}

/// Writes down that something happens now to a request, if it is to be timed.
#[inline(always)]
pub(crate) fn stamp(table: &Array<u64>, user_data: u64) {
    if user_data & REQUEST_TIMED != 0
        && let Some(time_ns) = table.get_ptr_mut(slot(user_data))
    {
        // SAFETY: the pointer is to the map's element, and a request starts and completes once. The
        // helper has no requirement.
        unsafe { *time_ns = bpf_ktime_get_ns() };
    }
}

/// The slot of a request. It is in none of the tables if the user data is not ours.
#[inline(always)]
fn slot(user_data: u64) -> u32 {
    u32::try_from(user_data & !REQUEST_TIMED).unwrap_or(u32::MAX)
}

/// Whether a request is to be timed, and has a slot.
#[inline(always)]
pub(crate) fn is_timed(user_data: u64) -> bool {
    user_data & REQUEST_TIMED != 0 && STARTED_AT.get(slot(user_data)).is_some()
}
