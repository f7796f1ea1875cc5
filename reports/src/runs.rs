//! Runs: groups of them, their figures and metrics, and how they differ. Common to all subjects.

pub mod arrival;
pub mod births;
pub mod caveat;
pub mod counts;
pub mod differences;
pub mod dispatch;
pub mod figures;
pub mod group;
pub mod histogram;
pub mod linger;
pub mod metric;
pub mod plans;
pub mod sample_size;
pub mod thin;
pub mod unit;
