//! Reading the kernel's structs, which are arguments of bare trace points, at offsets from its BTF.

use aya_ebpf::Global;

/// Reads a member of a struct that is an argument.
#[inline(always)]
pub(crate) fn member<T: Copy>(structure: *const u8, at: &Global<u32>) -> T {
    // SAFETY: the verifier knows the struct, and the place as a constant. The kernel reads 0 if the
    // address is wrong.
    unsafe { structure.add(at.load() as usize).cast::<T>().read_volatile() }
}
