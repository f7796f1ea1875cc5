//! The programs of [`super::requests`] on bare trace points, which cost half: the kernel writes no record
//! of the event first, and the verifier knows its structs, so that reading one takes no call.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use crate::event::member;
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
#[btf_tracepoint]
pub(crate) fn request_queued_raw(ctx: BtfTracePointContext) -> i32 {
    if current_tid().is_some() {
        let request = ctx.arg::<*const u8>(0);
        let (user_data, flags) =
            (member(request, &REQ_USER_DATA), member(request, &REQ_WORK_FLAGS));
        queued(user_data, flags, || Some(ctx.arg::<i32>(1) != 0));
    }
    0
}

/// A request completes. Arguments: its ring, itself, and its user data, or the address of its
/// completion.
#[btf_tracepoint]
pub(crate) fn request_completed_raw(ctx: BtfTracePointContext) -> i32 {
    // The verifier knows the number, and leaves out what is not for this kernel.
    completed(match COMPLETE_BY_ADDRESS.load() {
        0 => ctx.arg::<u64>(2),
        _ => member(ctx.arg::<*const u8>(2), &CQE_USER_DATA),
    });
    0
}
