//! What a run left, before it is made into a record.

use iowq_contract::{Birth, Blocking, Load, Phases, Settled, Switches, TaskResult};
use iowq_workloads::Rounds;

use crate::clock::Nanos;
use crate::drive::DriveStats;
use crate::engine::EngineReport;
use crate::engine::blocking::SchedReport;
use crate::machine::threads::ThreadsRefused;
use crate::probes::watch::ProbeReport;
use crate::pulse::Stillness;

/// All that a run left, before it is made into a record.
pub(super) struct Outcome {
    pub(super) driven: DriveStats,
    pub(super) remains: EngineReport,
    pub(super) seen: ProbeReport,
    pub(super) blocking: Blocking,
    /// What the scheduler's probe reported, if it was on.
    pub(super) sleeps: Option<SchedReport>,
    pub(super) started: Nanos,
    /// When the watch after the last close was over and workers were sent away.
    pub(super) ended: Nanos,
    pub(super) birth: Birth,
    /// Why no op could be tried without a worker, if that matters.
    pub(super) no_attempts: Option<String>,
    /// Why workers waited for direct ops that the kernel's only begin, if they did.
    pub(super) no_begun: Option<String>,
    /// How long process and machine stood still.
    pub(super) stillness: Stillness,
    pub(super) load: Load,
    /// Limits on threads that the run met.
    pub(super) threads_refused: ThreadsRefused,
    pub(super) time_namespace: bool,
    pub(super) settled: Settled,
    pub(super) rounds: Rounds,
    /// What each task of the plan did.
    pub(super) tasks: Vec<TaskResult>,
    /// All but reading back.
    pub(super) phases: Phases,
}

impl Outcome {
    /// Switches of the pool's workers, if the scheduler reported. Returns in works that the probe
    /// missed were noticed by itself or by the worker.
    pub(super) fn switches(&self) -> Option<Switches> {
        let SchedReport { switches, returns_repaired, .. } = self.sleeps?;
        let ins_missed_in_works = self.seen.switches_missed + returns_repaired;
        Some(Switches { ins_missed_in_works, ..switches })
    }
}
