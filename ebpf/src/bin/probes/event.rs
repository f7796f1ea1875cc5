//! Reading what an event says, or a struct that is its argument, at an offset that userspace found out.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use aya_ebpf::{EbpfContext, Global};
use iowq_ebpf::LOST_UNREADABLE;

use crate::maps::lose;

/// Reads a field of the event, and counts it where it cannot be read.
#[inline(always)]
pub(crate) fn read<T>(ctx: &impl EbpfContext, at: &Global<u32>) -> Option<T> {
    read_at(ctx.as_ptr() as u64 + u64::from(at.load()))
}

/// Reads at an address, and counts it where that cannot be read.
#[inline(always)]
pub(crate) fn read_at<T>(address: u64) -> Option<T> {
    // SAFETY: the helper checks the address and fails where it cannot be read.
    match unsafe { bpf_probe_read_kernel(address as *const T) } {
        Ok(value) => Some(value),
        Err(_) => {
            lose(LOST_UNREADABLE);
            None
        }
    }
}

/// Reads a member of a struct that is an argument.
#[inline(always)]
pub(crate) fn member<T: Copy>(structure: *const u8, at: &Global<u32>) -> T {
    // SAFETY: the verifier knows the struct, and the place as a constant. The kernel reads 0 if the
    // address is wrong.
    unsafe { structure.add(at.load() as usize).cast::<T>().read_volatile() }
}
