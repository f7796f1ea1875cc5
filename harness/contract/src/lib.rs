//! The record: what one finished run wrote down, one JSON line each, read by people's scripts.
//!
//! This crate is the format and nothing else. Names that end in a unit are in that unit;
//! times are nanoseconds on `CLOCK_MONOTONIC`, counted from the start of the measured part.

mod any_path;
mod asked;
mod birth;
mod boot;
mod caveat;
mod clean;
mod disk;
mod dump;
mod files;
pub mod guest;
mod host;
pub mod jsonl;
pub mod kconfig;
mod kinds;
mod latency;
mod load;
mod names;
pub mod order;
mod overrides;
mod owner;
mod phases;
mod plan;
mod release;
mod request;
mod shared;
mod since_boot;
mod switches;
pub mod trace;
mod unknown;
mod whole_file;
mod workers;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use asked::Asked;
pub use birth::Birth;
pub use boot::{
    BOOT_SCHEMA, BOOTS_NAME, Boot, Complaint, ComplaintKind, Ended, InBoot, KERNELS_NAME,
    KERNELS_SCHEMA, Kernel, Kernels, Machine,
};
pub use caveat::{Caveat, Code};
pub use clean::{clean, clean_message};
pub use disk::Disk;
pub use dump::AfterTimeout;
pub use files::{CameRound, Files, Settled, UNVERIFIED_NAME};
pub use host::Host;
pub use iowq_workloads::set::parts_of;
pub use kinds::Kinds;
pub use latency::{Latency, Quantiles, decode_histogram};
pub use load::Load;
pub use names::{KERNELS_MAX, LABEL_BYTES_MAX, NAME_BYTES_MAX, check_name};
pub use overrides::Overrides;
pub use owner::{NewFolders, hand_over, way_out};
pub use phases::Phases;
pub use plan::{
    ArrivalSettings, BlockSize, LaterSettings, LogSettings, MixSettings, PlanSettings,
    SocketSettings, TaskSettings,
};
pub use release::{advice_on, presets_of};
pub use request::{
    BenchRequest, BenchTally, EngineName, IdleTimeout, InjectedDelay, KERNEL, NO_RING, RunMessage,
    RunRequest, Step, Variant, WantBlocking, WantProbes, Workload,
};
pub use shared::Shared;
pub use since_boot::SinceBoot;
pub use switches::{SPOILED_MAX, Switches};
pub use whole_file::{is_stream, write_new, write_together, write_whole};
pub use workers::{Causes, Churn, Counts, DispatchCounts, Workers};

/// Name of the file of records in a folder for results.
pub const RECORD_NAME: &str = "record.jsonl";

/// The value of [`Record::schema`] that this version writes.
pub const SCHEMA: &str = "iowq-lab/run/2";

/// The values of [`Record::schema`] that this version reads. `run/1` had `cell` for `key`, `pair` for
/// `round`, `punts` for `dispatch` and `switches` for `patches` in `settings`; the rest is the same.
pub const SCHEMAS_READ: [&str; 2] = [SCHEMA, "iowq-lab/run/1"];

