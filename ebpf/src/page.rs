//! The shared page as userspace sees it: the layout of [`Shared`](crate::Shared), with atomics.
//!
//! The BPF target has no atomics of this width, hence two views of one layout.

use core::sync::atomic::{AtomicI32, AtomicU32};

use crate::{ACCOUNTS, POOLS_MAX, PoolCounts, SLOTS_MAX, Shared, Slot};

/// [`Shared`] with atomics. All zeroes is a valid value, and what the kernel starts with.
#[repr(C)]
pub struct PageView {
    /// [`Shared::pools`].
    pub pools: [PoolView; POOLS_MAX],
    /// [`Shared::slots`].
    pub slots: [SlotView; SLOTS_MAX],
}

/// [`PoolCounts`] with atomics.
#[repr(C)]
pub struct PoolView {
    /// [`PoolCounts::running`].
    pub running: [AtomicI32; ACCOUNTS],
    /// [`PoolCounts::head`].
    pub head: [AtomicU32; ACCOUNTS],
    /// [`PoolCounts::flags`].
    pub flags: AtomicU32,
    /// [`PoolCounts::reserved`].
    pub reserved: [AtomicU32; 11],
}

/// [`Slot`] with atomics.
#[repr(C)]
pub struct SlotView {
    /// [`Slot::work`].
    pub work: AtomicU32,
    /// [`Slot::account`].
    pub account: AtomicU32,
    /// [`Slot::blocked`].
    pub blocked: AtomicU32,
    /// [`Slot::sleeps`].
    pub sleeps: AtomicU32,
    /// [`Slot::request_pending`].
    pub request_pending: AtomicU32,
    /// [`Slot::generation`].
    pub generation: AtomicU32,
    /// [`Slot::outs`].
    pub outs: AtomicU32,
    /// [`Slot::outs_asleep`].
    pub outs_asleep: AtomicU32,
    /// [`Slot::ins`].
    pub ins: AtomicU32,
    /// [`Slot::ins_repaired`].
    pub ins_repaired: AtomicU32,
    /// [`Slot::pool`].
    pub pool: AtomicU32,
    /// [`Slot::reserved`].
    pub reserved: [AtomicU32; 5],
}

const _: () = assert!(size_of::<PageView>() == size_of::<Shared>());
const _: () = assert!(align_of::<PageView>() == align_of::<Shared>());
const _: () = assert!(size_of::<SlotView>() == size_of::<Slot>());
const _: () = assert!(size_of::<PoolView>() == size_of::<PoolCounts>());
const _: () =
    assert!(core::mem::offset_of!(PoolView, head) == core::mem::offset_of!(PoolCounts, head));
const _: () =
    assert!(core::mem::offset_of!(PageView, slots) == core::mem::offset_of!(Shared, slots));
const _: () =
    assert!(core::mem::offset_of!(SlotView, generation) == core::mem::offset_of!(Slot, generation));
const _: () =
    assert!(core::mem::offset_of!(SlotView, reserved) == core::mem::offset_of!(Slot, reserved));
