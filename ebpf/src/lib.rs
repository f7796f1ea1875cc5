//! The ABI between the BPF programs and userspace: plain fixed-width structs, declared once.
//!
//! Nothing here may depend on `std`, on the host's word size or on padding; sizes are asserted.
#![no_std]

pub mod kernel;
#[cfg(not(feature = "programs"))]
mod object;
#[cfg(target_has_atomic = "32")]
mod page;
mod requests;
pub mod trace;

#[cfg(not(feature = "programs"))]
pub use object::object;
#[cfg(target_has_atomic = "32")]
pub use page::{PageView, PoolView, SlotView};
pub use requests::{QUEUED_AT_SOME_TIME, QUEUED_HASHED, REQUEST_TIMED, REQUESTS_MAX};

/// Worker slots in the shared page, of all pools together; a slot is what a pool calls a worker. A
/// power of two, so that the programs can keep an index in range by a mask.
pub const SLOTS_MAX: usize = 4096;

/// Pools in the shared page: one for each task that submits. A power of two, as above.
pub const POOLS_MAX: usize = 64;

/// Accounts, in the kernel's order: bounded, then unbounded.
pub const ACCOUNTS: usize = 2;

/// A key of [`PoolCounts::head`] or [`Slot::work`]: nothing there.
pub const KEY_NONE: u32 = 0;
/// A key: work that is not hashed.
pub const KEY_UNHASHED: u32 = 1;
/// A key: hashed work; the bucket is added to this.
pub const KEY_HASHED: u32 = 2;

/// A bit of [`PoolCounts::flags`]: no sleeper ever asks for a worker.
pub const NEVER_ASK: u32 = 1;
/// A bit of [`PoolCounts::flags`]: nor does one whose work has the bucket of the first queued work.
pub const SKIP_SAME_BUCKET: u32 = 2;

/// The page that both sides map. Userspace writes under the lock of the pool concerned, except where
/// noted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Shared {
    /// One per pool.
    pub pools: [PoolCounts; POOLS_MAX],
    /// One per worker.
    pub slots: [Slot; SLOTS_MAX],
}

/// What the scheduler's probe knows of a pool.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PoolCounts {
    /// Workers not blocked, plus creations in flight. Both sides add and subtract atomically.
    pub running: [i32; ACCOUNTS],
    /// Key of the first queued work, or [`KEY_NONE`] where there is none or the queue is stalled.
    pub head: [u32; ACCOUNTS],
    /// Who asks for no worker: [`NEVER_ASK`], [`SKIP_SAME_BUCKET`]. Set before the first worker.
    pub flags: u32,
    /// Always 0. The rest of the cache line, which no worker writes between works.
    pub reserved: [u32; 11],
}

/// What the scheduler's probe knows of a worker. Only the worker's own thread writes it: in
/// userspace, or in the kernel while that thread is being switched out or in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slot {
    /// Key of the work in hand, or [`KEY_NONE`] between works: only then is a sleep counted.
    pub work: u32,
    /// Index of the account.
    pub account: u32,
    /// 1 while the worker sleeps inside its work; the probe sets and clears it.
    pub blocked: u32,
    /// Sleeps inside a work of this worker.
    pub sleeps: u32,
    /// 1 from when the probe asks for a worker on behalf of this one, and counts it as running,
    /// until the pool takes the request or this one leaves.
    pub request_pending: u32,
    /// Which of the slot's workers this is; each has another number than the one before.
    pub generation: u32,
    /// Times that the worker was taken off a CPU, in a work or not, for whatever reason.
    pub outs: u32,
    /// Those of them in which it went to sleep.
    pub outs_asleep: u32,
    /// Times that the worker was put back on a CPU.
    pub ins: u32,
    /// Times that the worker came to the end of a work and was still marked as asleep: it was put
    /// back on a CPU, and the probe did not see it. Userspace counts these.
    pub ins_repaired: u32,
    /// Index of the worker's pool.
    pub pool: u32,
    /// Always 0. Each worker has a cache line of its own: it writes there at every work.
    pub reserved: [u32; 5],
}

