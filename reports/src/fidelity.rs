//! Fidelity: how near the presets come to the running kernel, over the workloads of a grid.

pub(crate) mod analysis;
pub(crate) mod cell;
pub(crate) mod charts;
pub(crate) mod dispatch;
pub(crate) mod dispatch_table;
pub(crate) mod factor;
pub(crate) mod name;
pub(crate) mod page;
pub(crate) mod prose;
pub(crate) mod share;
pub(crate) mod totals;
pub(crate) mod variants;
