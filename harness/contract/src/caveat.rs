//! Caveats: typed limits on what a result shows, kept with it.

use std::cmp::Ordering;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A typed limit on what a result shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Caveat {
    /// Its kind.
    pub code: Code,
    /// What it means for the reader and what to do about it.
    pub text: String,
}

impl Caveat {
    /// A caveat.
    #[must_use]
    pub fn new(code: Code, text: impl Into<String>) -> Caveat {
        Caveat { code, text: text.into() }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal,)*) => {
        /// What a caveat is about: short and stable, such as `events-lost`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum Code {
            $($(#[$doc])* $code,)*
            /// A code of another version, kept as it is.
            Other(String),
        }

        impl Code {
            /// The name, as in records.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Code::$code => $name,)*
                    Code::Other(name) => name,
                }
            }
        }

        impl From<String> for Code {
            fn from(name: String) -> Code {
                match name.as_str() {
                    $($name => Code::$code,)*
                    _ => Code::Other(name),
                }
            }
        }
    };
}

codes! {
    /// The probes lost events: births are lower bounds.
    EventsLost = "events-lost",
    /// The sources that counted workers disagree.
    CountsDisagree = "counts-disagree",
    /// `/proc` missed workers between two samples.
    ProcMissed = "proc-missed",
    /// No eBPF probe watched the workers.
    NoBpf = "no-bpf",
    /// Workers reported themselves that they block, around every call.
    BlockingDeclared = "blocking-declared",
    /// The scheduler's probe did not know of some workers.
    UntrackedWorkers = "untracked-workers",
    /// The scheduler's probe missed a few switches of workers.
    SwitchesMissed = "switches-missed",
    /// It missed enough switches to make decisions to create workers unreliable.
    SwitchesMissedOften = "switches-missed-often",
    /// There was no io_uring to try ops inline with.
    AllOpsPunted = "all-ops-punted",
    /// Workers waited for direct ops that the kernel's only begin.
    DirectOpsWaitedFor = "direct-ops-waited-for",
    /// Latencies exceeded what the histograms hold.
    LatencySaturated = "latency-saturated",
    /// Threads could not be created.
    CreationsFailed = "creations-failed",
    /// Operations failed.
    OpsFailed = "ops-failed",
    /// Completions that no probe saw count from when they were reaped.
    TimedAtReaping = "timed-at-reaping",
    /// Of a flood of no-ops some were timed.
    TimedInPart = "timed-in-part",
    /// The kernel's idle timeout is not the workload's.
    IdleTimeout = "idle-timeout",
    /// The kernel hashes by inode, whatever the workload asks for.
    BucketsNotChosen = "buckets-not-chosen",
    /// The pool does not model something that this kernel does.
    NotModelled = "not-modelled",
    /// Reads hit blocks that were never written.
    ReadsUnwritten = "reads-unwritten",
    /// What was written was read back from the page cache.
    VerifyCached = "verify-cached",
    /// What was written was not read back, though it should have been. A record has this from the
    /// end of the measured part until that is done.
    NotVerified = "not-verified",
    /// The disk was busy before the run.
    NotSettled = "not-settled",
    /// Appends wrapped around and wrote the same blocks again.
    BlocksCameRound = "blocks-came-round",
    /// The process was stopped meanwhile.
    Stopped = "stopped",
    /// The machine was suspended meanwhile.
    Suspended = "suspended",
    /// The process is in a time namespace, so probes use another clock.
    TimeNamespace = "time-namespace",
    /// An open loop fell behind its rate.
    RateNotKept = "rate-not-kept",
    /// The run took much longer or shorter than requested.
    LengthDiffers = "length-differs",
    /// The machine is virtual.
    VirtualMachine = "virtual-machine",
    /// The processor is emulated.
    Emulated = "emulated",
    /// The measured program is a debug build.
    DebugBuild = "debug-build",
    /// The files are in memory.
    Tmpfs = "tmpfs",
    /// The code had uncommitted changes.
    DirtyCommit = "dirty-commit",
    /// Other programs used the processors.
    BusyMachine = "busy-machine",
    /// Few ops were done, so high quantiles rest on few of them.
    FewOps = "few-ops",
    /// A trace of a live system, whose load was not of this project's making.
    Live = "live",
    /// Another tool measured this run.
    Imported = "imported",
    /// Service time is that tool's, with a mean added.
    SlatAdded = "slat-added",
    /// Latencies were not measured, or not of all operations together.
    LatencyUnknown = "latency-unknown",
    /// Figures are those of several jobs together.
    Grouped = "grouped",
    /// Figures are those of several kinds of operations together.
    KindsTogether = "kinds-together",
    /// Other jobs of the same tool ran at the same time.
    SideBySide = "side-by-side",
    /// A signal ended the run.
    Interrupted = "interrupted",
    /// Latencies are known by the bucket that they fell into.
    BucketResolution = "bucket-resolution",
    /// A run failed.
    RunFailed = "run-failed",
    /// A run finished no op.
    NothingDone = "nothing-done",
    /// The last line of a record was cut off.
    RecordCutOff = "record-cut-off",
    /// The same run was read twice.
    ReadTwice = "read-twice",
    /// Runs come from different hosts.
    HostsDiffer = "hosts-differ",
    /// Runs come from different builds of this program.
    BuildsDiffer = "builds-differ",
    /// Runs have different settings.
    SettingsDiffer = "settings-differ",
    /// Runs have different lengths.
    LengthsDiffer = "lengths-differ",
    /// io_uring and the pool ran with different settings.
    KernelSettingsDiffer = "kernel-settings-differ",
    /// There are no runs to compare.
    NoRuns = "no-runs",
    /// There are few rounds.
    FewPairs = "few-pairs",
    /// Some rounds lack a run.
    PairsLost = "pairs-lost",
    /// The runs were not made in turn.
    NotInterleaved = "not-interleaved",
    /// All runs of one side were made before the other's.
    BlockOrder = "block-order",
    /// One side mostly ran first.
    OrderUnbalanced = "order-unbalanced",
    /// A metric drifts with time.
    Drift = "drift",
    /// The control's delay was not found.
    Blind = "blind",
    /// What was found while records were read.
    Reading = "reading",
    /// Runs of the same variant differ by this much.
    NoiseFloor = "noise-floor",
    /// Runs of the same variant differ significantly.
    NoiseRejects = "noise-rejects",
    /// Noise runs are not of the same rounds.
    NoiseUnpaired = "noise-unpaired",
    /// The noise runs are of another variant.
    NoiseOfAnother = "noise-of-another",
    /// There are few noise runs.
    FewNoisePairs = "few-noise-pairs",
    /// The control is of another variant.
    ControlOfAnother = "control-of-another",
    /// More workers were alive than the limit allows.
    LimitBroken = "limit-broken",
    /// Workers stayed after the last ring was closed.
    Stayed = "stayed",
    /// Fresh runs confirm the regression.
    Confirmed = "confirmed",
    /// Fresh runs do not confirm the regression.
    NotConfirmed = "not-confirmed",
    /// No fresh run measures this.
    NotMeasuredAgain = "not-measured-again",
    /// Fresh runs are not like the first ones.
    UnlikeFirstRuns = "unlike-first-runs",
    /// Too few values for any metric.
    NothingToJudge = "nothing-to-judge",
    /// Runs or boots have no partner in their round.
    LeftOver = "left-over",
    /// No boot of the base finished.
    BaseUnfinished = "base-unfinished",
    /// No noise boot finished.
    NoNoise = "no-noise",
    /// A kernel was never booted.
    NotBooted = "not-booted",
    /// The kernel panicked.
    Panic = "panic",
    /// The boot hung.
    Hung = "hung",
    /// The virtual machine died.
    Died = "died",
    /// The boot failed.
    Failed = "failed",
    /// The kernel lacks a feature that is needed.
    MissingFeature = "lacks",
    /// The kernel had an oops.
    Oops = "oops",
    /// The kernel had a soft lockup.
    SoftLockup = "soft-lockup",
    /// The kernel had an RCU stall.
    RcuStall = "rcu-stall",
    /// A task of the kernel hung.
    HungTask = "hung-task",
    /// The kernel ran out of memory.
    OutOfMemory = "out-of-memory",
    /// The kernel printed a warning.
    Warning = "warning",
}

/// By name, so that lists of caveats do not depend on where a code stands above.
impl Ord for Code {
    fn cmp(&self, other: &Code) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Code) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.name().to_owned()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_and_written_by_its_name_and_an_unknown_one_is_kept() {
        for (name, code) in [
            ("events-lost", Code::EventsLost),
            ("of-a-later-version", Code::Other("of-a-later-version".to_owned())),
        ] {
            let json = format!("{name:?}");
            assert_eq!(serde_json::from_str::<Code>(&json).expect("a code"), code);
            assert_eq!(serde_json::to_string(&code).expect("JSON"), json);
        }
    }
}