/// Record of the ring `BLOCKS`: the last running worker of an account went to sleep over its work
/// while other work was queued. The worker that is to be made is counted as running already.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BlockEvent {
    /// When, in ns of `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// Which worker.
    pub slot: u32,
    /// [`Slot::work`] at that moment.
    pub work: u32,
    /// [`PoolCounts::head`] at that moment.
    pub head: u32,
    /// [`Slot::generation`] at that moment.
    pub generation: u32,
}

/// [`ThreadEvent::kind`]: a thread was created, by `task:task_newtask`.
pub const THREAD_BORN: u32 = 1;
/// [`ThreadEvent::kind`]: a thread has a new name, by `task:task_rename`.
pub const THREAD_NAMED: u32 = 2;
/// [`ThreadEvent::kind`]: a thread is gone, by `sched:sched_process_exit`.
pub const THREAD_EXITED: u32 = 3;

/// [`ThreadEvent::account`]: a worker for bounded work.
pub const ACCOUNT_BOUNDED: u32 = 1;
/// [`ThreadEvent::account`]: a worker for unbounded work.
pub const ACCOUNT_UNBOUNDED: u32 = 2;

/// How the programs find a worker's account: not at all.
pub const ACCOUNT_BY_NOTHING: u32 = 0;
/// How the programs find a worker's account: a bit of its flags, as until Linux 6.14.
pub const ACCOUNT_BY_FLAG: u32 = 1;
/// How the programs find a worker's account: which of the pool's two its own is, since 6.15.
pub const ACCOUNT_BY_PLACE: u32 = 2;

/// Record of the ring `THREADS`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ThreadEvent {
    /// When, in ns of `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// Clone flags of a birth, else 0. The kernel's io-wq workers have 0x80810f00.
    pub clone_flags: u64,
    /// Thread that was born, named or is gone.
    pub tid: u32,
    /// Thread in whose context it happened: the creator of a birth.
    pub by_tid: u32,
    /// `THREAD_BORN`, `THREAD_NAMED` or `THREAD_EXITED`.
    pub kind: u32,
    /// `ACCOUNT_BOUNDED` or `ACCOUNT_UNBOUNDED` where a worker of the kernel's io-wq gives itself
    /// a name and its account is known, else 0.
    pub account: u32,
    /// The name: of the creator at a birth, the new one at a naming, the last one at an exit.
    pub comm: [u8; 16],
}

impl ThreadEvent {
    /// The name without what the kernel leaves behind its end.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.comm.split(|byte| *byte == 0).next().unwrap_or(&[])
    }
}

/// Index of a loss counter: no room in the ring `THREADS`.
pub const LOST_THREADS: u32 = 0;
/// Index of a loss counter: no room in the ring `BLOCKS`.
pub const LOST_BLOCKS: u32 = 1;
/// Index of a loss counter: an event could not be read.
pub const LOST_UNREADABLE: u32 = 2;
/// Index of a loss counter: a worker's return to a CPU fired no event. Noticed when it leaves the
/// next time, and repaired: the running count was one too low meanwhile.
pub const LOST_SWITCHES: u32 = 3;
/// Loss counters there are.
pub const LOST_CAUSES: u32 = 4;

const _: () = assert!(SLOTS_MAX.is_power_of_two() && POOLS_MAX.is_power_of_two());
const _: () = assert!(size_of::<PoolCounts>() == 64);
const _: () = assert!(size_of::<Slot>() == 64);
const _: () = assert!(size_of::<Shared>() == 64 * (POOLS_MAX + SLOTS_MAX));
const _: () = assert!(size_of::<BlockEvent>() == 24);
const _: () = assert!(size_of::<ThreadEvent>() == 48);
