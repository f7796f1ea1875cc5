//! What the programs share with userspace: the maps, the task group to watch, the loss counters.

use aya_ebpf::Global;
use aya_ebpf::bindings::{BPF_F_MMAPABLE, bpf_pidns_info};
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_get_ns_current_pid_tgid};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, PerCpuArray, RingBuf};
use iowq_ebpf::{LOST_CAUSES, SLOTS_MAX, Shared};

/// The task group whose threads are watched, by its id in its own PID namespace.
#[unsafe(no_mangle)]
static TGID: Global<u32> = Global::new(0);
/// Device of the file that stands for that namespace, as the kernel encodes it.
#[unsafe(no_mangle)]
static NAMESPACE_DEV: Global<u64> = Global::new(0);
/// Inode of that file; 0 for the machine's first namespace, whose ids all events have.
#[unsafe(no_mangle)]
static NAMESPACE_INO: Global<u64> = Global::new(0);

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

/// The machine's id of a watched thread by its id in its own namespace, from when it names itself to
/// its exit. Userspace sets the size at load.
#[map]
static TIDS: HashMap<u32, u32> = HashMap::with_max_entries(1, 0);

/// Index of a worker's slot by its thread id, the machine's. Twice as large as needed: a worker that starts may
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

/// The current thread's id where it belongs to the watched group: the machine's, as in all events.
#[inline(always)]
pub(crate) fn current_tid() -> Option<u32> {
    current_ids().map(|(tid, _)| tid)
}

/// Remembers the current thread's ids, if userspace does not know the machine's.
#[inline(always)]
pub(crate) fn remember_tid() {
    if NAMESPACE_INO.load() != 0
        && let Some((tid, own)) = current_ids()
    {
        // Userspace sees what is missing, if there is no room.
        let _ = TIDS.insert(own, tid, 0);
    }
}

/// Forgets them: another thread may have either next.
#[inline(always)]
pub(crate) fn forget_tid() {
    if NAMESPACE_INO.load() != 0
        && let Some((_, own)) = current_ids()
    {
        let _ = TIDS.remove(own);
    }
}

/// The current thread's id, the machine's and that in its namespace, where it belongs to the
/// watched group.
#[inline(always)]
fn current_ids() -> Option<(u32, u32)> {
    let ids = bpf_get_current_pid_tgid();
    let (tgid, tid) = ((ids >> 32) as u32, ids as u32);
    let inode = NAMESPACE_INO.load();
    // The verifier knows the number, and leaves out what is not for it.
    if inode == 0 {
        return (tgid == TGID.load()).then_some((tid, tid));
    }
    let mut own = bpf_pidns_info { pid: 0, tgid: 0 };
    let size = size_of::<bpf_pidns_info>() as u32;
    // SAFETY: the helper writes that many bytes. It fails in any other namespace.
    let failed =
        unsafe { bpf_get_ns_current_pid_tgid(NAMESPACE_DEV.load(), inode, &mut own, size) };
    (failed == 0 && own.tgid == TGID.load()).then_some((tid, own.pid))
}
