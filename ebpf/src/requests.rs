//! When the kernel's io-wq had a request: tables by the request's slot, which both sides map.
//!
//! A table for each side, and eight slots in a cache line: what submitters write stays where it is,
//! and what workers write comes to the submitter for several requests at a time.

/// Slots of requests there are at most: the deepest ring that a spec may ask for.
pub const REQUESTS_MAX: u32 = 4096;

/// A bit of a request's user data, beside its slot: its times are to be written down.
pub const REQUEST_TIMED: u64 = 1 << 31;

/// A bit of an element of the array `QUEUED_AT`: the request was queued as hashed work. Above it is
/// when, in ns of `CLOCK_MONOTONIC`, or [`QUEUED_AT_SOME_TIME`].
///
/// Userspace clears the element before it hands the request over. The arrays `STARTED_AT` and `DONE_AT`
/// have times alone, and those of the slot's last request until they are overwritten.
pub const QUEUED_HASHED: u64 = 1;

/// What is above [`QUEUED_HASHED`] if the time was not wanted.
pub const QUEUED_AT_SOME_TIME: u64 = 1;
