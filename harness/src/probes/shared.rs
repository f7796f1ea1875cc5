//! The page that workers, pool and scheduler probe share.
//!
//! The kernel writes this memory too, so its atomics are those of the machine and not those of
//! [`crate::sync`], which a model checker may replace.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, Ordering};

use iowq_ebpf::{ACCOUNTS, POOLS_MAX, PageView, PoolView, SLOTS_MAX, SlotView};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::SwitchCount;
use crate::sync::Arc;

// A key must mean the same to the pool and to the programs.
const _: () = assert!(
    iowq_pool::work::KEY_NONE == iowq_ebpf::KEY_NONE
        && iowq_pool::work::KEY_UNHASHED == iowq_ebpf::KEY_UNHASHED
        && iowq_pool::work::KEY_HASHED == iowq_ebpf::KEY_HASHED
);

/// A pool's part of the page: running counts and queue heads by account, and a slot per worker.
///
/// Accounts count modulo [`ACCOUNTS`]; slots count from the pool's first, modulo [`SLOTS_MAX`].
pub struct Page {
    memory: Arc<Memory>,
    pool: usize,
    slot_first: u32,
}

/// The page itself.
struct Memory {
    view: NonNull<PageView>,
    backing: Backing,
}

enum Backing {
    /// Mapped from a BPF map.
    Mapped,
    /// Leaked from a box.
    Heap,
}

