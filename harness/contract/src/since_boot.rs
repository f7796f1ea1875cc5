//! When a run started, by a clock that is never set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a run started, counted from the boot of its machine: order and distance of two runs of one
/// boot hold whatever becomes of the wall clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SinceBoot {
    /// The kernel's random number of the boot (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
    /// `CLOCK_MONOTONIC` at the start of the run.
    pub started_ns: u64,
}

impl SinceBoot {
    /// Whether this is before another time of the same boot; none if the boots differ.
    #[must_use]
    pub fn is_before(&self, other: &SinceBoot) -> Option<bool> {
        (self.boot_id == other.boot_id).then_some(self.started_ns < other.started_ns)
    }
}
