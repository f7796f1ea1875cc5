//! Boots: the kernels that were compared, how each boot of one of them ended, and what a run keeps
//! of the boot it was made in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Role;
use crate::disk::Disk;

/// The value of [`Boot::schema`] that this version writes and reads.
pub const BOOT_SCHEMA: &str = "iowq-lab/boot/1";

/// The value of [`Kernels::schema`] that this version writes and reads.
pub const KERNELS_SCHEMA: &str = "iowq-lab/kernels/1";

/// Name of the file with a line per boot.
pub const BOOTS_NAME: &str = "boots.jsonl";

/// Name of the file that says what was booted.
pub const KERNELS_NAME: &str = "kernels.json";

/// The boot that a run was made in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InBoot {
    /// What the kernel is called in this comparison, such as `base` or `A`.
    pub kernel: String,
    /// Place of the boot in the order of all boots, from 0.
    pub number: u32,
    /// Boots of the same round were made next to each other, one of each kernel, and with noise one
    /// more of the base.
    pub round: u32,
    /// Number of the repetition in this boot, from 0.
    pub repeat: u32,
}

/// One boot of one kernel: a line of `boots.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Boot {
    /// Always [`BOOT_SCHEMA`].
    pub schema: String,
    /// Label of the kernel.
    pub kernel: String,
    /// Its role: to be compared, or for noise, a repetition of the base. Its runs have the
    /// same role.
    #[serde(default, skip_serializing_if = "Role::is_measured")]
    pub role: Role,
    /// Place in the order of all boots, from 0.
    pub number: u32,
    /// Its round.
    pub round: u32,
    /// When it was started, RFC 3339, UTC.
    pub started: String,
    /// From the start of the virtual machine to its end.
    pub wall_ms: u64,
    /// Release that the kernel gave itself; null if it never came so far.
    pub release: Option<String>,
    /// How it ended.
    pub ended: Ended,
    /// Why, for a reader; empty if it finished.
    pub reason: String,
    /// What the kernel complained of on its console, each kind once.
    pub complaints: Vec<Complaint>,
    /// Runs that came back.
    pub runs: u32,
    /// What came of `criu dump`, if it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump: Option<crate::guest::Dump>,
    /// File of the console's log, beside this file.
    pub console: String,
    /// The last lines of the console, if the boot did not finish or the kernel complained.
    pub console_tail: Vec<String>,
}

/// How a boot ended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// All runs were made, and the machine was switched off.
    Finished,
    /// The kernel lacks a feature that is needed, so nothing was measured.
    #[serde(rename = "lacks")]
    MissingFeature,
    /// A run or the guest failed, and said so.
    Failed,
    /// The kernel panicked.
    Panicked,
    /// It did not get on within its time.
    Hung,
    /// The virtual machine was gone before its time.
    Died,
}

/// Something that the kernel complained of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Complaint {
    /// What kind it is of.
    pub kind: ComplaintKind,
    /// The first line of that kind.
    pub line: String,
    /// Lines of that kind.
    pub count: u32,
}

/// Kinds of complaints, from worst to least.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ComplaintKind {
    /// `Kernel panic`.
    Panic,
    /// An oops, a bad page fault or a `BUG:`.
    Oops,
    /// A processor that does not leave the kernel.
    SoftLockup,
    /// A grace period that does not end.
    RcuStall,
    /// A task that sleeps uninterruptibly for too long.
    HungTask,
    /// The kernel ran out of memory and killed.
    OutOfMemory,
    /// A `WARNING:`.
    Warning,
}

/// What was booted: `kernels.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernels {
    /// Always [`KERNELS_SCHEMA`].
    pub schema: String,
    /// The virtual machine.
    pub machine: Machine,
    /// The kernels, the base first.
    pub kernels: Vec<Kernel>,
    /// Requested rounds of boots.
    pub boots: u32,
    /// Whether each round boots the base twice, for noise.
    #[serde(default)]
    pub noise: bool,
    /// Requested repetitions of each run in a boot.
    pub repeats: u32,
    /// Seed of the order of boots and of the streams of ops.
    pub seed: u64,
    /// Names of the workloads.
    pub workloads: Vec<String>,
    /// What the guest runs in a boot, a line of flags for each bench: in the first round of the base,
    /// which has the most.
    pub benches: Vec<String>,
    /// What else decides what is measured, by name: digests of the guest and of files of workloads,
    /// and flags that are not said elsewhere.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// The command line that repeats it.
    pub command: String,
}

/// The virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// Why not KVM, in words; empty if it is.
    pub accelerator_reason: String,
    /// First line of `qemu-system-x86_64 --version`.
    pub qemu: String,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory.
    pub memory_mib: u32,
    /// The disk of each boot.
    pub disk: Disk,
}

/// One kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// What it is called in this comparison.
    pub label: String,
    /// The image as it was named.
    pub image: String,
    /// SHA-256 of the image that was booted, in hex.
    pub sha256: String,
    /// Release by its own header, such as `6.12.117+deb12-cloud-amd64`; null if none was found.
    pub release: Option<String>,
    /// Added to the kernel's command line.
    pub command_line: String,
    /// Its whole configuration without the `CONFIG_`, such as `IO_URING: y`; null if none was
    /// found. An option that is not set is not listed.
    pub config: Option<BTreeMap<String, String>>,
    /// Modules that are loaded before anything else, in order.
    pub modules: Vec<String>,
    /// Patches it was built with, by file name; empty if it was not built here.
    pub patches: Vec<String>,
}
