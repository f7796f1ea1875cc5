//! Requests of traced processes: submitted, queued for a worker, completed.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_jiffies64, bpf_ktime_get_ns};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{PerCpuArray, RingBuf};
use iowq_ebpf::kernel::{CQE_SKIP, FIXED_FILE, FORCE_ASYNC, WORK_UNBOUND};
use iowq_ebpf::trace::{
    BUCKETS, BURST, CLASS_FORCED, CLASS_HASHED, CLASS_QUEUED, CLASS_UNBOUNDED, FD_UNKNOWN,
    FILE_REGISTERED, FOLLOWED, FileKey, Flight, OpCounts, OpKey, RequestEvent, TRACE_LOST_FILES,
    TRACE_LOST_FLIGHTS, TRACE_LOST_OPS, TRACE_LOST_REQUESTS, bucket,
};

use super::flights;
use super::rows::{counts, file_count};
use super::tables::{current, lose};

/// 1 if each request is to be recorded, else 0.
#[unsafe(no_mangle)]
static TRACE_REQUESTS: Global<u32> = Global::new(0);

/// Requests that are done, one by one, with [`TRACE_REQUESTS`]. Userspace sets the size at load.
#[map]
static REQUESTS_DONE: RingBuf = RingBuf::with_byte_size(4096, 0);

/// The request that a CPU queued last, and by which thread: what a birth right after it is for.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Last {
    pub(super) queued_ns: u64,
    pub(super) tid: u32,
    pub(super) fd: i32,
    pub(super) opcode: u8,
    pub(super) class: u8,
    reserved: [u8; 6],
}

/// See [`Last`].
#[map]
static LAST: PerCpuArray<Last> = PerCpuArray::with_max_entries(1, 0);

/// A request that goes to io-wq.
pub(super) struct Queued {
    pub(super) request: u64,
    pub(super) opcode: u8,
    pub(super) flags: u32,
    pub(super) work_flags: u32,
    pub(super) hashed: bool,
    /// Descriptor or index that it names; [`FD_UNKNOWN`] if the kernel does not show it.
    pub(super) fd: u32,
}

/// A request is about to be issued, in the context of its submitter.
#[inline(always)]
pub(super) fn submitted(tgid: u32, opcode: u8, flags: u32) {
    let class = if flags & FORCE_ASYNC == 0 { 0 } else { CLASS_FORCED };
    let op = OpKey { tgid, opcode, class, reserved: 0 };
    let Some(counts) = counts(&op) else { return lose(TRACE_LOST_OPS) };
    // SAFETY: the pointer is to this CPU's own counts.
    unsafe { (*counts).entered += 1 };
}

/// A request goes to io-wq, in the context of its submitter or of the worker that had the request
/// before it in a chain.
#[inline(always)]
pub(super) fn queued(queued: Queued) {
    let Some((tgid, tid)) = current() else { return };
    let Queued { request, opcode, fd, .. } = queued;
    let op = OpKey { tgid, opcode, class: class(&queued), reserved: 0 };
    let registered = queued.flags & FIXED_FILE != 0;
    // SAFETY: the helper has no requirement.
    let queued_ns = unsafe { bpf_ktime_get_ns() };
    let last_fd = if registered { -1 } else { fd as i32 };
    remember(Last { queued_ns, tid, fd: last_fd, opcode, class: op.class, reserved: [0; 6] });
    let Some(counts) = counts(&op) else { return lose(TRACE_LOST_OPS) };
    let weight = if queued.flags & CQE_SKIP != 0 {
        // SAFETY: the pointer is to this CPU's own counts.
        unsafe { (*counts).silent += 1 };
        0
    } else {
        weight(counts)
    };
    if weight > 0 {
        match flights::claim(request) {
            // A request that waited in a poll is queued again.
            // SAFETY: the row is this request's.
            Some((row, true)) if unsafe { (*row).op } == op => return,
            // SAFETY: likewise.
            Some((row, _)) => unsafe {
                let (flags, weight) = (u16::from(registered), weight as u16);
                *row = Flight { queued_ns, op, fd, flags, weight, ..Flight::of(request) };
            },
            None => {
                lose(TRACE_LOST_FLIGHTS);
                // SAFETY: the pointer is to this CPU's own counts.
                unsafe { (*counts).silent += weight };
            }
        }
        // SAFETY: the pointer is to this CPU's own counts.
        unsafe { (*counts).pending -= weight - 1 };
    }
    // SAFETY: the pointer is to this CPU's own counts.
    unsafe { (*counts).entered += 1 };
    if fd != FD_UNKNOWN {
        let flags = if registered { FILE_REGISTERED } else { 0 };
        match file_count(&FileKey { op, fd, flags }) {
            // SAFETY: the pointer is to this CPU's own count.
            Some(count) => unsafe { *count += 1 },
            None => lose(TRACE_LOST_FILES),
        }
    }
}

