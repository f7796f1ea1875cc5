//! `bench`: runs the harness, then draws the report of whatever finished.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Command,
};

use jiff::Timestamp;

use crate::{
    build::{self, IOWQ, IOWQ_REPORT},
    exit::Exit,
    flags, out, process, record, signals,
};

/// Flags that only ask: nothing runs and nothing is written.
const QUESTIONS: [&str; 4] = ["--help", "-h", "--list", "--version"];

/// Flags of `bench`: those of `iowq bench`, passed through.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `--help` lists them all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    if options.args.iter().any(|arg| QUESTIONS.iter().any(|question| arg == question)) {
        let [iowq] = build::release([IOWQ])?;
        return Ok(process::run(Command::new(iowq).arg("bench").args(&options.args))?.into());
    }
    let (out, args) = flags::take(&flags::all(&options.args), "--out")?;
    let out = out.unwrap_or_else(|| out::by_time(Timestamp::now()));
    out::refuse_used(&out)?;
    let [iowq, iowq_report] = build::release([IOWQ, IOWQ_REPORT])?;
    measure_and_report(Command::new(iowq), Command::new(iowq_report), &args, &out)
}

fn measure_and_report(
    mut iowq: Command,
    mut iowq_report: Command,
    args: &[&OsStr],
    out: &Path,
) -> anyhow::Result<Exit> {
    let measured = Exit::from(signals::run(iowq.arg("bench").args(args).arg("--out").arg(out))?);

    // After ^C, or when a run failed, the runs that finished are still worth a report.
    let record = out.join("record.jsonl");
    if !record::has_finished_run(&record)? {
        return Ok(measured);
    }
    let reported = process::run(iowq_report.arg(&record).arg("--out").arg(out))?;
    Ok(measured.max(reported.into()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Runs shell scripts in place of the binaries; says how it ended and what the report wrote.
    fn stand_ins(iowq: &str, iowq_report: &str) -> anyhow::Result<(Exit, Option<String>)> {
        let _alone = signals::alone();
        let out = tempfile::tempdir()?;
        let script = |text: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", text, "sh"]);
            shell
        };
        let (iowq, iowq_report) = (script(iowq), script(iowq_report));
        let exit = measure_and_report(iowq, iowq_report, &["--quick".as_ref()], out.path())?;
        Ok((exit, fs::read_to_string(out.path().join("summary.txt")).ok()))
    }

    /// Checks how it was called, as `bench --quick --out DIR`, and finishes one run.
    const FINISHES: &str =
        r#"[ "$1 $2 $3" = "bench --quick --out" ] && echo {} > "$4/record.jsonl""#;
    /// Checks how it was called, as `RECORD --out DIR`.
    const REPORTS: &str =
        r#"[ "$1 $2" = "$3/record.jsonl --out" ] && echo drawn > "$3/summary.txt""#;

    #[test]
    fn what_finished_is_reported_and_the_worst_exit_code_wins() -> anyhow::Result<()> {
        let drawn = || Some("drawn\n".to_owned());
        assert_eq!(stand_ins(FINISHES, REPORTS)?, (Exit::Fine, drawn()));
        assert_eq!(
            stand_ins(&format!("{FINISHES}; exit 2"), REPORTS)?,
            (Exit::Trouble, drawn()),
            "a failed run does not take the others with it",
        );
        assert_eq!(stand_ins(FINISHES, "exit 3")?, (Exit::NoVerdict, None));
        Ok(())
    }

    #[test]
    fn without_a_finished_run_nothing_is_reported() -> anyhow::Result<()> {
        assert_eq!(stand_ins("exit 2", REPORTS)?, (Exit::Trouble, None));
        Ok(())
    }
}
