//! What the programs write, as the reader of rings and tables wants it.

use iowq_ebpf::trace::{FileRow, Flight, LifeEvent, OpRow, RequestEvent};

use crate::probes::ring::Record;

// SAFETY: integers, in the order and without the padding that the assertions of the ABI are about.
unsafe impl Record for LifeEvent {}
// SAFETY: likewise.
unsafe impl Record for RequestEvent {}

/// A row of a table: integers, of which the first word is 0 if and only if the row is free.
///
/// # Safety
///
/// Any bytes must be a valid value, and the row must be made of whole words.
pub(super) unsafe trait Row: Copy {
    /// Whether programs write all of a row when they take it.
    const OVERWRITTEN: bool = false;
}

// SAFETY: integers; the first word has the process, and no process that submits is 0.
unsafe impl Row for OpRow {}
// SAFETY: likewise.
unsafe impl Row for FileRow {}
// SAFETY: integers; the first word is an address.
unsafe impl Row for Flight {
    const OVERWRITTEN: bool = true;
}
