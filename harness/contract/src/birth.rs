//! What the birth of a worker costs, in the pool and in the kernel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Medians over the births of a run, and over a few made before it on the same machine: the pool
/// creates a pthread where the kernel creates a thread of its own (`create_io_thread`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Birth {
    /// Time that the thread which created a worker of the pool spent on it, the locks and the join of
    /// the slot's last thread included; null for io_uring, whose own time is not seen.
    pub creator_ns_p50: Option<u64>,
    /// From the creation of a worker to its first instruction, its naming; null without probes.
    pub start_ns_p50: Option<u64>,
    /// What creating one thread like the pool's takes before the run, in the thread that creates it.
    pub before_thread_ns_p50: Option<u64>,
    /// What io_uring_enter takes longer before the run if it creates a worker.
    pub before_kernel_ns_p50: Option<u64>,
}
