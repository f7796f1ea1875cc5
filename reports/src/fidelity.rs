//! Fidelity: how near the presets come to the running kernel, over the workloads of a grid.

pub mod analysis;
pub mod cell;
pub mod charts;
pub mod dispatch;
pub mod dispatch_table;
pub mod factor;
pub mod name;
pub mod page;
pub mod prose;
pub mod share;
pub mod totals;
pub mod variants;

pub use analysis::Fidelity;
