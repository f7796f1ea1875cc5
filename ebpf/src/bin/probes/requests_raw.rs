//! The programs of [`super::requests`] on bare trace points, which cost half: the kernel writes no record
//! of the event first.

use aya_ebpf::Global;
use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;

use crate::account::read;
use crate::maps::current_tid;
use crate::requests::{completed, queued};

/// Offset of `cqe.user_data` in `io_kiocb`.
#[unsafe(no_mangle)]
static REQ_USER_DATA: Global<u32> = Global::new(0);
/// Offset of `work.flags` in it.
#[unsafe(no_mangle)]
static REQ_WORK_FLAGS: Global<u32> = Global::new(0);
/// 1 if `io_uring:io_uring_complete` has the address of a completion, 0 if its user data itself.
#[unsafe(no_mangle)]
static COMPLETE_BY_ADDRESS: Global<u32> = Global::new(0);
/// Offset of `user_data` in `io_uring_cqe`.
#[unsafe(no_mangle)]
static CQE_USER_DATA: Global<u32> = Global::new(0);

/// A request goes to io-wq. Arguments: the request, whether it is hashed.
#[raw_tracepoint]
pub(crate) fn request_queued_raw(ctx: RawTracePointContext) -> i32 {
    let request = ctx.arg::<u64>(0);
    if current_tid().is_some()
        && let Some(user_data) = read(request, &REQ_USER_DATA)
        && let Some(flags) = read(request, &REQ_WORK_FLAGS)
    {
        queued(user_data, flags, || Some(ctx.arg::<i32>(1) != 0));
    }
    0
}

/// A request completes. Arguments: its ring, itself, and its user data, or the address of its
/// completion.
#[raw_tracepoint]
pub(crate) fn request_completed_raw(ctx: RawTracePointContext) -> i32 {
    let user_data = ctx.arg::<u64>(2);
    if current_tid().is_some() {
        let user_data = match COMPLETE_BY_ADDRESS.load() {
            0 => Some(user_data),
            _ => read(user_data, &CQE_USER_DATA),
        };
        user_data.into_iter().for_each(completed);
    }
    0
}
