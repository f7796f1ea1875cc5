//! The limits that a spec is held to, each with its reason.

use std::ops::RangeInclusive;

/// Bytes in a spec. A real one has a few hundred; anything near this is the wrong file.
pub const SPEC_BYTES_MAX: u64 = 64 * 1024;

/// Files under test, the log among them. Each is open, and systems allow a process half a million
/// open files at most unless told otherwise; as many would take longer to make than to measure.
pub const FILES: RangeInclusive<i64> = 1..=100_000;

/// MiB in a file. A thousandth has room for two sectors; one file larger than 256 GiB takes longer to
/// lay out than to measure.
pub const FILE_SIZE_MIB: RangeInclusive<f64> = 0.001..=262_144.0;

/// Blocks in all files together: the bookkeeping for the final check has 28 bytes for each, and 20
/// more if writes to it overlap.
pub const BLOCKS_MAX: u64 = 1 << 26;

/// Bytes in a block. 512 is the smallest sector of a disk; 16 MiB is the largest extent that storage
/// engines and file servers move at once, and disks split it into a dozen requests as it is.
pub const BLOCK_BYTES: RangeInclusive<i64> = 512..=16 * 1024 * 1024;

/// Sizes in a mix of them: a histogram of a disk's requests has fewer, and the multiples of 4 KiB up to
/// 256 KiB are as many.
pub const BLOCK_SIZES_MAX: usize = 64;

/// Exponent of Zipf's law. Words and web pages follow about 1; below a hundredth all come alike, above
/// ten only the first comes.
pub const ZIPF_THETA: RangeInclusive<f64> = 0.01..=10.0;

/// Share of blocks that gets the rest of all visits. At its ends a thousandth of one gets all of
/// the other.
pub const PARETO_H: RangeInclusive<f64> = 0.001..=0.999;

/// Standard deviation in percent of a file. From a hundred on all blocks come alike.
pub const NORMAL_PERCENT: RangeInclusive<f64> = 0.1..=100.0;

/// Blocks from one op to the next: as many as all files may have.
pub const STEP_BLOCKS: RangeInclusive<i64> = -(1 << 26)..=1 << 26;

/// Zones of a file with a share of visits each: JESD219 has three, and more are a skew.
pub const ZONES_MAX: usize = 8;

/// What a block of a file opened direct is a multiple of, whatever the disk.
pub const SECTOR_BYTES: u32 = 512;

/// Weight of a kind in the mix. A thousandth is the finest share worth asking for.
pub const WEIGHT: RangeInclusive<i64> = 0..=1000;

/// Writes to a file before its fsync; 0 for no fsync. More than this and a run sees none.
pub const WRITES_PER_FSYNC: RangeInclusive<i64> = 0..=1_000_000;

/// Connections: each is two descriptors of the process, of which systems allow a million at most.
pub const SOCKETS: RangeInclusive<i64> = 1..=10_000;

/// Bytes of a message: a pipe holds 64 KiB.
pub const MESSAGE_BYTES: RangeInclusive<i64> = 1..=65_536;

/// Tasks of a workload, and of those that are alike. Each has a thread, and in the pool under the
/// scheduler's probe its share of 4096 workers, those that are leaving among them.
pub const TASKS: RangeInclusive<i64> = 1..=64;

/// Bytes in the name of a task: it stands in tables and legends.
pub const TASK_NAME_BYTES_MAX: usize = 32;

/// Ops in flight. Each has a buffer, and a ring of 4096 entries is what servers use at most.
pub const DEPTH: RangeInclusive<i64> = 1..=4096;

/// Bytes of all buffers together, which is depth times the largest block: 1 GiB.
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

/// Bytes of a value of `--set`: as names in records have, and more than any field takes.
pub const SET_BYTES_MAX: usize = 200;

/// Combinations of the values of all `--set`: all of them run in every round.
pub const SET_GRID_MAX: usize = 100;

/// Processors that a run is confined to: the kernel's masks have room for 1024 by the usual means.
pub const CPUS: RangeInclusive<i64> = 1..=1024;

/// Jobs in a fio job file: more than a person writes, and each takes those of `[global]`.
pub const JOBS_MAX: usize = 256;
