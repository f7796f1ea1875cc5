//! `kernels`: boots kernels in turn, has each run the same workloads, and compares them.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Command,
};

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::{
    build::{self, IOWQ, IOWQ_KERNELS, IOWQ_REPORT},
    confirm,
    exit::Exit,
    flags, out, process, record, signals,
};

/// Flags that only ask: nothing is booted.
const QUESTIONS: [&str; 3] = ["--help", "-h", "--version"];

/// Flags that `iowq-report kernels` takes, each with a value; all others are of `iowq-kernels`.
const OF_REPORT: [&str; 3] = ["--threshold", "--alpha", "--format"];

/// Flags of `kernels`: those of `iowq-kernels`, those of the report, and `--confirm`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let [iowq_kernels, iowq_report] = build::release([IOWQ_KERNELS, IOWQ_REPORT])?;
    if options.args.iter().any(|arg| QUESTIONS.iter().any(|question| arg == question)) {
        return Ok(process::run(Command::new(iowq_kernels).args(&options.args))?.into());
    }
    let (out, args) = flags::take(&flags::all(&options.args), "--out")?;
    let out = out.unwrap_or_else(|| out::by_time("kernels", Timestamp::now()));
    let (confirm, args) = flags::has(&args, "--confirm");
    let (of_report, args) = of_report(&args)?;
    let guest = build::linked_statically(IOWQ)?;
    let boot = |out: &Path| boots(&iowq_kernels, &args, out, &guest);
    let report = || {
        let mut report = Command::new(&iowq_report);
        report.arg("kernels").arg(&out).args(&of_report);
        report
    };
    let booted = Exit::from(signals::run(&mut boot(&out))?);

    // What came back before ^C, or before a kernel hung, is worth a report.
    if !record::has_finished_run(&out.join("boots.jsonl"))? {
        return Ok(booted);
    }
    let exit = booted.max(Exit::from(process::run(&mut report())?));
    if !confirm || exit != Exit::Regression {
        return Ok(exit);
    }
    let folder = out.join(confirm::FOLDER);
    eprintln!("confirm  booting all kernels once more, into {}", folder.display());
    let again = Exit::from(signals::run(boot(&folder).arg("--fresh"))?);
    if again != Exit::Fine {
        bail!(
            "the fresh boots did not all finish, so the regression is neither confirmed nor \
             refuted; the same command goes on with them"
        );
    }
    let mut second = report();
    second.arg("--confirmed-by").arg(&folder).arg("--out").arg(&folder);
    Ok(process::run(&mut second)?.into())
}

/// What boots all kernels. Whatever ends us ends it, and it ends the virtual machine.
fn boots(iowq_kernels: &Path, args: &[&OsStr], out: &Path, guest: &Path) -> Command {
    let mut boots = Command::new(iowq_kernels);
    boots.args(args).arg("--out").arg(out).arg("--guest").arg(guest);
    boots.arg("--parent").arg(std::process::id().to_string());
    boots
}

/// Flags of the report with their values, and all the others as they came.
fn of_report<'a>(args: &[&'a OsStr]) -> anyhow::Result<(Vec<&'a OsStr>, Vec<&'a OsStr>)> {
    let (mut report, mut boot) = (Vec::new(), Vec::new());
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        let (name, joined) = text.split_once('=').map_or((&*text, false), |(name, _)| (name, true));
        if !OF_REPORT.contains(&name) {
            boot.push(arg);
            continue;
        }
        report.push(arg);
        if !joined {
            report.push(args.next().with_context(|| format!("{name} needs a value"))?);
        }
    }
    Ok((report, boot))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Apart<'a> = anyhow::Result<(Vec<&'a OsStr>, Vec<&'a OsStr>)>;

    fn apart<'a>(args: &[&'a str]) -> Apart<'a> {
        of_report(&args.iter().map(|arg| OsStr::new(*arg)).collect::<Vec<_>>())
    }

    #[test]
    fn flags_of_the_report_are_taken_out_with_their_values() -> anyhow::Result<()> {
        let args = [
            "--base",
            "a",
            "--threshold",
            "3",
            "--test",
            "b=c",
            "--alpha=0.01",
            "--noise",
            "--boots",
            "2",
        ];
        let (report, boot) = apart(&args)?;
        assert_eq!(report, ["--threshold", "3", "--alpha=0.01"]);
        assert_eq!(boot, ["--base", "a", "--test", "b=c", "--noise", "--boots", "2"]);
        assert!(apart(&["--base", "a", "--threshold"]).is_err());
        Ok(())
    }

    #[test]
    fn boots_are_told_whom_to_end_with() {
        let path = Path::new("x");
        let flags = process::shown(&boots(path, &[OsStr::new("--fresh")], path, path));
        let expected = format!("x --fresh --out x --guest x --parent {}", std::process::id());
        assert_eq!(flags, expected);
    }
}
