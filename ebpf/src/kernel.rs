//! Numbers of the kernel that programs and readers of events both know: the same in Linux 6.1 to 6.18.

/// Clone flags of the threads that `io_uring` makes: io-wq's workers, and SQPOLL's thread, which differs by
/// its name only. `CLONE_VM`, `FS`, `FILES`, `SIGHAND`, `THREAD`, `UNTRACED` and `IO`.
pub const IO_THREAD: u64 = 0x8081_0f00;
/// `CLONE_THREAD`: without it a new process is born.
pub const CLONE_THREAD: u64 = 0x1_0000;

/// A bit of a request's flags: `IOSQE_FIXED_FILE`.
pub const FIXED_FILE: u32 = 1 << 0;
/// A bit of a request's flags: `IOSQE_ASYNC`.
pub const FORCE_ASYNC: u32 = 1 << 4;
/// A bit of a request's flags: `IOSQE_CQE_SKIP_SUCCESS`.
pub const CQE_SKIP: u32 = 1 << 6;

/// A bit of a work's flags: it is unbounded.
pub const WORK_UNBOUND: u32 = 1 << 2;
/// Offset of these flags in a work.
pub const WORK_FLAGS: u32 = 8;

/// `IORING_REGISTER_IOWQ_MAX_WORKERS`.
pub const MAX_WORKERS: u32 = 19;
