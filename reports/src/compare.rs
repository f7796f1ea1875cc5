//! Comparisons: what changed from one set of runs to another, how sure that is, and whether it
//! matters. The unit is the run, or the boot if kernels were booted, never the operation. The method
//! and its sources are in `compare/VERDICTS.md`.

pub mod blockers;
pub mod charts;
pub mod comparison;
pub mod confirm;
pub mod control;
pub mod decide;
pub mod finding;
pub mod hosts;
pub mod judge;
pub mod ktap;
pub mod limit;
pub mod missing_values;
pub mod noise;
pub mod notes;
pub mod order;
pub mod page;
pub mod pairs;
pub mod plan;
pub mod prose;
pub mod rerun;
pub mod set;
pub mod stayed;
#[cfg(test)]
pub(crate) mod test_sets;
pub mod text;
pub mod verdict;

pub use comparison::{
    Comparison, Comparisons, Confirmation, ConfirmationOutcome, Control, Pairing,
};
pub use decide::Decides;
pub use finding::{Finding, Lone, OneSided, Point, Verdict};
pub use judge::Rules;
pub use verdict::{compare, compare_by};

pub use crate::runs::metric::{Metric, Scale};
