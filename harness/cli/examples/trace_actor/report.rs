//! What the actor did, by process; its tests read it, too.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The whole report.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Its processes, in the order in which they ended their work.
    pub processes: Vec<Done>,
}

/// What one process did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// Its number.
    pub pid: u32,
    /// Rings that it opened.
    pub rings: u64,
    /// Requests by opcode.
    pub ops: BTreeMap<String, Op>,
    /// Requests that worked on a file, by its path.
    pub files: BTreeMap<String, u64>,
    /// All of its threads but the first that `/proc` ever had: its workers.
    pub workers: BTreeSet<u32>,
}

/// Requests of one opcode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Op {
    /// All of them.
    pub submitted: u64,
    /// Those with `IOSQE_ASYNC`.
    pub forced: u64,
    /// Those whose worker found nothing, and left them to a poll.
    pub polled: u64,
}

/// Where the report is, below the folder that the actor works in.
pub const REPORT: &str = "report.json";
