//! The plan of a run: all of its workload, and a digest that identifies it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the workload specifies, beside what [`Settings`](crate::Settings) has of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSettings {
    /// SHA-256 in hexadecimal over all that decides what is run, its length among it, but for the
    /// seed. Two runs of one workload name with two digests are of two workloads.
    pub digest: String,
    /// How long was to be measured; null if a number of operations ends the run.
    #[serde(default)]
    pub length_ns: Option<u64>,
    /// How many operations were to be measured at most; null if time alone ends the run.
    #[serde(default)]
    pub length_ops: Option<u64>,
    /// How long it was to run before anything counts.
    pub warmup_ns: u64,
    /// Bytes in each file.
    pub file_bytes: u64,
    /// Sizes of operations and their weights, smallest first; empty if all have the size of a block.
    #[serde(default)]
    pub block_sizes: Vec<BlockSize>,
    /// How files are opened, the log excepted: one word for all, or one for each.
    pub open: Vec<String>,
    /// What is in files before the first operation, the log excepted: one word for all, or one for
    /// each.
    pub state: Vec<String>,
    /// Whether what is written before is in the page cache, too.
    pub cached: bool,
    /// In which order blocks are visited: `sequential`, `step:` and the blocks from one to the next,
    /// `random`, or for some more often than others `zipf`, `pareto` or `normal` with a colon and a
    /// parameter, or `zoned:` and of each zone the shares of visits and of the file in percent, such as
    /// `zoned:90/10:10/90`.
    pub order: String,
    /// Whether all files were to share one hash bucket.
    pub collide: bool,
    /// The connections in place of files; null without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<SocketSettings>,
    /// What is done to the files.
    pub mix: MixSettings,
    /// The log beside them; null without one.
    #[serde(default)]
    pub log: Option<LogSettings>,
    /// How operations arrive.
    pub pattern: ArrivalSettings,
    /// Whether every operation goes to a worker at once (`IOSQE_ASYNC`).
    pub force_async: bool,
    /// What only io_uring has and was asked for: `sqpoll`, `iopoll`, `registered_files`,
    /// `registered_buffers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ring: Vec<String>,
    /// The processors that workers were confined to; empty for all of the task's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worker_cpus: Vec<u32>,
    /// The limits that took the place of those in the settings, in the middle of the run; null if none
    /// did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<LaterSettings>,
    /// Operations on a ring before it is closed; 0 for one ring all along.
    pub reopen_after_ops: u64,
    /// How long no ring is open in between.
    pub closed_ns: u64,
    /// How long workers are watched after the last ring.
    pub linger_ns: u64,
    /// How long idle workers were to wait; the kernel has its own.
    pub idle_timeout_ns: u64,
    /// Whether the limits on workers are those that the kernel sets itself.
    pub kernel_limits: bool,
    /// Whether what was written is read back and compared.
    pub verify: bool,
    /// The tasks of which each is a stream of its own, in place of the one that stands beside them;
    /// empty if there is one stream.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskSettings>,
}

/// Tasks that are alike: each has a thread, a ring, an io-wq and files of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskSettings {
    /// The name in the workload.
    pub name: String,
    /// How many tasks.
    pub count: u32,
    /// Files of each.
    pub files: u32,
    /// Bytes per operation.
    pub block_bytes: u64,
    /// Operations in flight at most, of each.
    pub depth: u32,
    /// Limit on bounded workers, of each.
    pub limit_bounded: u32,
    /// Limit on unbounded workers, of each.
    pub limit_unbounded: u32,
    /// All else that it does.
    pub plan: PlanSettings,
}

/// A size of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockSize {
    /// Bytes of a read, write or fallocate.
    pub bytes: u64,
    /// Its weight against the other sizes.
    pub weight: u32,
}

/// Weights of what is done to files, and when an fsync follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixSettings {
    /// Weight of writes.
    pub write: u32,
    /// Weight of reads.
    pub read: u32,
    /// Weight of fallocates.
    pub fallocate: u32,
    /// Weight of operations that do nothing.
    pub nop: u32,
    /// Weight of receives from connections.
    #[serde(default)]
    pub receive: u32,
    /// Weight of sends to connections.
    #[serde(default)]
    pub send: u32,
    /// Weight of splices out of pipes.
    #[serde(default)]
    pub splice: u32,
    /// Writes to a file before its fsync; 0 for no fsync.
    pub writes_per_fsync: u32,
    /// Whether that fsync is an fdatasync.
    pub data_only: bool,
    /// Whether it is linked to the last of those writes.
    pub linked: bool,
    /// Weight of opens by name.
    #[serde(default, skip_serializing_if = "crate::unknown::is_zero")]
    pub openat: u32,
    /// Weight of questions for a file's status by name.
    #[serde(default, skip_serializing_if = "crate::unknown::is_zero")]
    pub statx: u32,
    /// Weight of renames of a file beside those under test.
    #[serde(default, skip_serializing_if = "crate::unknown::is_zero")]
    pub rename: u32,
    /// Weight of removals of a file beside those under test.
    #[serde(default, skip_serializing_if = "crate::unknown::is_zero")]
    pub unlink: u32,
    /// Weight of changes of a file's length.
    #[serde(default, skip_serializing_if = "crate::unknown::is_zero")]
    pub truncate: u32,
    /// Weight of writebacks without a promise.
    #[serde(default, skip_serializing_if = "crate::unknown::is_zero")]
    pub sync_file_range: u32,
}

impl MixSettings {
    /// Each kind of op of the mix, by its name, with its weight.
    #[must_use]
    pub fn weights(&self) -> [(&'static str, u32); 13] {
        [
            ("write", self.write),
            ("read", self.read),
            ("fallocate", self.fallocate),
            ("nop", self.nop),
            ("receive", self.receive),
            ("send", self.send),
            ("splice", self.splice),
            ("openat", self.openat),
            ("statx", self.statx),
            ("rename", self.rename),
            ("unlink", self.unlink),
            ("truncate", self.truncate),
            ("sync_file_range", self.sync_file_range),
        ]
    }
}

/// Connections, of which there are as many as files, and whose messages have as many bytes as blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SocketSettings {
    /// `unix`, `tcp` or `pipe`.
    pub kind: String,
    /// How long the other end takes to answer, on average.
    pub answer_ns: u64,
}

/// Limits on workers, from a moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaterSettings {
    /// From the start of the run, its warm-up included.
    pub after_ns: u64,
    /// On bounded workers; null for no change.
    pub bounded: Option<u32>,
    /// On unbounded workers; null for no change.
    pub unbounded: Option<u32>,
}

/// A file that is only appended to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogSettings {
    /// Weight of appends, against those of the mix.
    pub weight: u32,
    /// How it is opened.
    pub open: String,
    /// What is in it before the first operation.
    pub state: String,
    /// Appends before an fsync.
    pub writes_per_fsync: u32,
}

/// How operations arrive; what a pattern does not have is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArrivalSettings {
    /// `closed`, `rate`, `poisson` or `bursts`.
    pub name: String,
    /// Pause of a closed loop after each round.
    #[serde(default)]
    pub pause_ns: Option<u64>,
    /// Completions that a round of a closed loop waits for.
    #[serde(default)]
    pub min_complete: Option<u32>,
    /// Operations per second of an open loop, on average.
    #[serde(default)]
    pub per_s: Option<f64>,
    /// Operations in a burst.
    #[serde(default)]
    pub burst_ops: Option<u32>,
    /// From burst to burst.
    #[serde(default)]
    pub gap_ns: Option<u64>,
}
