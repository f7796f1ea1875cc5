//! `report`: draws the page and the summary of records that exist.

use std::{ffi::OsString, process::Command};

use crate::{
    build::{self, IOWQ_REPORT},
    exit::Exit,
    process,
};

/// Flags of `report`: those of `iowq-report`, passed through.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `RECORD… [--out DIR]`; `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let [iowq_report] = build::release([IOWQ_REPORT])?;
    Ok(process::run(Command::new(iowq_report).args(&options.args))?.into())
}
