//! What `iowq trace` aggregates in the kernel, of all processes that use an `io_uring`.

/// Bit of a class: a request that goes to io-wq at once, as `IOSQE_ASYNC` demands.
pub const CLASS_FORCED: u8 = 1;
/// Bit of a class: hashed work, which runs one at a time for each file.
pub const CLASS_HASHED: u8 = 2;
/// Bit of a class: work of the unbounded account.
pub const CLASS_UNBOUNDED: u8 = 4;
/// Bit of a class: a request that went to io-wq. Without it, one that was submitted.
pub const CLASS_QUEUED: u8 = 8;

/// Rows of a table at which a key may be found, from the one that its hash names.
pub const PROBES: u32 = 16;
/// Likewise of requests in io-wq, of which each that completes is looked for.
pub const FLIGHT_PROBES: u32 = 4;

/// Row of the table `OPS`, which has as many for each CPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OpRow {
    /// Which op, or a process of 0 for a row that is free.
    pub key: OpKey,
    /// Its counts on this CPU.
    pub counts: OpCounts,
}

/// Row of the table `FILES`, which has as many for each CPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FileRow {
    /// Which file, or a process of 0 for a row that is free.
    pub key: FileKey,
    /// Requests that went to io-wq, on this CPU.
    pub count: u64,
}

/// Which op of which process.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpKey {
    /// Process that submitted the request.
    pub tgid: u32,
    /// Opcode of the request, `IORING_OP_*`.
    pub opcode: u8,
    /// Bits `CLASS_*`.
    pub class: u8,
    /// Always 0.
    pub reserved: u16,
}

/// Buckets of [`OpCounts::buckets`].
pub const BUCKETS: usize = 128;
/// Times below `1 << BUCKET_BITS_MIN` ns are in the first bucket.
pub const BUCKET_BITS_MIN: u32 = 8;
/// Buckets of one power of two: `1 << BUCKET_BITS_SUB`.
pub const BUCKET_BITS_SUB: u32 = 2;

/// What is counted of an op.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpCounts {
    /// Requests that entered the class.
    pub entered: u64,
    /// Requests that went to io-wq and are done.
    pub done: u64,
    /// Those of them whose result was an error.
    pub failed: u64,
    /// Requests that went to io-wq in a burst and stand behind the next that a burst has followed, see
    /// [`Flight::weight`].
    pub pending: u64,
    /// The tick of the kernel's clock in which a request went to io-wq last.
    pub tick: u64,
    /// Requests that went to io-wq in that tick.
    pub in_tick: u64,
    /// Requests that went to io-wq and post nothing when they succeed (`IOSQE_CQE_SKIP_SUCCESS`), so
    /// that nothing tells when they are done.
    pub silent: u64,
    /// Sum of the times from queueing to completion, in ns.
    pub time_ns_sum: u64,
    /// The longest of them.
    pub time_ns_max: u64,
    /// How many of them by length, see [`bucket`].
    pub buckets: [u32; BUCKETS],
    /// How many of them a worker was seen to take up, where that is seen.
    pub started: u64,
    /// Sum of the times from queueing until then, in ns.
    pub wait_ns_sum: u64,
    /// The longest of them.
    pub wait_ns_max: u64,
    /// How many of them by length.
    pub wait_buckets: [u32; BUCKETS],
}

impl OpCounts {
    /// No request.
    pub const ZERO: OpCounts = OpCounts {
        entered: 0,
        done: 0,
        failed: 0,
        pending: 0,
        tick: 0,
        in_tick: 0,
        silent: 0,
        time_ns_sum: 0,
        time_ns_max: 0,
        buckets: [0; BUCKETS],
        started: 0,
        wait_ns_sum: 0,
        wait_ns_max: 0,
        wait_buckets: [0; BUCKETS],
    };
}