// SAFETY: the page is made of atomics only, and stays where it is until dropped.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Page {
    /// A private page, for a pool whose workers' blocking is not reported by the probe.
    #[must_use]
    pub fn anonymous() -> Page {
        let layout = std::alloc::Layout::new::<PageView>();
        // SAFETY: the layout has a size.
        let memory = unsafe { std::alloc::alloc_zeroed(layout) };
        let Some(view) = NonNull::new(memory.cast()) else {
            std::alloc::handle_alloc_error(layout)
        };
        Page::of_first(Memory { view, backing: Backing::Heap })
    }

    /// Maps the page of a BPF array that was created to be mapped.
    pub(super) fn map(fd: BorrowedFd<'_>) -> io::Result<Page> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice, overlaps no other.
        let memory = unsafe {
            mmap(ptr::null_mut(), size_of::<PageView>(), access, MapFlags::SHARED, fd, 0)
        }?;
        let view = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Page::of_first(Memory { view, backing: Backing::Mapped }))
    }

    fn of_first(memory: Memory) -> Page {
        Page { memory: Arc::new(memory), pool: 0, slot_first: 0 }
    }

    /// The same page, for another pool, whose slots begin at `slot_first` of this one's.
    #[must_use]
    pub fn of_pool(&self, pool: usize, slot_first: u32) -> Page {
        let slot_first = self.slot_first + slot_first;
        Page { memory: Arc::clone(&self.memory), pool, slot_first }
    }

    /// The first slot of its pool in the page.
    pub(super) fn slot_first(&self) -> u32 {
        self.slot_first
    }

    /// The running count of an account. Enqueueing: first [`Page::set_head`], then load this.
    #[must_use]
    pub fn running(&self, account: usize) -> &AtomicI32 {
        &self.pool().running[account % ACCOUNTS]
    }

    /// Adds to the running count of an account, and returns what it was.
    pub fn running_add(&self, account: usize, by: i32) -> i32 {
        self.running(account).fetch_add(by, Ordering::SeqCst)
    }

    /// Sets the first work in an account's queue: a key of [`iowq_ebpf`].
    ///
    /// The probe subtracts from the running count and then reads the head. If this side sets the
    /// head and then loads the running count, at least one of the two sees the other's change.
    pub fn set_head(&self, account: usize, key: u32) {
        self.pool().head[account % ACCOUNTS].store(key, Ordering::SeqCst);
    }

    /// The last value of [`Page::set_head`].
    #[must_use]
    pub fn head(&self, account: usize) -> u32 {
        self.pool().head[account % ACCOUNTS].load(Ordering::SeqCst)
    }

    /// Sets which workers request none: bits of [`iowq_ebpf::PoolCounts::flags`]. Before the first
    /// worker.
    pub fn set_flags(&self, flags: u32) {
        self.pool().flags.store(flags, Ordering::SeqCst);
    }

    /// Gives a slot to a new worker: no work, not blocked, no sleeps, no pending request, and the
    /// next generation. Before the worker is tracked.
    pub fn claim(&self, slot: u32, account: usize) {
        let view = self.slot(slot);
        view.work.store(iowq_ebpf::KEY_NONE, Ordering::Relaxed);
        view.account.store((account % ACCOUNTS) as u32, Ordering::Relaxed);
        view.pool.store(self.pool as u32, Ordering::Relaxed);
        view.blocked.store(0, Ordering::Relaxed);
        view.sleeps.store(0, Ordering::Relaxed);
        for count in [&view.outs, &view.outs_asleep, &view.ins, &view.ins_repaired] {
            count.store(0, Ordering::Relaxed);
        }
        view.request_pending.store(0, Ordering::SeqCst);
        view.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Number of the slot's current worker.
    #[must_use]
    pub fn generation(&self, slot: u32) -> u32 {
        self.slot(slot).generation.load(Ordering::SeqCst)
    }

    /// Whether the probe requested a worker on behalf of this one and the request is not taken yet.
    #[must_use]
    pub fn request_pending(&self, slot: u32) -> bool {
        self.slot(slot).request_pending.load(Ordering::SeqCst) != 0
    }

    /// Takes the probe's request. True if there was one; the caller then owns its reservation in
    /// the running count.
    pub fn take_request(&self, slot: u32) -> bool {
        self.slot(slot).request_pending.swap(0, Ordering::SeqCst) != 0
    }

    /// Sets the work that the calling worker executes: a key of [`iowq_ebpf`]. A plain store, and
    /// a load from the same cache line.
    ///
    /// Only the probe on the same thread reads it, at a system call or an interrupt, so it need
    /// not be ordered against other threads. The load finds a wake-up that fired no event: the
    /// caller is awake, and counts as running.
    pub fn set_work(&self, slot: u32, key: u32) {
        let view = self.slot(slot);
        view.work.store(key, Ordering::Release);
        // The probe may clear the mark between the load and the swap, but not during the swap.
        if view.blocked.load(Ordering::Relaxed) != 0 && view.blocked.swap(0, Ordering::SeqCst) != 0
        {
            view.ins_repaired.fetch_add(1, Ordering::Relaxed);
            let account = view.account.load(Ordering::Relaxed) as usize;
            self.running(account).fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The work that a slot's worker executes.
    #[must_use]
    pub fn work(&self, slot: u32) -> u32 {
        self.slot(slot).work.load(Ordering::Acquire)
    }

    /// How often a slot's worker slept inside its work.
    #[must_use]
    pub fn sleeps(&self, slot: u32) -> u32 {
        self.slot(slot).sleeps.load(Ordering::Relaxed)
    }

    /// What the probe has seen of the switches of a slot's worker.
    #[must_use]
    pub fn switches(&self, slot: u32) -> SwitchCount {
        let view = self.slot(slot);
        let [outs, outs_asleep, ins] = [&view.outs, &view.outs_asleep, &view.ins]
            .map(|count| u64::from(count.load(Ordering::Relaxed)));
        SwitchCount { outs, outs_asleep, ins }
    }

    /// How often a slot's worker began or ended a work while it was marked as asleep.
    #[must_use]
    pub fn ins_repaired(&self, slot: u32) -> u32 {
        self.slot(slot).ins_repaired.load(Ordering::Relaxed)
    }

    /// Whether a slot's worker sleeps inside its work right now.
    #[must_use]
    pub fn blocked(&self, slot: u32) -> bool {
        self.slot(slot).blocked.load(Ordering::Relaxed) != 0
    }

    fn slot(&self, slot: u32) -> &SlotView {
        &self.memory.view().slots[self.slot_first.wrapping_add(slot) as usize % SLOTS_MAX]
    }

    fn pool(&self) -> &PoolView {
        &self.memory.view().pools[self.pool % POOLS_MAX]
    }
}

impl Memory {
    fn view(&self) -> &PageView {
        // SAFETY: the memory is aligned, large enough and valid until dropped; any bits are a
        // valid value, and every access to it, the kernel's included, is atomic.
        unsafe { self.view.as_ref() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        match self.backing {
            // SAFETY: allocated with this layout, and no borrow of it is left.
            Backing::Heap => unsafe {
                std::alloc::dealloc(
                    self.view.as_ptr().cast(),
                    std::alloc::Layout::new::<PageView>(),
                );
            },
            Backing::Mapped => {
                // SAFETY: mapped with this size, and no borrow of it is left. It cannot fail
                // for a mapping that exists.
                let _ = unsafe { munmap(self.view.as_ptr().cast(), size_of::<PageView>()) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_bpf_starts_empty_and_keeps_what_is_stored() {
        let page = Page::anonymous();
        assert_eq!(page.running(0).fetch_add(2, Ordering::SeqCst), 0);
        assert_eq!(page.running(0).fetch_sub(1, Ordering::SeqCst), 2);
        assert_eq!(page.running(1).load(Ordering::SeqCst), 0);
        page.set_head(1, 7);
        assert_eq!((page.head(0), page.head(1)), (0, 7));
        page.claim(3, 1);
        page.set_work(3, 5);
        assert_eq!((page.work(3), page.sleeps(3), page.blocked(3)), (5, 0, false));
    }

    #[test]
    fn a_request_is_taken_once_and_not_by_the_next_worker_of_the_slot() {
        let page = Page::anonymous();
        page.claim(4, 0);
        let generation = page.generation(4);
        assert!(!page.request_pending(4) && !page.take_request(4));
        // The state after the probe's request.
        page.slot(4).request_pending.store(1, Ordering::Relaxed);
        assert!(page.request_pending(4) && page.take_request(4) && !page.take_request(4));
        page.slot(4).request_pending.store(1, Ordering::Relaxed);
        page.claim(4, 0);
        assert!(!page.request_pending(4));
        assert_ne!(page.generation(4), generation);
    }

    #[test]
    fn a_worker_that_takes_work_is_awake_even_if_its_wakeup_was_missed() {
        let page = Page::anonymous();
        page.claim(2, 1);
        // The state of a sleeping worker.
        page.slot(2).blocked.store(1, Ordering::Relaxed);
        page.set_work(2, iowq_ebpf::KEY_NONE);
        assert!(!page.blocked(2));
        assert_eq!(page.running(1).load(Ordering::SeqCst), 1);
        page.set_work(2, iowq_ebpf::KEY_UNHASHED);
        assert_eq!(page.running(1).load(Ordering::SeqCst), 1, "once");
        assert_eq!(page.ins_repaired(2), 1);
    }

    #[test]
    fn pools_on_one_page_have_counts_and_slots_of_their_own() {
        let first = Page::anonymous();
        let second = first.of_pool(1, 8);
        first.running_add(0, 3);
        second.set_head(0, 7);
        assert_eq!((second.running_add(0, 0), first.head(0)), (0, 0));
        second.claim(2, 1);
        second.set_work(2, 5);
        assert_eq!(
            (first.work(2), first.work(10), first.slot(10).pool.load(Ordering::Relaxed)),
            (0, 5, 1)
        );
    }

    #[test]
    fn numbers_out_of_range_wrap() {
        let page = Page::anonymous();
        page.set_work(SLOTS_MAX as u32 + 1, 9);
        assert_eq!(page.work(1), 9);
        page.set_head(ACCOUNTS, 4);
        assert_eq!(page.head(0), 4);
    }
}
