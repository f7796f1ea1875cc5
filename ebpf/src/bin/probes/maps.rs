//! What the programs share with userspace: the maps, the task group to watch, the loss counters.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, PerCpuArray, RingBuf};
use iowq_ebpf::{LOST_CAUSES, SLOTS_MAX, Shared};

/// The task group whose threads are watched.
#[unsafe(no_mangle)]
pub(crate) static TGID: Global<u32> = Global::new(0);

/// Thread events. Userspace sets the size at load.
#[map]
pub(crate) static THREADS: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// Block events. Userspace sets the size at load.
#[map]
pub(crate) static BLOCKS: RingBuf = RingBuf::with_byte_size(1 << 18, 0);

/// Records that could not be submitted, by cause. Per CPU, so that counting is a plain addition.
#[map]
pub(crate) static LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(LOST_CAUSES, 0);

/// The page that userspace maps too.
#[map]
pub(crate) static SHARED: Array<Shared> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Index of a worker's slot by its thread id. Twice as large as needed: a worker that starts may
/// overtake one that is leaving.
#[map]
pub(crate) static SLOT_OF: HashMap<u32, u32> = HashMap::with_max_entries(2 * SLOTS_MAX as u32, 0);

/// Counts a record that could not be submitted.
pub(crate) fn lose(cause: u32) {
    if let Some(count) = LOST.get_ptr_mut(cause) {
        // SAFETY: the pointer is this CPU's own element. A program that interrupts this one here
        // could cost one count, never more; tracepoints of a thread's life do not nest.
        unsafe { *count += 1 };
    }
}

/// The current thread's id where it belongs to the watched group.
#[inline(always)]
pub(crate) fn current_tid() -> Option<u32> {
    let ids = bpf_get_current_pid_tgid();
    ((ids >> 32) as u32 == TGID.load()).then_some(ids as u32)
}
