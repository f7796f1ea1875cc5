//! `doctor`: what this machine can do, and the command that fixes what it cannot.

use std::{ffi::OsString, process::Command};

use crate::{
    build::{self, IOWQ},
    exit::Exit,
    process,
};

/// Flags of `doctor`: those of `iowq doctor`, passed through.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `[--dir DIR]`; `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let [iowq] = build::release([IOWQ])?;
    Ok(process::run(Command::new(iowq).arg("doctor").args(&options.args))?.into())
}