/// How many requests of an op one stands for; 0 if it stands behind the next that is followed. Following
/// each would cost most of what a burst of requests costs, as they end on another CPU. Those that a burst
/// leaves behind wait for the next burst: a request after it is not one of them.
#[inline(always)]
fn weight(counts: *mut OpCounts) -> u64 {
    // SAFETY: the helper has no requirement.
    let tick = unsafe { bpf_jiffies64() };
    // SAFETY: the pointer is to this CPU's own counts.
    unsafe {
        (*counts).in_tick = if (*counts).tick == tick { (*counts).in_tick + 1 } else { 1 };
        (*counts).tick = tick;
        if (*counts).in_tick <= BURST || TRACE_REQUESTS.load() != 0 {
            return 1;
        }
        let pending = (*counts).pending;
        if pending + 1 < FOLLOWED {
            (*counts).pending = pending + 1;
            return 0;
        }
        pending + 1
    }
}

/// Remembers the request that this CPU queued last.
#[inline(always)]
fn remember(queued: Last) {
    if let Some(last) = LAST.get_ptr_mut(0) {
        // SAFETY: the pointer is this CPU's own element, and requests are queued one by one on it.
        unsafe { *last = queued };
    }
}

/// Bits `CLASS_*` of a request that goes to io-wq.
#[inline(always)]
fn class(queued: &Queued) -> u8 {
    let mut class = CLASS_QUEUED;
    if queued.flags & FORCE_ASYNC != 0 {
        class |= CLASS_FORCED;
    }
    if queued.hashed {
        class |= CLASS_HASHED;
    }
    if queued.work_flags & WORK_UNBOUND != 0 {
        class |= CLASS_UNBOUNDED;
    }
    class
}

/// A worker takes a request up, in its own context.
#[inline(always)]
pub(super) fn started(request: u64) {
    let Some(flight) = flights::find(request) else { return };
    // SAFETY: the row is this request's, which this worker has now. The helper has no requirement.
    unsafe { (*flight).started_ns = bpf_ktime_get_ns() };
}

/// A request completes, in the context of its submitter or of a worker.
#[inline(always)]
pub(super) fn completed(request: u64, result: impl FnOnce() -> Option<i32>) {
    if request == 0 {
        return;
    }
    let Some(row) = flights::find(request) else { return };
    // SAFETY: the row is this request's, which completes once.
    let flight = unsafe { *row };
    // SAFETY: likewise; from here on it is free.
    unsafe { (&raw mut (*row).request).write_volatile(0) };
    let Some(result) = result() else { return };
    // SAFETY: the helper has no requirement.
    let done_ns = unsafe { bpf_ktime_get_ns() };
    let time_ns = done_ns.saturating_sub(flight.queued_ns);
    if TRACE_REQUESTS.load() != 0 {
        let tid = bpf_get_current_pid_tgid() as u32;
        let event = RequestEvent { flight, done_ns, tid, result };
        if REQUESTS_DONE.output::<RequestEvent>(event, u64::from(BPF_RB_NO_WAKEUP)).is_err() {
            lose(TRACE_LOST_REQUESTS);
        }
    }
    let Some(counts) = counts(&flight.op) else { return lose(TRACE_LOST_OPS) };
    let weight = u64::from(flight.weight);
    // SAFETY: the pointer is to this CPU's own counts.
    unsafe {
        (*counts).done += weight;
        if result < 0 {
            (*counts).failed += weight;
        }
        (*counts).time_ns_sum += weight * time_ns;
        if time_ns > (*counts).time_ns_max {
            (*counts).time_ns_max = time_ns;
        }
        count(&raw mut (*counts).buckets, time_ns, flight.weight);
        if flight.started_ns != 0 {
            let wait_ns = flight.started_ns.saturating_sub(flight.queued_ns);
            (*counts).started += weight;
            (*counts).wait_ns_sum += weight * wait_ns;
            if wait_ns > (*counts).wait_ns_max {
                (*counts).wait_ns_max = wait_ns;
            }
            count(&raw mut (*counts).wait_buckets, wait_ns, flight.weight);
        }
    }
}

/// Counts a time, as often as it stands for.
///
/// # Safety
///
/// No other CPU may write there.
#[inline(always)]
unsafe fn count(buckets: *mut [u32; BUCKETS], time_ns: u64, weight: u16) {
    // SAFETY: the caller's; the bucket is in range.
    unsafe { *buckets.cast::<u32>().add(bucket(time_ns)) += u32::from(weight) };
}

/// The request that this thread queued last on this CPU, once.
#[inline(always)]
pub(super) fn take_last(tid: u32) -> Option<Last> {
    let last = LAST.get_ptr_mut(0)?;
    // SAFETY: the pointer is this CPU's own element.
    unsafe {
        let found = *last;
        if found.tid != tid {
            return None;
        }
        (*last).tid = 0;
        Some(found)
    }
}
