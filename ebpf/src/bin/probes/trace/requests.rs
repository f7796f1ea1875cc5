//! Requests of traced processes: submitted, queued for a worker, completed.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_ktime_get_ns};
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::PerCpuArray;
use aya_ebpf::programs::TracePointContext;
use iowq_ebpf::trace::{
    CLASS_FORCED, CLASS_HASHED, CLASS_QUEUED, CLASS_UNBOUNDED, FD_UNKNOWN, FILE_REGISTERED,
    FileKey, Flight, OpCounts, OpKey, RequestEvent, TRACE_LOST_FILES, TRACE_LOST_FLIGHTS,
    TRACE_LOST_OPS, TRACE_LOST_REQUESTS, bucket,
};

use super::tables::{
    FILES, FLIGHTS, OPS, REQUESTS_DONE, TRACE_REQUESTS, current, lose, read, read_at,
};

/// Offset of `opcode` in `io_uring:io_uring_submit_req`.
#[unsafe(no_mangle)]
static SUBMIT_OPCODE: Global<u32> = Global::new(0);
/// Offset of `flags` in it.
#[unsafe(no_mangle)]
static SUBMIT_FLAGS: Global<u32> = Global::new(0);
/// Offset of `req` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static PUNT_REQ: Global<u32> = Global::new(0);
/// Offset of `opcode` in it.
#[unsafe(no_mangle)]
static PUNT_OPCODE: Global<u32> = Global::new(0);
/// Offset of `flags` in it.
#[unsafe(no_mangle)]
static PUNT_FLAGS: Global<u32> = Global::new(0);
/// Offset of `work` in it.
#[unsafe(no_mangle)]
static PUNT_WORK: Global<u32> = Global::new(0);
/// Offset of `rw` in it: not 0 for hashed work.
#[unsafe(no_mangle)]
static PUNT_RW: Global<u32> = Global::new(0);
/// Offset of `req` in `io_uring:io_uring_complete`.
#[unsafe(no_mangle)]
static DONE_REQ: Global<u32> = Global::new(0);
/// Offset of `res` in it.
#[unsafe(no_mangle)]
static DONE_RES: Global<u32> = Global::new(0);
/// Offset of the descriptor in a request, where the kernel's BTF says so; else 0, which is where a
/// request has something else.
#[unsafe(no_mangle)]
static REQ_FD: Global<u32> = Global::new(0);

/// Bits of a request's flags: `REQ_F_FIXED_FILE` and `REQ_F_FORCE_ASYNC`, which are those of
/// `IOSQE_FIXED_FILE` and `IOSQE_ASYNC`.
const FIXED_FILE: u32 = 1 << 0;
const FORCE_ASYNC: u32 = 1 << 4;

/// Offset of `flags` in a work, and the bit that says that it is unbounded: the same in Linux 6.1
/// to 6.18.
const WORK_FLAGS: u32 = 8;
const WORK_UNBOUND: u32 = 1 << 2;

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

/// What a new element of `OPS` begins with: too large for the stack.
static NOTHING: OpCounts = OpCounts::ZERO;

/// A request is about to be issued, in the context of its submitter.
#[tracepoint]
pub(crate) fn trace_submitted(ctx: TracePointContext) -> u32 {
    let Some((tgid, _)) = current() else { return 0 };
    let Some(opcode) = read::<u8>(&ctx, &SUBMIT_OPCODE) else { return 0 };
    let Some(flags) = read::<u32>(&ctx, &SUBMIT_FLAGS) else { return 0 };
    let class = if flags & FORCE_ASYNC == 0 { 0 } else { CLASS_FORCED };
    enter(&OpKey { tgid, opcode, class, reserved: 0 });
    0
}

