//! What the tables hold, as the loader wants it.

use aya::Pod;
use iowq_ebpf::trace::{FileKey, Flight, LifeEvent, OpCounts, OpKey, RequestEvent};

use crate::probes::ring::Record;

/// [`OpKey`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Op(pub(super) OpKey);

/// [`OpCounts`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Counts(pub(super) OpCounts);

/// [`FileKey`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct File(pub(super) FileKey);

/// [`Flight`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct InFlight(pub(super) Flight);

// SAFETY: integers, in the order and without the padding that the assertions of the ABI are about.
unsafe impl Pod for Op {}
// SAFETY: likewise.
unsafe impl Pod for Counts {}
// SAFETY: likewise.
unsafe impl Pod for File {}
// SAFETY: likewise.
unsafe impl Pod for InFlight {}
// SAFETY: likewise.
unsafe impl Record for LifeEvent {}
// SAFETY: likewise.
unsafe impl Record for RequestEvent {}
