//! When the kernel's io-wq had a request: a table by the request's slot, which both sides map.

#[cfg(target_has_atomic = "32")]
use core::sync::atomic::{AtomicU32, AtomicU64};

/// Slots of requests there are at most: the deepest ring that a spec may ask for.
pub const REQUESTS_MAX: u32 = 4096;

/// An element of the array `REQUESTS`: points in time, in ns of `CLOCK_MONOTONIC`, 0 for none.
///
/// Userspace clears it before it hands the request over; until the request has completed only the
/// programs write it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RequestTimes {
    /// The request was queued for a worker.
    pub queued_ns: u64,
    /// A worker took the request up.
    pub started_ns: u64,
    /// The request has completed; its completion is about to be visible.
    pub done_ns: u64,
    /// 1 if it was queued as hashed work.
    pub hashed: u32,
    /// Always 0.
    pub reserved: u32,
}

/// [`RequestTimes`] with atomics. All zeroes is a valid value, and what the kernel starts with.
#[cfg(target_has_atomic = "32")]
#[repr(C)]
pub struct RequestView {
    /// [`RequestTimes::queued_ns`].
    pub queued_ns: AtomicU64,
    /// [`RequestTimes::started_ns`].
    pub started_ns: AtomicU64,
    /// [`RequestTimes::done_ns`].
    pub done_ns: AtomicU64,
    /// [`RequestTimes::hashed`].
    pub hashed: AtomicU32,
    /// [`RequestTimes::reserved`].
    pub reserved: AtomicU32,
}

const _: () = assert!(size_of::<RequestTimes>() == 32);
#[cfg(target_has_atomic = "32")]
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<RequestView>() == size_of::<RequestTimes>());
    assert!(align_of::<RequestView>() == align_of::<RequestTimes>());
    assert!(offset_of!(RequestView, started_ns) == offset_of!(RequestTimes, started_ns));
    assert!(offset_of!(RequestView, done_ns) == offset_of!(RequestTimes, done_ns));
    assert!(offset_of!(RequestView, hashed) == offset_of!(RequestTimes, hashed));
};