/// One run: one workload under one variant, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// One of [`SCHEMAS_READ`], and [`SCHEMA`] if it is new; a reader refuses what it does not know.
    pub schema: String,
    /// When the run started, RFC 3339, UTC.
    pub started: String,
    /// The same by a clock that is never set; null if the kernel did not tell, and in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_boot: Option<SinceBoot>,
    /// How long the measured part lasted, without warm-up and verification.
    pub duration_ns: u64,
    /// What was run.
    #[serde(alias = "cell")]
    pub key: RunKey,
    /// The settings that were in force, so that a record explains itself.
    #[schemars(with = "Settings")]
    pub settings: Shared<Settings>,
    /// The settings that it would have had without `key.set`, by which runs with different ones are
    /// known to differ in nothing else; null if nothing was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Settings>")]
    pub settings_unset: Option<Shared<Settings>>,
    /// The request for the run; null if a bench could not repeat it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Operations that were counted.
    pub ops: Ops,
    /// Latency by kind of operation.
    pub latency: Latency,
    /// What the tasks of the workload did, in its order; empty if it is one stream.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskResult>,
    /// How measured operations reached a worker, by their kind; empty if that was not observed.
    #[serde(default, alias = "punts")]
    #[schemars(with = "BTreeMap<String, DispatchCounts>")]
    pub dispatch: Kinds<DispatchCounts>,
    /// Workers born, alive and gone.
    pub workers: Workers,
    /// `[ns since start, workers alive]`, thinned without losing a peak.
    pub timeline: Vec<(u64, u32)>,
    /// Births and deaths over time.
    pub churn: Churn,
    /// What watched the workers, and what it missed.
    pub probe: Probe,
    /// Who reported to the pool that a worker blocks.
    pub blocking: Blocking,
    /// The files under test; null in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// Where it ran.
    #[schemars(with = "Host")]
    pub host: Shared<Host>,
    /// What else the machine did meanwhile; null if that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Where the time of the run went; null in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    /// Limits on what the result shows.
    pub caveats: Vec<Caveat>,
    /// Why the run failed; what is above is then only what was seen until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One workload under one policy on one engine with what was set, at one place in the order of runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunKey {
    /// Name of the workload.
    pub workload: String,
    /// Name of the engine: `pool`, `uring`, `sync` or `scripted`.
    pub engine: String,
    /// Name of the policy; `kernel` for the running kernel's own rules, `no-ring` for none.
    pub policy: String,
    /// Fields of the workload's spec that had other values than its own, by `table.field`, each value
    /// as it was written; absent if none had.
    #[serde(default, skip_serializing_if = "Overrides::is_empty")]
    pub set: Overrides,
    /// Runs of the same round were made next to each other.
    #[serde(alias = "pair")]
    pub round: u32,
    /// Place in the order in which the whole bench ran, from 0.
    pub position: u32,
    /// Seed of the stream of operations.
    pub seed: u64,
    /// What the run is for.
    #[serde(default)]
    pub role: Role,
    /// The boot that it was made in, if kernels are compared; null elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<InBoot>,
}

impl RunKey {
    /// What is compared on a workload: engine, policy and what was set.
    #[must_use]
    pub fn variant(&self) -> (&str, &str, &Overrides) {
        (&self.engine, &self.policy, &self.set)
    }
}

/// What a run is for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To be compared.
    #[default]
    Measured,
    /// The first variant once more: what differs from it is noise.
    Noise,
    /// The first variant with an injected delay: what must be found.
    Control,
}

impl Role {
    /// Whether it is to be compared.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        *self == Role::Measured
    }

    /// The name, as in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Measured => "measured",
            Role::Noise => "noise",
            Role::Control => "control",
        }
    }
}

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// One sentence on what the workload shows.
    pub summary: String,
    /// The kernel commits that the policy has, by name.
    #[serde(alias = "switches")]
    pub patches: Vec<String>,
    /// Files under test, of all tasks; like the next five, absent if it is not known, as often of what
    /// another tool measured, and 0 here.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub files: u32,
    /// Bytes per operation, of the smallest if sizes are mixed; of several tasks, the most.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub block_bytes: u64,
    /// Operations in flight at most, of all tasks.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub depth: u32,
    /// Limit on bounded workers, of all tasks together.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub limit_bounded: u32,
    /// Limit on unbounded workers, of all tasks together.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub limit_unbounded: u32,
    /// Idle timeout of a worker.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub idle_timeout_ms: u64,
    /// How operations arrive, for a reader.
    pub arrival: String,
    /// How long workers were watched after the last ring was closed; 0 if they were sent away
    /// at once, so that it is unknown how long they would have stayed.
    #[serde(default)]
    pub watched_ms: Option<u64>,
    /// How many processors the run was confined to, workers and probes included; null for all that
    /// [`Host::cpus`] counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// How long the submission of ops was delayed, in a run whose role is
    /// `control`; they count from the same moment as without it.
    #[serde(default)]
    pub injected_delay_ns: Option<u64>,
    /// How much that is of the median response time without it, as a pilot run had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub injected_delay_percent: Option<f64>,
    /// All else that the workload specifies; null in records that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSettings>,
}

