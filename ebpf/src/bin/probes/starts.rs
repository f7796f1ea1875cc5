//! The moment at which a worker takes a request up. No trace event tells, so this takes a kprobe.
//!
//! The function is called with the work, which is a member of the request at an offset that the kernel's
//! BTF has. Without BTF the queueing event, which has both, remembers the request of each work.

use aya_ebpf::Global;
use aya_ebpf::macros::{kprobe, map, tracepoint};
use aya_ebpf::maps::HashMap;
use aya_ebpf::programs::{ProbeContext, TracePointContext};

use crate::KEEP;
use crate::event::{read, read_at};
use crate::maps::current_tid;
use crate::requests::{STARTED_AT, is_timed, stamp};

/// User data of requests by the address of their work, while they are queued. Userspace sets the size
/// at load.
#[map]
static WORKS: HashMap<u64, u64> = HashMap::with_max_entries(1, 0);

/// Offset of `user_data` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static WORK_USER_DATA: Global<u32> = Global::new(0);
/// Offset of `work` in `io_uring:io_uring_queue_async_work`.
#[unsafe(no_mangle)]
static WORK_ADDRESS: Global<u32> = Global::new(0);
/// Offset of a function's first argument among the saved registers.
#[unsafe(no_mangle)]
static FIRST_ARGUMENT: Global<u32> = Global::new(0);
/// By how much a request's user data is before its work, in bytes; 0 if that is not known.
#[unsafe(no_mangle)]
static WORK_BEHIND_USER_DATA: Global<u32> = Global::new(0);

/// A request goes to io-wq: remembers whose the work is.
#[tracepoint]
pub(crate) fn work_queued(ctx: TracePointContext) -> u32 {
    if current_tid().is_some()
        && let Some(user_data) = read::<u64>(&ctx, &WORK_USER_DATA)
        // Others would fill the map.
        && is_timed(user_data)
        && let Some(work) = read::<u64>(&ctx, &WORK_ADDRESS)
    {
        // Where there is no room, the start stays unknown.
        let _ = WORKS.insert(work, user_data, 0);
    }
    KEEP
}

/// A worker calls `io_wq_submit_work`, in its own context.
#[kprobe]
pub(crate) fn work_started(ctx: ProbeContext) -> u32 {
    if current_tid().is_some()
        && let Some(work) = read::<u64>(&ctx, &FIRST_ARGUMENT)
        && let Some(user_data) = user_data(work)
    {
        stamp(&STARTED_AT, user_data);
    }
    KEEP
}

/// The user data of the request that a work is of.
#[inline(always)]
fn user_data(work: u64) -> Option<u64> {
    // The verifier knows the number, and leaves out what is not for this kernel.
    match u64::from(WORK_BEHIND_USER_DATA.load()) {
        0 => {
            // SAFETY: the number is copied at once. Only this program removes it, and a work starts once.
            let user_data = unsafe { WORKS.get(work) }.copied()?;
            let _ = WORKS.remove(work);
            Some(user_data)
        }
        behind => read_at(work - behind),
    }
}
