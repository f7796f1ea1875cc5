//! `compare`: says what changed from one set of records to others, and whether it matters.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::Command,
};

use anyhow::bail;
use jiff::Timestamp;

use crate::{
    build::{self, IOWQ, IOWQ_REPORT},
    confirm::{self, Tools},
    exit::Exit,
    flags, out, process,
};

/// Flags of `compare`: those of `iowq-report compare`, passed through, and our own `--confirm`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `BASE TEST… [--threshold PCT] [--out DIR] [--confirm [--dir DIR]]`; `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command. Its exit code is ours: it says whether there is a regression.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let args = flags::all(&options.args);
    let is_help = args.iter().any(|arg| *arg == "--help" || *arg == "-h");
    match flags::has(&args, "--confirm") {
        (true, rest) if !is_help => confirmed(&rest),
        (_, rest) => {
            let [iowq_report] = build::release([IOWQ_REPORT])?;
            Ok(process::run(Command::new(iowq_report).arg("compare").args(rest))?.into())
        }
    }
}

fn confirmed(args: &[&OsStr]) -> anyhow::Result<Exit> {
    let (given, args) = flags::take(args, "--out")?;
    let (dir, args) = flags::take(&args, "--dir")?;
    refuse_confirmed_by(&args)?;
    let out = given.clone().unwrap_or_else(|| out::by_time(Timestamp::now()));
    let request = confirm::Request { args, dir, first: given, folder: out.join(confirm::FOLDER) };
    out::refuse_used(&request.folder)?;
    let [iowq, iowq_report]: [PathBuf; 2] = build::release([IOWQ, IOWQ_REPORT])?;
    let tools =
        Tools { iowq: &|| Command::new(&iowq), iowq_report: &|| Command::new(&iowq_report) };
    confirm::compare(&tools, &request)
}

/// Runs that exist are one way to confirm, runs that are made are the other.
fn refuse_confirmed_by(args: &[&OsStr]) -> anyhow::Result<()> {
    let names_runs = |arg: &&OsStr| arg.to_string_lossy().starts_with("--confirmed-by");
    if args.iter().any(names_runs) {
        bail!(
            "--confirm makes fresh runs, and --confirmed-by names those that there are: leave one \
             of them away"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_runs_are_made_or_named_and_not_both() {
        let error = |arg: &str| refuse_confirmed_by(&[arg.as_ref()]);
        assert!(error("--confirmed-by").is_err() && error("--confirmed-by=runs").is_err());
        assert!(error("runs@6.12").is_ok());
    }
}
