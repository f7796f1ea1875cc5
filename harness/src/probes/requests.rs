//! When the kernel's io-wq had each request: a table that the programs write and this reads.
//!
//! This is memory that the kernel writes, so it is made of the machine's own atomics rather than
//! of those in [`crate::sync`], which a model checker may replace.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use iowq_ebpf::RequestView;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use crate::clock::Nanos;

/// The table of requests. A request's user data is its slot, below the requested number of slots,
/// and all rings of the process share the slots. Requests with any other user data are not timed,
/// and slots out of range stay empty.
pub struct Requests {
    views: NonNull<RequestView>,
    slots: u32,
}

/// When the kernel had a request; `None` for what did not happen, or was not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// It was queued for a worker of io-wq. A request that its submitter could run has none.
    pub queued: Option<Nanos>,
    /// A worker took it up. Known only if kprobes are allowed, see
    /// [`Bpf::unseen`](super::Bpf::unseen).
    pub started: Option<Nanos>,
    /// It was completed, a moment before its completion became visible.
    pub done: Option<Nanos>,
    /// Whether it was queued as hashed work, of which one at a time runs for each file.
    pub hashed: bool,
}

// SAFETY: the table is made of atomics only, and stays where it is until dropped.
unsafe impl Send for Requests {}
// SAFETY: as above.
unsafe impl Sync for Requests {}

impl Requests {
    /// A table of this process alone, in which nothing is ever seen.
    ///
    /// # Errors
    ///
    /// What `mmap` returns if there is no memory, or `slots` is 0.
    pub fn anonymous(slots: u32) -> io::Result<Requests> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice, overlaps no other.
        let memory =
            unsafe { mmap_anonymous(ptr::null_mut(), bytes(slots), access, MapFlags::PRIVATE) }?;
        Requests::at(memory, slots)
    }

    /// Maps the table of a BPF array that was created to be mapped, with at least `slots` slots.
    pub(super) fn map(fd: BorrowedFd<'_>, slots: u32) -> io::Result<Requests> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: as above.
        let memory =
            unsafe { mmap(ptr::null_mut(), bytes(slots), access, MapFlags::SHARED, fd, 0) }?;
        Requests::at(memory, slots)
    }

    fn at(memory: *mut core::ffi::c_void, slots: u32) -> io::Result<Requests> {
        let views = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Requests { views, slots })
    }

    /// Forgets what a slot's last request did. Before the next one is handed to the kernel.
    pub fn prepare(&self, slot: u32) {
        let Some(view) = self.view(slot) else { return };
        // The system call that hands the request over comes after, so no order is needed.
        for time in [&view.queued_ns, &view.started_ns, &view.done_ns] {
            time.store(0, Ordering::Relaxed);
        }
        view.hashed.store(0, Ordering::Relaxed);
    }

    /// What is known of a slot's request: all of it, once its completion has been seen.
    #[must_use]
    pub fn times(&self, slot: u32) -> Times {
        let Some(view) = self.view(slot) else { return Times::default() };
        // The last that is written comes first, so that what is done was also queued.
        let [done, started, queued] = [&view.done_ns, &view.started_ns, &view.queued_ns].map(read);
        let hashed = view.hashed.load(Ordering::Relaxed) != 0;
        Times { queued, started, done, hashed }
    }

    fn view(&self, slot: u32) -> Option<&RequestView> {
        // SAFETY: the slot is in the mapping, which lives as long as this; any bits are a valid
        // value, and every access to it, the kernel's included, is atomic.
        (slot < self.slots).then(|| unsafe { self.views.add(slot as usize).as_ref() })
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // SAFETY: mapped with this size, and no borrow of it is left. It cannot fail for a
        // mapping that exists.
        let _ = unsafe { munmap(self.views.as_ptr().cast(), bytes(self.slots)) };
    }
}

/// Size of a table, in bytes.
fn bytes(slots: u32) -> usize {
    slots as usize * size_of::<RequestView>()
}

/// A point in time; 0 is none.
fn read(time: &AtomicU64) -> Option<Nanos> {
    match time.load(Ordering::Acquire) {
        0 => None,
        ns => Some(Nanos(ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_what_was_written_to_it_until_it_is_prepared() {
        let requests = Requests::anonymous(3).expect("memory");
        assert_eq!(requests.times(1), Times::default());
        // What the programs write.
        let view = requests.view(1).expect("a slot");
        view.queued_ns.store(5, Ordering::Relaxed);
        view.done_ns.store(9, Ordering::Relaxed);
        view.hashed.store(1, Ordering::Relaxed);
        let (queued, done) = (Some(Nanos(5)), Some(Nanos(9)));
        assert_eq!(requests.times(1), Times { queued, started: None, done, hashed: true });
        assert_eq!([0, 2].map(|slot| requests.times(slot)), [Times::default(); 2]);
        requests.prepare(1);
        assert_eq!(requests.times(1), Times::default());
    }

    #[test]
    fn a_slot_out_of_range_stays_empty() {
        let requests = Requests::anonymous(3).expect("memory");
        for slot in [3, u32::MAX] {
            requests.prepare(slot);
            assert_eq!(requests.times(slot), Times::default());
        }
    }
}
