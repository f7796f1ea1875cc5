//! Flags of every command: how much is said.

use clap::Args;

/// How much is said beside the result.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Verbosity {
    /// Say nothing but errors, and no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more of what is done
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}
