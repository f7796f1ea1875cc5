//! Reading what an event says, at an offset that userspace found out.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use aya_ebpf::{EbpfContext, Global};
use iowq_ebpf::LOST_UNREADABLE;

use crate::maps::lose;

/// Reads a field of the event, and counts it where it cannot be read.
#[inline(always)]
pub(crate) fn read<T>(ctx: &impl EbpfContext, at: &Global<u32>) -> Option<T> {
    let address = ctx.as_ptr().wrapping_byte_add(at.load() as usize);
    // SAFETY: the helper checks the address and fails where it cannot be read.
    match unsafe { bpf_probe_read_kernel(address.cast::<T>()) } {
        Ok(value) => Some(value),
        Err(_) => {
            lose(LOST_UNREADABLE);
            None
        }
    }
}