impl OpCounts {
    /// Adds counts of another CPU, or of another process of the same number.
    pub fn add(&mut self, more: &OpCounts) {
        self.entered += more.entered;
        self.done += more.done;
        self.failed += more.failed;
        self.pending += more.pending;
        self.silent += more.silent;
        self.time_ns_sum += more.time_ns_sum;
        self.time_ns_max = self.time_ns_max.max(more.time_ns_max);
        self.started += more.started;
        self.wait_ns_sum += more.wait_ns_sum;
        self.wait_ns_max = self.wait_ns_max.max(more.wait_ns_max);
        let times = self.buckets.iter_mut().zip(more.buckets);
        let waits = self.wait_buckets.iter_mut().zip(more.wait_buckets);
        times.chain(waits).for_each(|(sum, more)| *sum += more);
    }
}

/// The bucket of a time: four for each power of two from 256 ns on, so that a bucket is at most a
/// quarter wide; the last has all that is longer.
#[must_use]
#[inline(always)]
pub const fn bucket(time_ns: u64) -> usize {
    if time_ns >> BUCKET_BITS_MIN == 0 {
        return 0;
    }
    let power = 63 - time_ns.leading_zeros();
    let sub = (time_ns >> (power - BUCKET_BITS_SUB)) as u32 & ((1 << BUCKET_BITS_SUB) - 1);
    let bucket = 1 + ((power - BUCKET_BITS_MIN) << BUCKET_BITS_SUB) as usize + sub as usize;
    if bucket < BUCKETS { bucket } else { BUCKETS - 1 }
}

/// The shortest time that is in a bucket, in ns.
#[must_use]
pub const fn bucket_ns_min(bucket: usize) -> u64 {
    if bucket == 0 {
        return 0;
    }
    let (power, sub) = ((bucket - 1) >> BUCKET_BITS_SUB, (bucket - 1) & 3);
    (4 + sub as u64) << (power as u32 + BUCKET_BITS_MIN - BUCKET_BITS_SUB)
}

/// Row of the table `FLIGHTS`: a request that is in io-wq.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Flight {
    /// Address of the request, or 0 for a row that is free.
    pub request: u64,
    /// When it was queued, in ns of `CLOCK_MONOTONIC`.
    pub queued_ns: u64,
    /// When a worker took it up; 0 if that was not seen.
    pub started_ns: u64,
    /// Which op of which process.
    pub op: OpKey,
    /// Descriptor or index as of [`FileKey::fd`]; [`FD_UNKNOWN`] if the kernel does not show it.
    pub fd: u32,
    /// [`FileKey::flags`].
    pub flags: u16,
    /// Requests that this one stands for, itself among them: in a burst, not each is followed.
    pub weight: u16,
    /// Always 0: a row is a cache line, because requests begin and end on different CPUs.
    pub reserved: [u64; 3],
}

impl Flight {
    /// A request of which nothing is known.
    #[must_use]
    #[inline(always)]
    pub const fn of(request: u64) -> Flight {
        Flight {
            request,
            queued_ns: 0,
            started_ns: 0,
            op: OpKey { tgid: 0, opcode: 0, class: 0, reserved: 0 },
            fd: FD_UNKNOWN,
            flags: 0,
            weight: 1,
            reserved: [0; 3],
        }
    }
}

/// Requests of an op on a CPU in a tick of the kernel's clock from which on not each is followed.
pub const BURST: u64 = 256;
/// Beyond [`BURST`], one request in this many is followed.
pub const FOLLOWED: u64 = 16;

/// A descriptor that is not known.
pub const FD_UNKNOWN: u32 = u32::MAX;

/// Record of the ring `REQUESTS_DONE`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RequestEvent {
    /// What was known of the request when it was queued.
    pub flight: Flight,
    /// When it was done, in ns of `CLOCK_MONOTONIC`.
    pub done_ns: u64,
    /// Thread that completed it.
    pub tid: u32,
    /// Its result.
    pub result: i32,
}

/// Which file of which op.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// Which op of which process.
    pub op: OpKey,
    /// Descriptor, or index among the registered files where [`FILE_REGISTERED`] is set.
    pub fd: u32,
    /// [`FILE_REGISTERED`] or 0.
    pub flags: u32,
}

/// A bit of [`FileKey::flags`]: the request names a registered file.
pub const FILE_REGISTERED: u32 = 1;

