//! The limits that a spec is held to, each with its reason.

use std::ops::RangeInclusive;

/// Bytes in a spec. A real one has a few hundred; anything near this is the wrong file.
pub const SPEC_BYTES_MAX: u64 = 64 * 1024;

/// Files under test, the log among them. Each costs a descriptor, and the usual limit is 1024.
pub const FILES: RangeInclusive<i64> = 1..=512;

/// MiB in a file. One file larger than 256 GiB takes longer to lay out than to measure.
pub const FILE_SIZE_MIB: RangeInclusive<i64> = 1..=256 * 1024;

/// Blocks in all files together: the bookkeeping for the final check has 28 bytes for each.
pub const BLOCKS_MAX: u64 = 1 << 26;

/// Bytes in a block. 512 is the smallest sector of a disk, and `O_DIRECT` wants whole sectors;
/// above 1 MiB a disk splits requests, so that one op is no longer one request.
pub const BLOCK_BYTES: RangeInclusive<i64> = 512..=1024 * 1024;

/// Weight of a kind in the mix. A thousandth is the finest share worth asking for.
pub const WEIGHT: RangeInclusive<i64> = 0..=1000;

/// Writes to a file before its fsync; 0 for no fsync. More than this and a run sees none.
pub const WRITES_PER_FSYNC: RangeInclusive<i64> = 0..=1_000_000;

/// Ops in flight. Each has a block buffer, and a ring of 4096 entries is what servers use at most.
pub const DEPTH: RangeInclusive<i64> = 1..=4096;

/// Bytes of all block buffers together, which is depth times block size: 1 GiB.
pub const BUFFER_BYTES_MAX: u64 = 1 << 30;

/// Ops per second in an open loop. Above this a submitter that sleeps between ops cannot keep up,
/// below this a run of a few seconds has no op.
pub const RATE_PER_S: RangeInclusive<f64> = 0.1..=10_000_000.0;

/// Ops in a burst. More than this is no longer a burst but a backlog.
pub const BURST_OPS: RangeInclusive<i64> = 1..=1_000_000;

/// Ops on one ring before it is closed; 0 to keep one ring all along.
pub const REOPEN_AFTER_OPS: RangeInclusive<i64> = 0..=1_000_000_000;

/// Milliseconds of a pause, of a gap, of a time without a ring. A minute is twelve times the
/// kernel's idle timeout: nothing more happens after that.
pub const WAIT_MS: RangeInclusive<f64> = 0.0..=60_000.0;

/// Milliseconds between bursts: a gap of nothing would be a loop that never sleeps.
pub const GAP_MS: RangeInclusive<f64> = 0.001..=60_000.0;

/// Workers of an account. A run has room for 1024 threads, those that are leaving among them.
pub const WORKERS: RangeInclusive<i64> = 1..=1000;

/// Workers of an account if a spec does not say.
pub const WORKERS_DEFAULT: u32 = 64;

/// Milliseconds before an idle worker leaves. Below one it leaves while its next work is on its way.
pub const IDLE_TIMEOUT_MS: RangeInclusive<f64> = 1.0..=60_000.0;

/// Seconds of a run: no less than a hundredth, where a thread's start is seen, and at most a day.
pub const RUN_SECONDS: RangeInclusive<f64> = 0.01..=86_400.0;

/// Seconds before counting begins; an hour fills any cache.
pub const WARMUP_SECONDS: RangeInclusive<f64> = 0.0..=3600.0;

/// Ops of a run: at a million per second more than a week.
pub const RUN_OPS: RangeInclusive<i64> = 1..=1_000_000_000_000;

/// Seeds as TOML can hold them.
pub const SEED: RangeInclusive<i64> = 0..=i64::MAX;

/// Processors that a run is confined to: the kernel's masks have room for 1024 by the usual means.
pub const CPUS: RangeInclusive<i64> = 1..=1024;
