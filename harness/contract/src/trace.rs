//! A trace: what `iowq trace` saw of the processes that use an `io_uring`, as JSON lines.
//!
//! The first line is a [`TraceStart`], the last a [`TraceEnd`]. In between are births and exits of
//! workers, oldest first, and every interval a [`Snapshot`] with counts since the start.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Caveat, Host, Quantiles, Tier};

/// The value of [`TraceStart::schema`] that this version writes and reads.
pub const TRACE_SCHEMA: &str = "iowq-lab/trace/1";

/// A line of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum TraceLine {
    /// The first.
    Start(Box<TraceStart>),
    /// A worker was born.
    Birth(TraceBirth),
    /// A worker is gone.
    Exit(TraceExit),
    /// A request that went to io-wq is done; only in a trace that records them one by one.
    Request(TraceRequest),
    /// Figures so far.
    Snapshot(Snapshot),
    /// The last.
    End(TraceEnd),
}

/// What was traced, where and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceStart {
    /// [`TRACE_SCHEMA`]; a reader refuses what it does not know.
    pub schema: String,
    /// When the trace started, RFC 3339, UTC.
    pub started: String,
    /// What was to be traced, for a reader: `all processes`, `pid 7`, `fio --name=x`.
    pub target: String,
    /// Time between two snapshots.
    pub interval_ms: u64,
    /// How it is watched.
    pub tier: Tier,
    /// Why this tier and not a better one; empty for the best.
    pub reason: String,
    /// What cannot be seen on this kernel, or by this tier, each with the reason.
    pub unseen: Vec<String>,
    /// Limits on what the figures show: `proc-missed` if births and exits are lower bounds.
    #[serde(default)]
    pub caveats: Vec<Caveat>,
    /// Where it ran.
    pub host: Host,
}

/// The birth of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceBirth {
    /// When, in ns since the start.
    pub at_ns: u64,
    /// Process.
    pub pid: u32,
    /// The worker.
    pub tid: u32,
    /// The thread that created it, in its own time; by `/proc`, the one whose requests it does.
    pub by_tid: u32,
    /// Account of the worker; null if the kernel does not tell.
    pub account: Option<Account>,
    /// The request that its creator queued right before; null if the worker was created for work
    /// that had been queued earlier, because a worker went to sleep, and if its creator was moved to
    /// another processor meanwhile; always null by `/proc`.
    pub cause: Option<BirthCause>,
}

/// An account of io-wq.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// For work on regular files and block devices.
    Bounded,
    /// For all other work.
    Unbounded,
}

/// What a worker was created for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BirthCause {
    /// The op, such as `WRITE`.
    pub op: String,
    /// How it came to io-wq.
    pub way: Way,
    /// The file, as far as it could be named; null if the kernel does not show the request's file.
    pub file: Option<String>,
    /// From queueing the request to the new thread: time that the creator spent on it.
    pub paid_ns: u64,
}

/// How requests came to io-wq.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub struct Way {
    /// At once, without an attempt by the submitter: `IOSQE_ASYNC`, or an op that is always so.
    pub forced: bool,
    /// As hashed work, which runs one at a time for each file.
    pub hashed: bool,
    /// As work of the unbounded account.
    pub unbounded: bool,
}

/// The exit of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceExit {
    /// When, in ns since the start.
    pub at_ns: u64,
    /// Process.
    pub pid: u32,
    /// The worker.
    pub tid: u32,
    /// When it was born, in ns since the start; null if it was there before.
    pub born_ns: Option<u64>,
}

/// A request that went to io-wq and is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceRequest {
    /// Process.
    pub pid: u32,
    /// Thread that completed it: the worker that ran it, or its submitter.
    pub tid: u32,
    /// The op, such as `WRITE`.
    pub op: String,
    /// How it came to io-wq.
    pub way: Way,
    /// The file, as far as it could be named.
    pub file: Option<String>,
    /// When it was queued, in ns since the start.
    pub queued_ns: u64,
    /// When a worker took it up, likewise; null if that was not seen.
    #[serde(default)]
    pub started_ns: Option<u64>,
    /// When it was done, likewise.
    pub done_ns: u64,
    /// Its result: a count, or an errno below 0.
    pub result: i32,
}

/// Figures so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// When, in ns since the start.
    pub at_ns: u64,
    /// Processes that have a ring, a worker or a request, by pid.
    pub processes: Vec<TraceProcess>,
    /// Processes that are over, which are left out above: how many, and what they had together.
    pub ended: EndedProcesses,
    /// What was lost, by cause.
    pub lost: BTreeMap<String, u64>,
    /// Processor time of the tracer itself since the start.
    pub own_cpu_ns: u64,
    /// Processor time of its programs in the kernel, by what samples of their runs took; null if the
    /// kernel does not tell.
    #[serde(default)]
    pub programs_cpu_ns: Option<u64>,
}

/// Sums over processes that are over and no longer listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedProcesses {
    /// Processes.
    pub count: u64,
    /// Workers born in them.
    pub born: u64,
    /// Workers gone.
    pub exited: u64,
    /// Requests submitted.
    pub submitted: u64,
    /// Requests that went to io-wq.
    pub queued: u64,
}

