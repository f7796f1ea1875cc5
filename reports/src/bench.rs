//! Runs of a bench: what they say of policies, as a page and a text.

pub mod analysis;
pub mod answer;
pub mod births;
pub mod caveats;
pub mod charts;
pub mod fidelity;
pub mod page;
pub mod ranges;
pub mod settings;
pub mod text;
pub mod topic;
