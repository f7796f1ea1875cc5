//! The order of runs: rounds by twos, each with every cell once, the second the first backwards.

use iowq_contract::order::{ScheduledRun, rounds};

/// One run's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of its workload.
    pub(super) workload: usize,
    /// Index of its arm.
    pub(super) arm: usize,
    /// Which round it is in.
    pub(super) pair: u32,
    /// Place in the whole.
    pub(super) position: u32,
}

/// All runs, in the order that [`rounds`] describes: the arms of a workload are compared, and so
/// run back to back.
pub(super) fn places(workloads: usize, arms: usize, pairs: u32, seed: u64) -> Vec<Place> {
    let place = |run: ScheduledRun| Place {
        workload: run.group,
        arm: run.variant,
        pair: run.round,
        position: run.number,
    };
    rounds(workloads, arms, pairs, seed).into_iter().map(place).collect()
}
