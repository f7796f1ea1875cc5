//! The programs on bare trace points: what they need is in the kernel's structs, at offsets that the
//! kernel's BTF tells.
//!
//! They cost half of those on events, for which the kernel writes a record first. And they run
//! also where another BPF program or a system call on a BPF map is under way on the CPU.

use aya_ebpf::helpers::{bpf_get_current_comm, bpf_probe_read_kernel_str_bytes};
use aya_ebpf::macros::{btf_tracepoint, fentry, map};
use aya_ebpf::maps::PerCpuArray;
use aya_ebpf::programs::{BtfTracePointContext, FEntryContext};
use aya_ebpf::{EbpfContext as _, Global};

use super::lives::Comm;
use super::requests::Queued;
use super::tables::{current, read_at};
use super::{lives, requests};
use crate::event::member;

/// Offset of `pid` in `task_struct`.
#[unsafe(no_mangle)]
static BARE_TASK_PID: Global<u32> = Global::new(0);
/// Offset of `opcode` in `io_kiocb`.
#[unsafe(no_mangle)]
static BARE_REQ_OPCODE: Global<u32> = Global::new(0);
/// Offset of `flags` in it.
#[unsafe(no_mangle)]
static BARE_REQ_FLAGS: Global<u32> = Global::new(0);
/// Offset of `work.flags` in it.
#[unsafe(no_mangle)]
static BARE_REQ_WORK_FLAGS: Global<u32> = Global::new(0);
/// Offset of `work` in it.
#[unsafe(no_mangle)]
static BARE_REQ_WORK: Global<u32> = Global::new(0);
/// Offset of `cqe.fd` in it.
#[unsafe(no_mangle)]
static BARE_REQ_FD: Global<u32> = Global::new(0);
/// Offset of `res` in `io_uring_cqe`, of which `io_uring:io_uring_complete` has the address; 0 where
/// it has the result itself.
#[unsafe(no_mangle)]
static BARE_CQE_RES: Global<u32> = Global::new(0);

/// Offset of `signal` in `task_struct`.
#[unsafe(no_mangle)]
static BARE_TASK_SIGNAL: Global<u32> = Global::new(0);
/// Offset of `live` in `signal_struct`: threads that are not about to leave.
#[unsafe(no_mangle)]
static BARE_SIGNAL_LIVE: Global<u32> = Global::new(0);

#[btf_tracepoint]
pub(crate) fn bare_born(ctx: BtfTracePointContext) -> i32 {
    let task = ctx.arg::<*const u8>(0);
    lives::born(ctx.arg(1), || Some(member(task, &BARE_TASK_PID)), || bpf_get_current_comm().ok());
    0
}

#[btf_tracepoint]
pub(crate) fn bare_named(ctx: BtfTracePointContext) -> i32 {
    let (task, name) = (ctx.arg::<*const u8>(0), ctx.arg::<*const u8>(1));
    lives::named(|| Some(member(task, &BARE_TASK_PID)), || string(name));
    0
}

#[inline(always)]
fn string(address: *const u8) -> Option<Comm> {
    let mut comm = [0; 16];
    // SAFETY: the helper checks the address and fails where it cannot be read.
    unsafe { bpf_probe_read_kernel_str_bytes(address, &mut comm) }.ok()?;
    Some(comm)
}

#[btf_tracepoint]
pub(crate) fn bare_exited(ctx: BtfTracePointContext) -> i32 {
    let signal = member::<*const u8>(ctx.arg(0), &BARE_TASK_SIGNAL);
    let is_last = Some(member::<i32>(signal, &BARE_SIGNAL_LIVE) == 0);
    lives::exited(is_last, || bpf_get_current_comm().ok());
    0
}

#[btf_tracepoint]
pub(crate) fn bare_ring(ctx: BtfTracePointContext) -> i32 {
    lives::ring(ctx.arg(0), ctx.arg(2));
    0
}

#[btf_tracepoint]
pub(crate) fn bare_registered(ctx: BtfTracePointContext) -> i32 {
    lives::registered(ctx.arg(1));
    0
}

#[btf_tracepoint]
pub(crate) fn bare_submitted(ctx: BtfTracePointContext) -> i32 {
    let Some((tgid, _)) = current() else { return 0 };
    let request = ctx.arg::<*const u8>(0);
    requests::submitted(tgid, member(request, &BARE_REQ_OPCODE), member(request, &BARE_REQ_FLAGS));
    0
}

/// Converts a pointer to a scalar: the verifier rejects arithmetic on a pointer to a struct, and loses
/// its type if it is stored to a map and loaded again.
#[map]
static ADDRESS: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

#[inline(always)]
fn address(structure: *const u8) -> Option<u64> {
    let place = ADDRESS.get_ptr_mut(0)?;
    // SAFETY: the pointer is this CPU's own element.
    unsafe {
        place.write_volatile(structure as u64);
        Some(place.read_volatile())
    }
}

#[btf_tracepoint]
pub(crate) fn bare_queued(ctx: BtfTracePointContext) -> i32 {
    let request = ctx.arg::<*const u8>(0);
    let Some(address) = address(request) else { return 0 };
    requests::queued(Queued {
        request: address,
        opcode: member(request, &BARE_REQ_OPCODE),
        flags: member(request, &BARE_REQ_FLAGS),
        work_flags: member(request, &BARE_REQ_WORK_FLAGS),
        hashed: ctx.arg::<i32>(1) != 0,
        fd: member(request, &BARE_REQ_FD),
    });
    0
}

/// A worker calls `io_wq_submit_work`. No trace point tells, so this is an extra.
#[fentry]
pub(crate) fn bare_started(ctx: FEntryContext) -> i32 {
    // The first argument as a number: a worker may be preempted here, and others run meanwhile.
    if let Some(work) = read_at::<u64>(ctx.as_ptr() as u64, 0) {
        requests::started(work - u64::from(BARE_REQ_WORK.load()));
    }
    0
}

#[btf_tracepoint]
pub(crate) fn bare_completed(ctx: BtfTracePointContext) -> i32 {
    requests::completed(ctx.arg::<u64>(1), || {
        // The verifier knows the number, and leaves out what is not for this kernel.
        Some(match BARE_CQE_RES.load() {
            0 => ctx.arg::<i32>(3),
            _ => member(ctx.arg::<*const u8>(2), &BARE_CQE_RES),
        })
    });
    0
}
