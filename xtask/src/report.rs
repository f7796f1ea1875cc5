//! `report`, `export` and `import`: what `iowq-report` does with records that exist.

use std::{ffi::OsString, process::Command};

use crate::{
    build::{self, IOWQ_REPORT},
    exit::Exit,
    process,
};

/// Flags of such a command: those of `iowq-report`, passed through.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command of `iowq-report` that is named, or its first purpose, the report.
pub(crate) fn run(command: Option<&str>, options: &Options) -> anyhow::Result<Exit> {
    let [iowq_report] = build::release([IOWQ_REPORT])?;
    Ok(process::run(Command::new(iowq_report).args(command).args(&options.args))?.into())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Report {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn flags_reach_iowq_report_as_they_were_given() {
        let given = ["report", "record.jsonl", "--workload", "dsync", "--out", "dir", "--help"];
        let parsed = Report::try_parse_from(given).expect("nothing is refused here");
        assert_eq!(parsed.options.args, given[1..]);
        let flags_first = ["report", "--workload", "dsync", "record.jsonl"];
        let parsed = Report::try_parse_from(flags_first).expect("nothing is refused here");
        assert_eq!(parsed.options.args, flags_first[1..]);
    }
}