/// A request goes to io-wq, in the context of its submitter or of the worker that had the request
/// before it in a chain.
#[tracepoint]
pub(crate) fn trace_queued(ctx: TracePointContext) -> u32 {
    let Some((tgid, tid)) = current() else { return 0 };
    let Some(request) = read::<u64>(&ctx, &PUNT_REQ) else { return 0 };
    let Some(opcode) = read::<u8>(&ctx, &PUNT_OPCODE) else { return 0 };
    let Some(flags) = read::<u32>(&ctx, &PUNT_FLAGS) else { return 0 };
    let Some(rw) = read::<i32>(&ctx, &PUNT_RW) else { return 0 };
    let Some(work) = read::<u64>(&ctx, &PUNT_WORK) else { return 0 };
    let Some(work_flags) = read_at::<u32>(work, WORK_FLAGS) else { return 0 };
    let mut class = CLASS_QUEUED;
    if flags & FORCE_ASYNC != 0 {
        class |= CLASS_FORCED;
    }
    if rw != 0 {
        class |= CLASS_HASHED;
    }
    if work_flags & WORK_UNBOUND != 0 {
        class |= CLASS_UNBOUNDED;
    }
    let op = OpKey { tgid, opcode, class, reserved: 0 };
    enter(&op);
    let fd = if REQ_FD.load() == 0 { None } else { read_at::<u32>(request, REQ_FD.load()) };
    let fd = fd.unwrap_or(FD_UNKNOWN);
    let flags = if flags & FIXED_FILE == 0 { 0 } else { FILE_REGISTERED };
    if fd != FD_UNKNOWN {
        count_file(&FileKey { op, fd, flags });
    }
    // SAFETY: the helper has no requirement.
    let queued_ns = unsafe { bpf_ktime_get_ns() };
    if FLIGHTS.insert(request, Flight { queued_ns, op, fd, flags }, 0).is_err() {
        lose(TRACE_LOST_FLIGHTS);
    }
    if let Some(last) = LAST.get_ptr_mut(0) {
        let fd = if flags == 0 { fd as i32 } else { -1 };
        // SAFETY: the pointer is this CPU's own element, and requests are queued one by one on it.
        unsafe { *last = Last { queued_ns, tid, fd, opcode, class, reserved: [0; 6] } };
    }
    0
}

/// A request completes, in the context of its submitter or of a worker.
#[tracepoint]
pub(crate) fn trace_completed(ctx: TracePointContext) -> u32 {
    let Some(request) = read::<u64>(&ctx, &DONE_REQ) else { return 0 };
    // SAFETY: the flight is copied at once, and a request completes once.
    let Some(flight) = unsafe { FLIGHTS.get(request) }.copied() else { return 0 };
    let _ = FLIGHTS.remove(request);
    let Some(result) = read::<i32>(&ctx, &DONE_RES) else { return 0 };
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
    let Some(counts) = counts(&flight.op) else { return 0 };
    // SAFETY: the pointer is to this CPU's own element, and the bucket is in range.
    unsafe {
        (*counts).done += 1;
        (*counts).failed += u64::from(result < 0);
        (*counts).time_ns_sum += time_ns;
        if time_ns > (*counts).time_ns_max {
            (*counts).time_ns_max = time_ns;
        }
        let bucket = (&raw mut (*counts).buckets).cast::<u32>().add(bucket(time_ns));
        *bucket += 1;
    }
    0
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

/// Counts a request that enters a class.
#[inline(always)]
fn enter(op: &OpKey) {
    if let Some(counts) = counts(op) {
        // SAFETY: the pointer is to this CPU's own element.
        unsafe { (*counts).entered += 1 };
    }
}

/// This CPU's counts of an op, which are made where there are none.
#[inline(always)]
fn counts(op: &OpKey) -> Option<*mut OpCounts> {
    if let Some(counts) = OPS.get_ptr_mut(op) {
        return Some(counts);
    }
    if OPS.insert(op, &NOTHING, 0).is_err() {
        lose(TRACE_LOST_OPS);
        return None;
    }
    OPS.get_ptr_mut(op)
}

/// Counts a request that works on a file.
#[inline(always)]
fn count_file(file: &FileKey) {
    if let Some(count) = FILES.get_ptr_mut(file) {
        // SAFETY: the pointer is to this CPU's own element.
        unsafe { *count += 1 };
    } else if FILES.insert(file, 1, 0).is_err() {
        lose(TRACE_LOST_FILES);
    }
}
