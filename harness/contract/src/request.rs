//! Requests for a bench and for a run, as JSON from program to program.
//!
//! Names, flags and files are checked where the user gives them; from there on a request is typed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use iowq_workloads::Plan;
use serde::{Deserialize, Serialize};

use crate::{Asked, Overrides, Phases, Role};

/// The policy of the kernel's own io-wq, whatever the kernel.
pub const KERNEL: &str = "kernel";

/// The policy where no op is queued.
pub const NO_RING: &str = "no-ring";

/// What carries out ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    /// The userspace io-wq.
    Pool,
    /// The running kernel's io-wq, through io_uring.
    Uring,
    /// No ring: system calls of the thread that submits.
    Sync,
}

impl EngineName {
    /// All engines that a bench can run on.
    pub const ALL: [EngineName; 3] = [EngineName::Pool, EngineName::Uring, EngineName::Sync];

    /// The name, as in records and flags.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EngineName::Pool => "pool",
            EngineName::Uring => "uring",
            EngineName::Sync => "sync",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            EngineName::Pool => "the userspace io-wq, under each policy",
            EngineName::Uring => "the running kernel's io-wq, through io_uring, by its own rules",
            EngineName::Sync => "no ring: each op is a system call of the thread that submits",
        }
    }
}

/// What is to watch the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WantProbes {
    /// eBPF if it works, else polling `/proc`.
    #[default]
    Auto,
    /// eBPF, or fail.
    Bpf,
    /// Polling `/proc`.
    Proc,
    /// Nothing.
    Off,
}

/// What is to report that a worker blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WantBlocking {
    /// The scheduler if eBPF works, else the workers.
    #[default]
    Auto,
    /// The scheduler, through eBPF, or fail.
    Sched,
    /// The workers themselves, around each call that may block.
    Declared,
}

/// A delay that ops of a control have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectedDelay {
    /// How long.
    pub ns: u64,
    /// How much of the median response time without it that is.
    pub percent: f64,
}

/// How long idle workers of the pool wait, if that is not the workload's to say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdleTimeout {
    /// As long as the running kernel's.
    Kernel,
    /// In milliseconds.
    Ms(f64),
}

/// What is compared on each workload: an engine with the rules that it runs under, and values of
/// fields of the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The engine.
    pub engine: EngineName,
    /// Name of the policy; [`KERNEL`] on [`EngineName::Uring`], [`NO_RING`] on [`EngineName::Sync`].
    pub policy: String,
    /// Fields of the workload that have other values than its own.
    #[serde(default, skip_serializing_if = "Overrides::is_empty")]
    pub set: Overrides,
    /// What its runs are for.
    pub role: Role,
}

impl Variant {
    /// The pool under a policy.
    #[must_use]
    pub fn pool(policy: &str) -> Variant {
        let (policy, set) = (policy.to_owned(), Overrides::default());
        Variant { engine: EngineName::Pool, policy, set, role: Role::Measured }
    }

    /// The running kernel, whose rules are its own.
    #[must_use]
    pub fn kernel() -> Variant {
        Variant { engine: EngineName::Uring, ..Variant::pool(KERNEL) }
    }

    /// System calls, whose thread needs no policy.
    #[must_use]
    pub fn no_ring() -> Variant {
        Variant { engine: EngineName::Sync, ..Variant::pool(NO_RING) }
    }

    /// The same with fields of the workload at other values.
    #[must_use]
    pub fn with(self, set: &Overrides) -> Variant {
        Variant { set: set.clone(), ..self }
    }
}

/// As it follows the name of a workload.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.engine {
            EngineName::Pool => write!(f, "under {}", self.policy)?,
            EngineName::Uring => f.write_str("on io_uring")?,
            EngineName::Sync => f.write_str("without a ring")?,
        }
        if !self.set.is_empty() {
            write!(f, " {}", self.set)?;
        }
        f.write_str(match self.role {
            Role::Measured => "",
            Role::Noise => " again",
            Role::Control => " delayed",
        })
    }
}

/// A workload of a bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// As the user named it: a built-in workload, or the path of a file.
    pub name: String,
    /// What it comes to, its limits and idle timeout before the machine that runs it has its say.
    pub plan: Plan,
    /// The same with other values in some fields, for each of the variants that has some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with_set: Vec<(Overrides, Plan)>,
}

impl Workload {
    /// A workload as it is written.
    #[must_use]
    pub fn new(name: String, plan: Plan) -> Workload {
        Workload { name, plan, with_set: Vec::new() }
    }

    /// The plan of a variant; none if it has not got one with what is set there.
    #[must_use]
    pub fn plan_of(&self, variant: &Variant) -> Option<&Plan> {
        if variant.set.is_empty() {
            return Some(&self.plan);
        }
        self.with_set.iter().find(|(set, _)| *set == variant.set).map(|(_, plan)| plan)
    }

