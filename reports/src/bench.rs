//! Runs of a bench: what they say of policies, as a page and a text.

pub mod analysis;
pub(crate) mod answer;
pub(crate) mod births;
pub(crate) mod caveats;
pub(crate) mod charts;
pub(crate) mod fidelity;
pub mod page;
pub(crate) mod ranges;
pub(crate) mod settings;
pub(crate) mod side_by_side;
pub(crate) mod tasks;
pub mod text;
pub(crate) mod topic;