/// [`LifeEvent::kind`]: a worker, or another thread of `io_uring`, was created.
pub const LIFE_BORN: u32 = 1;
/// [`LifeEvent::kind`]: it gave itself its name.
pub const LIFE_NAMED: u32 = 2;
/// [`LifeEvent::kind`]: it is gone.
pub const LIFE_EXITED: u32 = 3;
/// [`LifeEvent::kind`]: a process created a ring; `tid` is the ring's descriptor.
pub const LIFE_RING: u32 = 4;
/// [`LifeEvent::kind`]: a process ended.
pub const LIFE_PROCESS: u32 = 5;

/// [`LifeEvent::kind`]: a process set limits on workers.
pub const LIFE_LIMITS: u32 = 6;

/// Record of the ring `LIVES`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LifeEvent {
    /// When, in ns of `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// When the creator queued the request before, if it did so just now on this CPU; else 0.
    pub queued_ns: u64,
    /// `LIFE_*`.
    pub kind: u32,
    /// Process.
    pub tgid: u32,
    /// Thread.
    pub tid: u32,
    /// Thread in whose context it happened.
    pub by_tid: u32,
    /// `ACCOUNT_BOUNDED` or `ACCOUNT_UNBOUNDED` of a worker that gives itself a name, where its
    /// account is known, else 0. Of a ring, its entries.
    pub account: u32,
    /// Descriptor that the request of `queued_ns` names, or -1.
    pub fd: i32,
    /// Opcode of that request.
    pub opcode: u8,
    /// Its class.
    pub class: u8,
    /// Always 0.
    pub reserved: u16,
    /// Limit on workers of this account, for the thread that the worker works for, where a worker gives
    /// itself a name; 0 if it is not known.
    pub limit: u32,
    /// The thread's name.
    pub comm: [u8; 16],
}

impl LifeEvent {
    /// An event of a thread in its own context, without a name and all else that only some events have.
    #[must_use]
    #[inline(always)]
    pub const fn of(kind: u32, time_ns: u64, tgid: u32, tid: u32) -> LifeEvent {
        LifeEvent {
            time_ns,
            queued_ns: 0,
            kind,
            tgid,
            tid,
            by_tid: tid,
            account: 0,
            fd: -1,
            opcode: 0,
            class: 0,
            reserved: 0,
            limit: 0,
            comm: [0; 16],
        }
    }
}

/// Index of a loss counter of a trace: no room in the ring `LIVES`.
pub const TRACE_LOST_LIVES: u32 = 0;
/// Index of a loss counter of a trace: an event could not be read.
pub const TRACE_LOST_UNREADABLE: u32 = 1;
/// Index of a loss counter of a trace: no room in the table `OPS`.
pub const TRACE_LOST_OPS: u32 = 2;
/// Index of a loss counter of a trace: no room in the table `FLIGHTS`.
pub const TRACE_LOST_FLIGHTS: u32 = 3;
/// Index of a loss counter of a trace: no room in the table `FILES`.
pub const TRACE_LOST_FILES: u32 = 4;
/// Index of a loss counter of a trace: no room in the ring `REQUESTS_DONE`.
pub const TRACE_LOST_REQUESTS: u32 = 5;
/// Index of a loss counter of a trace: a program was left out, because it, or other BPF work, was under
/// way on that CPU. The kernel counts these.
pub const TRACE_LOST_LEFT_OUT: u32 = 6;
/// Loss counters of a trace.
pub const TRACE_LOST_CAUSES: u32 = 7;

const _: () = assert!(size_of::<OpKey>() == 8);
const _: () = assert!(size_of::<OpRow>() == 104 + 8 * BUCKETS);
const _: () = assert!(size_of::<Flight>() == 64);
const _: () = assert!(size_of::<FileRow>() == 24);
const _: () = assert!(size_of::<LifeEvent>() == 64);
const _: () = assert!(size_of::<RequestEvent>() == 80);
const _: () = assert!(bucket(255) == 0 && bucket(256) == 1 && bucket(u64::MAX) == BUCKETS - 1);
