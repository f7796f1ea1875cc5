//! Flags of `kernels`: those of the boots, and how they are judged.

use std::path::PathBuf;

use clap::Args;
use iowq_kernels::options::Options;

use super::compare::JudgingFlags;

/// Flags of `kernels`.
#[derive(Args, Clone, Debug)]
pub(crate) struct KernelsFlags {
    /// What is booted
    #[command(flatten)]
    pub(crate) boots: Options,
    /// How boots are judged, and what to print
    #[command(flatten)]
    pub(crate) judging: JudgingFlags,
    /// After a regression, boot all kernels once more in the folder `confirm` of --out, and count it
    /// only if these boots alone show it too
    #[arg(long)]
    pub(crate) confirm: bool,
    /// The program that is the first process of a guest
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) guest: Option<PathBuf>,
}
