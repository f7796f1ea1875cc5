//! Requests that are in io-wq: a table that all CPUs share, like those in [`super::rows`] else.

use core::arch::asm;

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use iowq_ebpf::trace::{FLIGHT_PROBES, Flight};

use super::rows::hash;

/// Requests that are in io-wq, by address. Userspace sets the size at load.
#[map]
static FLIGHTS: Array<Flight> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// Rows of [`FLIGHTS`]: a power of two.
#[unsafe(no_mangle)]
static FLIGHTS_ROWS: Global<u32> = Global::new(1);

/// The row of a request that is in io-wq.
///
/// Only the CPU that handles a request writes to its row, and one CPU at a time handles it.
#[inline(always)]
pub(super) fn find(request: u64) -> Option<*mut Flight> {
    rows(request, |row| {
        // SAFETY: the pointer is to a row.
        unsafe { (&raw const (*row).request).read_volatile() == request }
    })
}

/// The row that the request has, or a free one, which is its own from now on; `None` if there is no
/// room. Whether it had it before.
#[inline(always)]
pub(super) fn claim(request: u64) -> Option<(*mut Flight, bool)> {
    let mut had = false;
    let row = rows(request, |row| {
        // Another CPU wrote the row last, so that a look before the write would fetch it twice.
        // SAFETY: the pointer is to a row.
        let found = unsafe { compare_exchange(&raw mut (*row).request, 0, request) };
        had = found == request;
        found == 0 || had
    })?;
    Some((row, had))
}

/// The first of a request's rows for which something holds.
#[inline(always)]
fn rows(request: u64, mut holds: impl FnMut(*mut Flight) -> bool) -> Option<*mut Flight> {
    let (first, rows) = (hash(&[request]), FLIGHTS_ROWS.load());
    for nth in 0..FLIGHT_PROBES {
        let row = FLIGHTS.get_ptr_mut((first + nth) & (rows - 1))?;
        if holds(row) {
            return Some(row);
        }
    }
    None
}

/// Stores `new` if `old` is there. Returns what was there.
///
/// # Safety
///
/// As for a write to the place.
#[inline(always)]
unsafe fn compare_exchange(place: *mut u64, old: u64, new: u64) -> u64 {
    let found;
    // SAFETY: the caller's; the instruction is atomic.
    unsafe {
        asm!(
            "r0 = cmpxchg_64({place} + 0, r0, {new})",
            place = in(reg) place,
            new = in(reg) new,
            inlateout("r0") old => found,
        );
    }
    found
}
