//! What a trace is limited to, its ring of events, and its loss counters.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_probe_read_kernel};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, PerCpuArray, RingBuf};
use iowq_ebpf::trace::{TRACE_LOST_CAUSES, TRACE_LOST_UNREADABLE};

/// 1 if only processes of [`TRACED`] are traced, else 0 for all.
#[unsafe(no_mangle)]
pub(super) static TRACE_SOME: Global<u32> = Global::new(0);

/// Processes to trace. Userspace inserts them, and the programs their children.
#[map]
pub(super) static TRACED: HashMap<u32, u8> = HashMap::with_max_entries(1, BPF_F_NO_PREALLOC);

/// Births, exits and what changes about processes. Userspace sets the size at load.
#[map]
pub(super) static LIVES: RingBuf = RingBuf::with_byte_size(4096, 0);

/// What was not recorded, by cause. Per CPU, so that counting is a plain addition.
#[map]
static TRACE_LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(TRACE_LOST_CAUSES, 0);

/// Counts something that was not recorded.
pub(super) fn lose(cause: u32) {
    if let Some(count) = TRACE_LOST.get_ptr_mut(cause) {
        // SAFETY: the pointer is this CPU's own element; a program that interrupts this one here
        // could cost one count.
        unsafe { *count += 1 };
    }
}

/// Process and thread of the context, where the process is traced.
#[inline(always)]
pub(super) fn current() -> Option<(u32, u32)> {
    let ids = bpf_get_current_pid_tgid();
    let tgid = (ids >> 32) as u32;
    is_traced(tgid).then_some((tgid, ids as u32))
}

#[inline(always)]
fn is_traced(tgid: u32) -> bool {
    // SAFETY: whether there is an element is all that is asked.
    TRACE_SOME.load() == 0 || unsafe { TRACED.get(tgid) }.is_some()
}

/// Reads from an address of the kernel, and counts it where it cannot be read.
#[inline(always)]
pub(super) fn read_at<T>(address: u64, offset: u32) -> Option<T> {
    // SAFETY: the helper checks the address and fails where it cannot be read.
    match unsafe { bpf_probe_read_kernel((address + u64::from(offset)) as *const T) } {
        Ok(value) => Some(value),
        Err(_) => {
            lose(TRACE_LOST_UNREADABLE);
            None
        }
    }
}
