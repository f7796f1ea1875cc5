//! When the kernel's io-wq had each request: tables that the programs write and this reads.
//!
//! This is memory that the kernel writes, so it is made of the machine's own atomics rather than
//! of those in [`crate::sync`], which a model checker may replace.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use iowq_ebpf::{QUEUED_AT_SOME_TIME, QUEUED_HASHED, REQUEST_TIMED};
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use crate::clock::Nanos;

/// The tables of requests, by slot: below the requested number of slots, which all rings of the
/// process share. What a request's user data is says [`Requests::user_data`]. Requests with any other
/// are not watched, and slots out of range stay empty.
pub struct Requests {
    queued: Table,
    started: Table,
    done: Table,
}

/// When the kernel had a request; `None` for what did not happen, or was not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How it was queued for a worker of io-wq. A request that its submitter could run has none.
    pub queued: Option<Queued>,
    /// A worker took it up. Known only if kprobes are allowed, see
    /// [`Bpf::unseen`](super::Bpf::unseen).
    pub started: Option<Nanos>,
    /// It was completed, a moment before its completion became visible.
    pub done: Option<Nanos>,
}

/// How a request was queued for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Whether as hashed work, of which one at a time runs for each file.
    pub hashed: bool,
    /// When; known if it is to be timed, and starts are seen.
    pub at: Option<Nanos>,
}

impl Requests {
    /// Tables of this process alone, in which nothing is ever seen.
    ///
    /// # Errors
    ///
    /// What `mmap` returns if there is no memory, or `slots` is 0.
    pub fn anonymous(slots: u32) -> io::Result<Requests> {
        Requests::of([None; 3], slots)
    }

    /// Maps BPF arrays that were created to be mapped, with at least `slots` slots: when requests were
    /// queued, started and done.
    pub(super) fn map(arrays: [BorrowedFd<'_>; 3], slots: u32) -> io::Result<Requests> {
        Requests::of(arrays.map(Some), slots)
    }

    fn of(
        [queued, started, done]: [Option<BorrowedFd<'_>>; 3],
        slots: u32,
    ) -> io::Result<Requests> {
        let table = |array| Table::map(array, slots);
        Ok(Requests { queued: table(queued)?, started: table(started)?, done: table(done)? })
    }

    /// The user data of a slot's request. One that is not `timed` costs less.
    #[must_use]
    pub fn user_data(slot: u32, timed: bool) -> u64 {
        u64::from(slot) | if timed { REQUEST_TIMED } else { 0 }
    }

    /// The slot in a request's user data.
    #[must_use]
    pub fn slot(user_data: u64) -> u32 {
        (user_data & !REQUEST_TIMED) as u32
    }

    /// Forgets how a slot's last request was queued. Before the next one is handed to the kernel.
    pub fn prepare(&self, slot: u32) {
        if let Some(queued) = self.queued.of(slot) {
            // The system call that hands the request over comes after, so no order is needed.
            queued.store(0, Ordering::Relaxed);
        }
    }

    /// What is known of a slot's request that was handed over at `since`: all of it, once its
    /// completion has been seen.
    #[must_use]
    pub fn times(&self, slot: u32, since: Nanos) -> Times {
        let read = |table: &Table| table.of(slot).map_or(0, |it| it.load(Ordering::Acquire));
        // What was before is the last request's: to clear it would take the cache line from the workers
        // that write it.
        let time = |table| Some(Nanos(read(table))).filter(|at| *at >= since && at.0 > 0);
        // The last that is written comes first, so that what is done was also queued.
        let (done, started) = (time(&self.done), time(&self.started));
        Times { queued: queued(read(&self.queued)), started, done }
    }
}

/// What an element of the array of queued requests says.
fn queued(element: u64) -> Option<Queued> {
    let at = match element >> 1 {
        0 => return None,
        QUEUED_AT_SOME_TIME => None,
        ns => Some(Nanos(ns)),
    };
    Some(Queued { hashed: element & QUEUED_HASHED != 0, at })
}

/// A table of numbers by slot.
struct Table {
    elements: NonNull<AtomicU64>,
    slots: u32,
}

// SAFETY: the table is made of atomics only, and stays where it is until dropped.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    /// Maps an array, or memory of this process alone.
    fn map(array: Option<BorrowedFd<'_>>, slots: u32) -> io::Result<Table> {
        let (access, bytes) = (ProtFlags::READ | ProtFlags::WRITE, bytes(slots));
        // SAFETY: a new mapping, at an address of the kernel's choice, overlaps no other.
        let memory = unsafe {
            match array {
                Some(fd) => mmap(ptr::null_mut(), bytes, access, MapFlags::SHARED, fd, 0),
                None => mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE),
            }
        }?;
        let elements = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Table { elements, slots })
    }

    fn of(&self, slot: u32) -> Option<&AtomicU64> {
        // SAFETY: the slot is in the mapping, which lives as long as this; any bits are a valid
        // value, and every access to it, the kernel's included, is atomic.
        (slot < self.slots).then(|| unsafe { self.elements.add(slot as usize).as_ref() })
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: mapped with this size, and no borrow of it is left. It cannot fail for a
        // mapping that exists.
        let _ = unsafe { munmap(self.elements.as_ptr().cast(), bytes(self.slots)) };
    }
}

/// Size of a table, in bytes.
fn bytes(slots: u32) -> usize {
    slots as usize * size_of::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes what the programs write.
    fn write(table: &Table, slot: u32, element: u64) {
        table.of(slot).expect("a slot").store(element, Ordering::Relaxed);
    }

    #[test]
    fn a_slot_has_what_was_written_to_it_until_its_next_request() {
        let requests = Requests::anonymous(3).expect("memory");
        assert_eq!(requests.times(1, Nanos(0)), Times::default());
        write(&requests.queued, 1, 5 << 1 | QUEUED_HASHED);
        write(&requests.done, 1, 9);
        let queued = Some(Queued { hashed: true, at: Some(Nanos(5)) });
        let expected = Times { queued, started: None, done: Some(Nanos(9)) };
        assert_eq!(requests.times(1, Nanos(4)), expected);
        assert_eq!([0, 2].map(|slot| requests.times(slot, Nanos(0))), [Times::default(); 2]);
        requests.prepare(1);
        assert_eq!(requests.times(1, Nanos(10)), Times::default());
    }

    #[test]
    fn a_request_that_is_not_timed_was_queued_at_some_time() {
        let requests = Requests::anonymous(1).expect("memory");
        write(&requests.queued, 0, QUEUED_AT_SOME_TIME << 1);
        let queued = Some(Queued { hashed: false, at: None });
        assert_eq!(requests.times(0, Nanos(0)), Times { queued, ..Times::default() });
    }

    #[test]
    fn a_slot_is_in_the_user_data_whether_its_request_is_timed_or_not() {
        for timed in [false, true] {
            assert_eq!(Requests::slot(Requests::user_data(7, timed)), 7);
        }
    }

    #[test]
    fn a_slot_out_of_range_stays_empty() {
        let requests = Requests::anonymous(3).expect("memory");
        for slot in [3, u32::MAX] {
            requests.prepare(slot);
            assert_eq!(requests.times(slot, Nanos(0)), Times::default());
        }
    }
}