/// Operations of the measured part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ops {
    /// Finished without an error.
    pub done: u64,
    /// Finished with an error.
    pub failed: u64,
    /// Done per second.
    pub per_s: f64,
    /// Processor time of the whole process over the measured part, user and system, workers and
    /// probes included.
    #[serde(default)]
    pub cpu_ns: Option<u64>,
    /// Failures by the name of their error, such as `ENOSPC`.
    #[serde(default)]
    pub failures: BTreeMap<String, u64>,
    /// Operations that were due within the length of an open loop and never submitted, because
    /// it fell too far behind: by its rate. Null if it kept up, and in a
    /// closed loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_started: Option<u64>,
    /// Operations whose completion no probe saw, though probes were to, so that they count as done
    /// when they were reaped. Null if the engine stamps them itself, or no probe watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_at_reaping: Option<u64>,
    /// Of how many operations one was timed, taken evenly; null if each was. A flood of no-ops is
    /// so under probes, which would slow it down: latencies are those of this part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_one_in: Option<u32>,
    /// Blocks read back at the end and compared byte for byte; null if that was turned off or
    /// did not finish.
    #[serde(default)]
    pub verified_blocks: Option<u64>,
    /// Where they were read from: `device`, or `page cache` where that is all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_from: Option<String>,
    /// Bytes of files that an fsync that was done, or `O_DSYNC`, covers: none of them waited in the
    /// page cache after the run. Null if the kernel does not tell, as before Linux 6.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_written_back_bytes: Option<u64>,
}

/// What the tasks of one name did together, of the measured part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskResult {
    /// Its name in the workload.
    pub name: String,
    /// How many tasks there were of it.
    pub count: u32,
    /// Operations that finished without an error.
    pub done: u64,
    /// Operations that finished with one.
    pub failed: u64,
    /// Operations that were due and never submitted, as of a whole run; null if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_started: Option<u64>,
    /// How long the measured part of these tasks lasted, from the first to the last.
    pub duration_ns: u64,
    /// Latency by kind of operation, without histograms.
    pub latency: Latency,
}

/// What watched the workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// How it watched.
    pub tier: Tier,
    /// Why this tier and not a better one; empty for the best.
    pub reason: String,
    /// Births, names and exits that reached the record.
    pub events_seen: u64,
    /// Events that were counted as lost.
    pub events_lost: u64,
    /// Lost events by cause.
    #[serde(default)]
    pub lost: BTreeMap<String, u64>,
    /// Times that a worker was put back on a processor in its work and no event said so, as far as
    /// that was noticed and made good at the worker's next switch. `switches` has all of them.
    #[serde(default)]
    pub switches_missed: u64,
    /// Context switches of the pool's workers, by the kernel's count and the probe's; null if
    /// they were not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches: Option<Switches>,
    /// What cannot be observed on this kernel, each with the reason.
    #[serde(default)]
    pub unseen: Vec<String>,
}

/// How workers were watched, from best to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// eBPF programs on tracepoints: every birth and exit, as it happens.
    Bpf,
    /// The same tracepoints without eBPF, a record for each event. Only of a trace.
    Tracefs,
    /// Polling `/proc/PID/task`.
    Proc,
    /// Nothing watched; the engine's own counts stand alone.
    Off,
}

/// Who said that a worker blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Blocking {
    /// The scheduler, through a probe on `sched_switch`.
    Sched,
    /// The worker, around each call that may block.
    Declared,
    /// The kernel's own hooks; its io-wq ran.
    Kernel,
    /// Nothing: there are no workers.
    None,
}

/// The JSON Schema of [`Record`], as published beside this crate.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Record).to_value()
}
