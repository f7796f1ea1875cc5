//! Flags: what a person types, each with its help, in one place.

pub(crate) mod bench;
mod choice;
pub(crate) mod compare;
pub(crate) mod exchange;
pub(crate) mod kernels;
pub(crate) mod report;
pub(crate) mod settings;
pub(crate) mod trace;
pub(crate) mod variants;
pub(crate) mod verbosity;

use clap::ValueEnum;

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What a comparison prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerdictFormat {
    /// A table and a sentence per workload
    Text,
    /// All figures
    Json,
    /// Test results as kernel CI reads them
    Ktap,
}
