//! The files under test: what was in them before, and how quiet their disk was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the file beside a bench's record that holds the run whose data is being read back.
pub const UNVERIFIED_NAME: &str = "record.unverified.jsonl";

/// The files under test before and during the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Files {
    /// What was in them before the first operation: `fresh` (empty, or one hole), `allocated` (never
    /// written) or `written`.
    pub state: String,
    /// The same of the log; null without one.
    pub log_state: Option<String>,
    /// Whether what was written before was in the page cache, too.
    pub cached: bool,
    /// Operations that came to blocks in another state.
    pub came_round: CameRound,
    /// How quiet the disk was when the run began.
    pub settled: Settled,
}

/// Measured operations, and those of them that did other work because the run itself had been at
/// their blocks before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CameRound {
    /// Measured writes.
    pub writes: u64,
    /// Those to blocks that the run had written, or reserved, and that were not so before.
    pub writes_again: u64,
    /// Measured reads.
    pub reads: u64,
    /// Those of blocks that the run had written or brought into the page cache, if they were not
    /// before.
    pub reads_again: u64,
}

/// How the disk came to rest between laying out the files and the first operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// Whether it did, within the time that it was given.
    pub quiet: bool,
    /// How long that took.
    pub took_ns: u64,
    /// What was dirty in the page cache of the whole machine in the end; null if unknown.
    pub dirty_bytes: Option<u64>,
    /// What was being written back in the end; null if unknown.
    pub written_back_bytes: Option<u64>,
    /// Requests that the device had in the end, discards among them; null if the file system has
    /// no device that is known.
    pub in_flight: Option<u64>,
    /// What the device discarded meanwhile; null as above.
    pub discarded_bytes: Option<u64>,
}
