//! Tables of counts that are arrays, in which the hash of a key names the row: a look costs no call.
//!
//! Userspace maps them, and frees the rows of processes that are over. A row begins with its key, of
//! whole words; a first word of 0 is that of no key.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use iowq_ebpf::trace::{FileKey, FileRow, OpCounts, OpKey, OpRow, PROBES};

/// Counts and times of ops. Userspace sets the sizes of the tables at load.
#[map]
static OPS: Array<OpRow> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// Rows of [`OPS`] for each CPU: a power of two.
#[unsafe(no_mangle)]
static OPS_ROWS: Global<u32> = Global::new(1);

/// Requests that went to io-wq, by what they work on.
#[map]
static FILES: Array<FileRow> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// Rows of [`FILES`] for each CPU: a power of two.
#[unsafe(no_mangle)]
static FILES_ROWS: Global<u32> = Global::new(1);

/// This CPU's counts of an op; `None` if there is no room.
#[inline(always)]
pub(super) fn counts(op: &OpKey) -> Option<*mut OpCounts> {
    let row = row(&OPS, OPS_ROWS.load(), [word(op)])?;
    // SAFETY: the pointer is to a row.
    Some(unsafe { &raw mut (*row).counts })
}

/// This CPU's count of the requests for a file; `None` if there is no room.
#[inline(always)]
pub(super) fn file_count(file: &FileKey) -> Option<*mut u64> {
    let place = u64::from(file.fd) | u64::from(file.flags) << 32;
    let row = row(&FILES, FILES_ROWS.load(), [word(&file.op), place])?;
    // SAFETY: the pointer is to a row.
    Some(unsafe { &raw mut (*row).count })
}

/// An op as it is in memory.
#[inline(always)]
fn word(op: &OpKey) -> u64 {
    u64::from(op.tgid) | u64::from(op.opcode) << 32 | u64::from(op.class) << 40
}

/// The row that has the key on this CPU, or a free one, which has it from now on.
#[inline(always)]
fn row<R, const WORDS: usize>(table: &Array<R>, rows: u32, key: [u64; WORDS]) -> Option<*mut R> {
    // SAFETY: the helper has no requirement.
    let own = unsafe { bpf_get_smp_processor_id() } * rows;
    let first = hash(&key);
    for nth in 0..PROBES {
        let row = table.get_ptr_mut(own + ((first + nth) & (rows - 1)))?;
        // SAFETY: a row begins with its key, and only programs on this CPU write a key to it.
        let found = unsafe { row.cast::<[u64; WORDS]>().read() };
        if (0..WORDS).all(|at| found[at] == key[at]) {
            return Some(row);
        }
    }
    for nth in 0..PROBES {
        let row = table.get_ptr_mut(own + ((first + nth) & (rows - 1)))?;
        // SAFETY: likewise; userspace frees a row when all else of it is 0.
        unsafe {
            if row.cast::<u64>().read() == 0 {
                row.cast::<[u64; WORDS]>().write(key);
                return Some(row);
            }
        }
    }
    None
}

/// Bits that differ where keys do, as Fibonacci hashing has them.
#[inline(always)]
pub(super) fn hash(key: &[u64]) -> u32 {
    let mixed = key.iter().fold(0u64, |mixed, word| {
        (mixed ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
    });
    mixed as u32
}
