//! Flags of every command: how much is said.

use clap::Args;

/// Behind the flags of a command in its help.
const LAST: usize = 900;

/// How much is said beside the result.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Verbosity {
    /// Say nothing but errors, and no summary
    #[arg(short, long, global = true, display_order = LAST, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more of what is done
    #[arg(short, long, global = true, display_order = LAST)]
    pub(crate) verbose: bool,
}
