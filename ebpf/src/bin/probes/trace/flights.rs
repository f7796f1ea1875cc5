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
/// A request is in one place at a time, so that nobody else writes to its row.
#[inline(always)]
pub(super) fn find(request: u64) -> Option<*mut Flight> {
    rows(request, |row| {
        // SAFETY: the pointer is to a row.
        unsafe { (&raw const (*row).request).read_volatile() == request }
    })
}

/// A free row, which is the request's from now on; `None` if there is no room.
#[inline(always)]
pub(super) fn claim(request: u64) -> Option<*mut Flight> {
    rows(request, |row| {
        // SAFETY: the pointer is to a row.
        let address = unsafe { &raw mut (*row).request };
        // SAFETY: likewise.
        unsafe { address.read_volatile() == 0 && compare_exchange(address, 0, request) == 0 }
    })
}

/// The first of a request's rows for which something holds.
#[inline(always)]
fn rows(request: u64, holds: impl Fn(*mut Flight) -> bool) -> Option<*mut Flight> {
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
