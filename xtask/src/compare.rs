//! `compare`: says what changed from one set of records to others, and whether it matters.

use std::{ffi::OsString, process::Command};

use crate::{
    build::{self, IOWQ_REPORT},
    exit::Exit,
    process,
};

/// Flags of `compare`: those of `iowq-report compare`, passed through.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `BASE TEST… [--threshold PCT] [--out DIR]`; `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command. Its exit code is ours: it says whether there is a regression.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let [iowq_report] = build::release([IOWQ_REPORT])?;
    Ok(process::run(Command::new(iowq_report).arg("compare").args(&options.args))?.into())
}
