//! A table that programs write and this reads, in memory that both have.
//!
//! The kernel writes this memory too, so its atomics are those of the machine and not those of
//! [`crate::sync`]. Counts that belong together may be from moments apart.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::records::Row;

/// The table.
pub(super) struct Table<R: Row> {
    rows: NonNull<R>,
    count: usize,
}

// SAFETY: the memory stays where it is until dropped, and is as long as this lives.
unsafe impl<R: Row> Send for Table<R> {}

impl<R: Row> Table<R> {
    /// Maps a BPF array that was created to be mapped, with `count` rows.
    ///
    /// # Errors
    ///
    /// What `mmap` returns.
    pub(super) fn map(fd: BorrowedFd<'_>, count: u32) -> io::Result<Table<R>> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let count = count as usize;
        // SAFETY: a new mapping, at an address of the kernel's choice, overlaps no other.
        let memory = unsafe {
            mmap(ptr::null_mut(), count * size_of::<R>(), access, MapFlags::SHARED, fd, 0)
        }?;
        let rows = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Table { rows, count })
    }

    /// The rows that are not free.
    pub(super) fn taken(&self) -> impl Iterator<Item = R> {
        (0..self.count).filter(|&nth| self.is_taken(nth)).map(|nth| self.row(nth))
    }

    /// Frees the rows for which `over` holds. No program may write to them any more.
    pub(super) fn free(&mut self, over: impl Fn(&R) -> bool) {
        for nth in 0..self.count {
            let key = self.key(nth).load(Ordering::Acquire);
            if key == 0 || !over(&self.row(nth)) {
                continue;
            }
            if R::OVERWRITTEN {
                // If the row is another's by now, the key is another, too.
                let _ =
                    self.key(nth).compare_exchange(key, 0, Ordering::Release, Ordering::Relaxed);
                continue;
            }
            let rest = size_of::<R>() - size_of::<u64>();
            // SAFETY: the row's own memory, behind its first word.
            unsafe { self.key(nth).as_ptr().add(1).cast::<u8>().write_bytes(0, rest) };
            // A program that finds the row free finds nothing else in it.
            self.key(nth).store(0, Ordering::Release);
        }
    }

    fn is_taken(&self, nth: usize) -> bool {
        self.key(nth).load(Ordering::Acquire) != 0
    }

    /// The first word of a row, in which nothing but a key of 0 is a 0.
    fn key(&self, nth: usize) -> &AtomicU64 {
        assert!(nth < self.count, "row {nth} of {}", self.count);
        // SAFETY: in the mapping, which lives as long as this; a row begins with its key, on a
        // whole word.
        unsafe { self.rows.add(nth).cast().as_ref() }
    }

    fn row(&self, nth: usize) -> R {
        assert!(nth < self.count, "row {nth} of {}", self.count);
        // SAFETY: in the mapping; any bits are a valid row, and the kernel may write meanwhile.
        unsafe { self.rows.add(nth).read_volatile() }
    }
}

impl<R: Row> Drop for Table<R> {
    fn drop(&mut self) {
        // SAFETY: mapped with this size, and no borrow of it is left. It cannot fail for a
        // mapping that exists.
        let _ = unsafe { munmap(self.rows.as_ptr().cast(), self.count * size_of::<R>()) };
    }
}