    /// The same workload with each of its plans changed.
    ///
    /// # Errors
    /// The first that comes of a change.
    pub fn try_map<E>(&self, change: impl Fn(&Plan) -> Result<Plan, E>) -> Result<Workload, E> {
        let with_set = self.with_set.iter();
        let with_set = with_set.map(|(set, plan)| Ok((set.clone(), change(plan)?)));
        Ok(Workload {
            name: self.name.clone(),
            plan: change(&self.plan)?,
            with_set: with_set.collect::<Result<_, E>>()?,
        })
    }
}

/// A bench: every variant on every workload, once per round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchRequest {
    /// Workloads, all with different names of plans.
    pub workloads: Vec<Workload>,
    /// What runs on each: what is compared, then the first of these for noise and control.
    pub variants: Vec<Variant>,
    /// Rounds.
    pub rounds: u32,
    /// Seed of the order of runs and of the streams of ops; none for 1 and the workload's own.
    pub seed: Option<u64>,
    /// Requested length of runs in seconds, if not the workload's own.
    pub seconds: Option<f64>,
    /// How long idle workers of the pool wait, if not as long as the workload says.
    pub idle_timeout: Option<IdleTimeout>,
    /// Delay of a control, in percent of the median response time of the first variant.
    pub control_percent: Option<f64>,
    /// What watches the workers.
    pub probes: WantProbes,
    /// What reports that a worker of the pool blocks.
    pub blocking: WantBlocking,
    /// Whether records keep figures alone: a grid has thousands of runs with 40 kB of histograms.
    pub drops_histograms: bool,
}

/// A run: one workload under one variant, once, in a process of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The workload, with what the variant sets.
    pub plan: Plan,
    /// The same without that; none if it sets nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_unset: Option<Plan>,
    /// What runs it.
    pub variant: Variant,
    /// Seed of the stream of ops.
    pub seed: u64,
    /// Its round.
    pub round: u32,
    /// Its place in the order of all runs.
    pub position: u32,
    /// How long the submission of ops is delayed, in a control.
    pub delay: Option<InjectedDelay>,
    /// Folder for the files under test; none for the default.
    #[serde(with = "crate::any_path")]
    pub dir: Option<PathBuf>,
    /// What watches the workers.
    pub probes: WantProbes,
    /// What reports that a worker of the pool blocks.
    pub blocking: WantBlocking,
    /// Whether latencies are recorded; false to measure the cost of recording.
    pub records_latency: bool,
    /// The request by which a bench would make this run again, for its record.
    pub asked: Option<Asked>,
    /// The process that must outlive this one.
    pub parent: Option<u32>,
}

impl RunRequest {
    /// A measured run with what a bench has by default.
    #[must_use]
    pub fn new(plan: Plan, variant: Variant) -> RunRequest {
        RunRequest {
            seed: plan.seed,
            plan,
            plan_unset: None,
            variant,
            round: 0,
            position: 0,
            delay: None,
            dir: None,
            probes: WantProbes::Auto,
            blocking: WantBlocking::Auto,
            records_latency: true,
            asked: None,
            parent: None,
        }
    }
}

/// A step of a run beside its measured part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Files are laid out.
    Laying,
    /// What was written is read back.
    Verifying,
    /// Files are removed.
    Removing,
}

/// What a run says on standard output, a line of JSON each. A record comes as soon as the measured
/// part is over, and once more when what was written has been read back: the later one holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "lowercase")]
pub enum RunMessage {
    /// Ops are done: a sign of life.
    Ops {
        /// How many, so far.
        ops_done: u64,
    },
    /// How far a step is.
    Progress {
        /// Which.
        step: Step,
        /// What of it is done.
        done_bytes: u64,
        /// All of it.
        all_bytes: u64,
    },
    /// The record so far.
    Record {
        /// It.
        record: Box<crate::Record>,
    },
}

/// How a bench ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchTally {
    /// Requested runs.
    pub wanted: usize,
    /// Runs that finished.
    pub finished: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Whether it stopped because too many failed one after the other.
    pub gave_up: bool,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Where the time of its runs went, all together.
    pub phases: Phases,
}

impl BenchRequest {
    /// Each workload with each variant, and what it comes to; none if that was not handed on.
    pub fn all(&self) -> impl Iterator<Item = (&Workload, &Variant, Option<&Plan>)> {
        self.workloads.iter().flat_map(|workload| {
            let plan = move |variant| (workload, variant, workload.plan_of(variant));
            self.variants.iter().map(plan)
        })
    }
}

impl IdleTimeout {
    /// The time, given the running kernel's own.
    #[must_use]
    pub fn ms(self, kernel: Duration) -> f64 {
        match self {
            IdleTimeout::Kernel => kernel.as_secs_f64() * 1e3,
            IdleTimeout::Ms(ms) => ms,
        }
    }
}