/// A process. All counts are since the start of the trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceProcess {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Whether it is over.
    pub ended: bool,
    /// When that was seen, in ns since the start; null if it goes on.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// Its open rings.
    pub rings: Vec<TraceRing>,
    /// Rings that it opened since the start.
    pub rings_opened: u64,
    /// When its last ring was closed, in ns since the start, to a tenth of a second; null if one is
    /// open, or none was seen.
    pub closed_ns: Option<u64>,
    /// Workers alive.
    pub alive: ByAccount,
    /// Most workers alive at one time.
    pub peak: u32,
    /// Most workers alive at one time that are known to be bounded.
    #[serde(default)]
    pub peak_bounded: u32,
    /// Limits on workers, of all threads together that had workers made for them: each has its own.
    /// Where the kernel does not tell, those by default, as far as they follow from the largest ring
    /// and from `RLIMIT_NPROC`.
    pub limits: Limits,
    /// Whether the kernel told the limit on bounded workers: the highest that workers were born under.
    #[serde(default)]
    pub limits_told: bool,
    /// Whether it set limits of its own by `IORING_REGISTER_IOWQ_MAX_WORKERS`; null if it may have
    /// done so before the trace.
    pub limits_set: Option<bool>,
    /// Threads that workers were born for, those with most first.
    #[serde(default)]
    pub submitters: Vec<TraceSubmitter>,
    /// Further ones that are not listed.
    #[serde(default)]
    pub submitters_more: u64,
    /// Workers born.
    pub born: u64,
    /// What workers were born for, most first; empty by `/proc`, which does not tell.
    pub causes: Vec<TraceCause>,
    /// Workers gone.
    pub exited: u64,
    /// When the last of them left, in ns since the start; null if none did.
    pub exited_ns_last: Option<u64>,
    /// Samples of workers, and those of them in which the worker waited for work.
    pub samples: u64,
    /// See `samples`.
    pub samples_idle: u64,
    /// Processors that workers may run on, if those that submit may run on others; empty if not.
    pub pinned: String,
    /// Requests in io-wq now, waiting or at work.
    pub in_flight: u64,
    /// Requests by op and way; empty by `/proc`, which does not tell.
    pub ops: Vec<TraceOp>,
    /// What requests that went to io-wq worked on, most first.
    pub files: Vec<TraceFile>,
    /// Further files that are not listed.
    pub files_more: u64,
}

/// A thread that submits, and has workers of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceSubmitter {
    /// The thread.
    pub tid: u32,
    /// Its name; empty if it was over before it could be read.
    pub comm: String,
    /// Workers born for it.
    pub born: u64,
    /// Limits on its workers; null if the kernel does not tell, or no such worker was born.
    pub limits: Limits,
}

/// Births for requests of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceCause {
    /// The op; null for workers that were born for work queued earlier, when a worker went to sleep.
    pub op: Option<String>,
    /// How such requests came to io-wq.
    pub way: Way,
    /// Workers.
    pub born: u64,
    /// Time that their creators spent on them.
    pub paid_ns: u64,
}

/// An open ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceRing {
    /// Its descriptor.
    pub fd: u32,
    /// Entries of its submission queue; null if unknown.
    pub entries: Option<u32>,
    /// Thread that created it; null if it was there before.
    #[serde(default)]
    pub by_tid: Option<u32>,
}

/// Workers by account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByAccount {
    /// For bounded work.
    pub bounded: u32,
    /// For unbounded work.
    pub unbounded: u32,
    /// Of an account that is not known.
    pub unknown: u32,
}

impl ByAccount {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.bounded + self.unbounded + self.unknown
    }
}

/// Limits on workers; null if unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// On bounded ones.
    pub bounded: Option<u32>,
    /// On unbounded ones.
    pub unbounded: Option<u64>,
}

/// Requests of one op.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceOp {
    /// The op, such as `WRITE`; a number if this version does not know its name.
    pub op: String,
    /// Requests that were submitted.
    pub submitted: u64,
    /// Those of them that were forced to io-wq by `IOSQE_ASYNC`.
    pub forced: u64,
    /// Requests that went to io-wq, forced or after an attempt.
    pub queued: u64,
    /// Those of `queued` that were forced to io-wq, by their submitter or by the kernel.
    pub queued_forced: u64,
    /// Those of `queued` that were hashed.
    pub hashed: u64,
    /// Those of `queued` that were unbounded.
    pub unbounded: u64,
    /// Those of `queued` that are done.
    pub done: u64,
    /// Those of `done` whose result was an error.
    pub failed: u64,
    /// From queueing to completion, of those that are done. Buckets are at most a quarter wide.
    pub time: Quantiles,
    /// Sum of these times.
    pub time_ns: u64,
    /// From queueing until a worker takes the request up; null if the kernel does not let one see it.
    #[serde(default)]
    pub wait: Option<Quantiles>,
}

/// A file or socket that requests worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceFile {
    /// Its path, or what else names it: `socket:[7]`, `registered file 3`, `closed fd 9`.
    pub file: String,
    /// The op.
    pub op: String,
    /// How it came to io-wq.
    pub way: Way,
    /// Requests.
    pub queued: u64,
}

/// The end of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceEnd {
    /// When, in ns since the start.
    pub at_ns: u64,
    /// Why: `interrupted`, `time is over`, `the command ended`.
    pub reason: String,
    /// What it means, the most important first.
    pub findings: Vec<Finding>,
}

/// Something that the trace shows, why it can be said, and what helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Name of the rule, such as `forced`.
    pub rule: String,
    /// The process it is about; null for the machine.
    pub pid: Option<u32>,
    /// What was seen, with figures.
    pub statement: String,
    /// What follows from which kernel, setting or flag.
    pub cause: String,
    /// What helps: release, commit or setting.
    pub remedy: String,
}

/// The JSON Schema of [`TraceLine`], as published beside this crate.
#[must_use]
pub fn trace_json_schema() -> serde_json::Value {
    schemars::schema_for!(TraceLine).to_value()
}
