//! Whether a worker of the kernel's io-wq is for bounded or unbounded work.
//!
//! The worker knows, and where its struct says so differs between kernels; userspace reads it from
//! the kernel's BTF. Where there is none, what was queued for either account says as much if
//! nothing was queued for the other.

use aya_ebpf::Global;
use aya_ebpf::helpers::bpf_get_current_task;
use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use iowq_ebpf::kernel::{WORK_FLAGS, WORK_UNBOUND};
use iowq_ebpf::{
    ACCOUNT_BOUNDED, ACCOUNT_BY_FLAG, ACCOUNT_BY_NOTHING, ACCOUNT_UNBOUNDED, ACCOUNTS,
};

use crate::event::read_at;

/// How to find it, a number of `iowq_ebpf`.
#[unsafe(no_mangle)]
static ACCOUNT_BY: Global<u32> = Global::new(0);
/// Offset of `worker_private` in `task_struct`.
#[unsafe(no_mangle)]
static TASK_WORKER: Global<u32> = Global::new(0);
/// Offset of `flags` in `io_worker`.
#[unsafe(no_mangle)]
static WORKER_FLAGS: Global<u32> = Global::new(0);
/// Offset of `acct` in `io_worker`.
#[unsafe(no_mangle)]
static WORKER_ACCT: Global<u32> = Global::new(0);
/// Offset of `wq` in `io_worker`.
#[unsafe(no_mangle)]
static WORKER_WQ: Global<u32> = Global::new(0);
/// Offset of the bounded account in `io_wq`.
#[unsafe(no_mangle)]
static WQ_ACCT: Global<u32> = Global::new(0);

/// Works queued, by account. Per CPU, so that counting is a plain addition.
#[map]
static QUEUED: PerCpuArray<u64> = PerCpuArray::with_max_entries(ACCOUNTS as u32, 0);

/// The bit of a worker's flags that says that it is for bounded work.
const WORKER_BOUND: u32 = 1 << 3;

/// The account of the current thread, where it is a worker of io-wq; else 0.
#[inline(always)]
pub(crate) fn of_current() -> u32 {
    let Some(worker) = worker() else { return 0 };
    let bounded = if ACCOUNT_BY.load() == ACCOUNT_BY_FLAG {
        read::<u32>(worker, &WORKER_FLAGS).map(|flags| flags & WORKER_BOUND != 0)
    } else {
        let first = read::<u64>(worker, &WORKER_WQ).map(|wq| wq + u64::from(WQ_ACCT.load()));
        let own = read::<u64>(worker, &WORKER_ACCT);
        first.zip(own).map(|(first, own)| first == own)
    };
    match bounded {
        None => 0,
        Some(true) => ACCOUNT_BOUNDED,
        Some(false) => ACCOUNT_UNBOUNDED,
    }
}

/// Address of the worker that the current thread is, where that can be told.
#[inline(always)]
pub(crate) fn worker() -> Option<u64> {
    if ACCOUNT_BY.load() == ACCOUNT_BY_NOTHING {
        return None;
    }
    // SAFETY: the helper has no requirement.
    let task = unsafe { bpf_get_current_task() };
    // No other thread of a process has anything there.
    read(task, &TASK_WORKER).filter(|worker| *worker != 0)
}

/// The flags of a work.
#[inline(always)]
pub(crate) fn work_flags(work: u64) -> Option<u32> {
    read_at(work + u64::from(WORK_FLAGS))
}

/// Counts a work that is queued, by its flags.
#[inline(always)]
pub(crate) fn count_queued(flags: u32) {
    let account = u32::from(flags & WORK_UNBOUND != 0);
    if let Some(count) = QUEUED.get_ptr_mut(account) {
        // SAFETY: the pointer is this CPU's own element, and requests are queued one by one on it.
        unsafe { *count += 1 };
    }
}

/// Reads at an offset from an address, and counts it where that cannot be read.
#[inline(always)]
pub(crate) fn read<T>(from: u64, offset: &Global<u32>) -> Option<T> {
    read_at(from + u64::from(offset.load()))
}
