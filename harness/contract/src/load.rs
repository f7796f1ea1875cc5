//! What else the machine did during a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine's load. Each figure is null if the kernel does not give it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Threads that ran or waited for a disk just before the run, as the average of a minute.
    pub before_1min: Option<f64>,
    /// Processors that other processes kept busy during the run, in user mode: 1 is one whole
    /// processor. What the kernel does for the run itself is not in it.
    pub others_cpus: Option<f64>,
    /// Part of all processor time during the run that the host of a virtual machine took away.
    pub steal: Option<f64>,
    /// Part of the run in which some thread waited for a processor (`/proc/pressure/cpu`), those of
    /// the run among them.
    pub cpu_pressure: Option<f64>,
    /// Part of the run in which some thread waited for I/O, likewise.
    pub io_pressure: Option<f64>,
}
