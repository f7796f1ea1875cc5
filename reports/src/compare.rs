//! Comparisons: what changed from one set of runs to another, how sure that is, and whether it
//! matters. The unit is the run, or the boot if kernels were booted, never the operation. The method
//! and its sources are in `compare/VERDICTS.md`.

pub(crate) mod blockers;
pub(crate) mod charts;
pub(crate) mod comparison;
pub(crate) mod confirm;
pub(crate) mod control;
pub(crate) mod decide;
pub(crate) mod differs;
pub(crate) mod finding;
pub(crate) mod hosts;
pub(crate) mod judge;
pub mod ktap;
pub(crate) mod limit;
pub(crate) mod missing_values;
pub(crate) mod noise;
pub(crate) mod notes;
pub(crate) mod order;
pub mod page;
pub(crate) mod pairs;
pub mod plan;
pub(crate) mod prose;
pub mod rerun;
mod selector;
pub mod set;
pub(crate) mod stayed;
#[cfg(test)]
pub(crate) mod test_sets;
pub mod text;
pub(crate) mod verdict;

pub use comparison::{
    Comparison, Comparisons, Confirmation, ConfirmationOutcome, Control, Pairing,
};
pub use decide::Decides;
pub use finding::{Finding, Lone, OneSided, Point, Verdict};
pub use judge::Rules;
pub use verdict::{compare, compare_by};

pub use crate::runs::metric::{Metric, Scale};
