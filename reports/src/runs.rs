//! Runs: groups of them, their figures and metrics, and how they differ. Common to all subjects.

pub(crate) mod arrival;
pub(crate) mod births;
pub(crate) mod caveat;
pub(crate) mod counts;
pub(crate) mod differences;
pub(crate) mod dispatch;
pub(crate) mod figures;
pub(crate) mod group;
pub(crate) mod histogram;
pub(crate) mod hosts;
pub(crate) mod linger;
pub mod metric;
pub(crate) mod plans;
pub(crate) mod sample_size;
pub(crate) mod set;
pub(crate) mod thin;
pub(crate) mod unit;
