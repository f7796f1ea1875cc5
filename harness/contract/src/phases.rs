//! Phases: where the time of a run went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parts of a run, one after the other. The start and the end of its process are in none, and
/// neither is writing its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    /// Attaching the probes and testing them, after finding out what creating a worker costs.
    pub attach_ns: u64,
    /// Laying out the files.
    pub layout_ns: u64,
    /// Waiting for a quiet disk.
    pub settle_ns: u64,
    /// Driving operations: warm-up, measured part, pauses of the workload, and the watch after the
    /// last ring was closed.
    pub drive_ns: u64,
    /// Having workers exit, and detaching the probes.
    pub detach_ns: u64,
    /// Reading back what was written.
    pub verify_ns: u64,
}

impl Phases {
    /// All of them together.
    #[must_use]
    pub fn sum_ns(&self) -> u64 {
        let Phases { attach_ns, layout_ns, settle_ns, drive_ns, detach_ns, verify_ns } = *self;
        attach_ns + layout_ns + settle_ns + drive_ns + detach_ns + verify_ns
    }
}

impl std::ops::AddAssign for Phases {
    fn add_assign(&mut self, other: Phases) {
        self.attach_ns += other.attach_ns;
        self.layout_ns += other.layout_ns;
        self.settle_ns += other.settle_ns;
        self.drive_ns += other.drive_ns;
        self.detach_ns += other.detach_ns;
        self.verify_ns += other.verify_ns;
    }
}
