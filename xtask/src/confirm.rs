//! `compare --confirm`: what got worse is measured once more, and counts only if it is worse again.
//!
//! What to measure again, and whether that can be done here, `iowq-report fresh` says: here
//! processes are started, and nothing is known of records.

use std::{
    ffi::OsStr,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{exit::Exit, process, signals};

/// Folder for fresh runs and what comes of them, in the folder for the results.
pub(crate) const FOLDER: &str = "confirm";

/// The programs that are started.
pub(crate) struct Tools<'a> {
    pub(crate) iowq: &'a dyn Fn() -> Command,
    pub(crate) iowq_report: &'a dyn Fn() -> Command,
}

/// What is wanted.
pub(crate) struct Request<'a> {
    /// Sets and flags of `iowq-report compare`, without a folder for results.
    pub(crate) args: Vec<&'a OsStr>,
    /// Folder for the files under test, if not the usual one.
    pub(crate) dir: Option<PathBuf>,
    /// Folder for what the first comparison writes, if it is to write anything.
    pub(crate) first: Option<PathBuf>,
    /// Folder for fresh runs, each bench in one of its own, and for the second comparison.
    pub(crate) folder: PathBuf,
}

/// Compares; where that shows a regression, measures again and compares with what came of it.
///
/// Only the last result goes to standard output. The first one stays where it was written.
pub(crate) fn compare(tools: &Tools<'_>, request: &Request<'_>) -> anyhow::Result<Exit> {
    let mut first = (tools.iowq_report)();
    first.arg("compare").args(&request.args);
    if let Some(out) = &request.first {
        first.arg("--out").arg(out);
    }
    let (status, text) = process::captured(&mut first)?;
    let exit = Exit::from(status);
    if exit != Exit::Regression {
        // A reader that closed the pipe has seen enough.
        let _ = io::stdout().write_all(text.as_bytes());
        return Ok(exit);
    }
    let _ = io::stderr().write_all(text.as_bytes());
    let records = measure_again(tools, request)?;
    let mut second = (tools.iowq_report)();
    second.arg("compare").args(&request.args).arg("--out").arg(&request.folder);
    for record in records {
        second.arg("--confirmed-by").arg(record);
    }
    let exit = Exit::from(process::run(&mut second)?);
    eprintln!("confirm  {}", request.folder.display());
    Ok(exit)
}

/// Makes the fresh runs and returns their folders.
fn measure_again(tools: &Tools<'_>, request: &Request<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let benches = benches(tools, request)?;
    let mut folders = Vec::new();
    for (number, flags) in (1..).zip(&benches) {
        let folder = request.folder.join(number.to_string());
        let mut bench = (tools.iowq)();
        bench.arg("bench").args(flags).arg("--out").arg(&folder);
        if let Some(dir) = &request.dir {
            bench.arg("--dir").arg(dir);
        }
        eprintln!("confirm  bench {number} of {}: {}", benches.len(), process::shown(&bench));
        if Exit::from(signals::run(&mut bench)?) != Exit::Fine {
            return Err(unfinished(&folder));
        }
        folders.push(folder);
    }
    Ok(folders)
}

/// The flags of each bench.
fn benches(tools: &Tools<'_>, request: &Request<'_>) -> anyhow::Result<Vec<Vec<String>>> {
    let mut host = (tools.iowq)();
    host.arg("host");
    if let Some(dir) = &request.dir {
        host.arg("--dir").arg(dir);
    }
    let host = answer(&mut host).context("what this host is, is not known")?;
    let mut fresh = (tools.iowq_report)();
    fresh.arg("fresh").args(&request.args).arg("--host").arg(host.trim());
    let text = answer(&mut fresh).context("the regression cannot be measured again from here")?;
    let benches: Vec<Vec<String>> =
        serde_json::from_str(&text).context("what iowq-report says of benches is no list")?;
    if benches.is_empty() {
        bail!("there is a regression, and no bench that would measure it again");
    }
    Ok(benches)
}

/// What a command prints, if it ends well.
fn answer(command: &mut Command) -> anyhow::Result<String> {
    let (status, text) = process::captured(command)?;
    if !status.success() {
        bail!("`{}` failed; what it said is above", process::shown(command));
    }
    Ok(text)
}

/// A part of the pairs is no ground for a verdict: whoever stops at will may stop where it fits.
fn unfinished(folder: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "the fresh runs did not all finish, so the regression is neither confirmed nor refuted; \
         those that did are in {}",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What a call of the stand-ins came to.
    struct Came {
        exit: anyhow::Result<Exit>,
        /// Every call, a line each.
        calls: String,
        folder: tempfile::TempDir,
    }

    /// Compares with shell scripts in place of the binaries; each writes down how it was called.
    fn stand_ins(iowq: &str, iowq_report: &str) -> anyhow::Result<Came> {
        let _alone = signals::alone();
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("calls");
        let script = |name: &str, text: &str| {
            let text = format!("echo {name} \"$@\" >> \"$CALLS\"; {text}");
            let mut shell = Command::new("sh");
            shell.args(["-c", &text, "sh"]).env("CALLS", &log);
            shell
        };
        let request = Request {
            args: ["a@x", "a@y", "--format", "json"].map(OsStr::new).to_vec(),
            dir: Some(PathBuf::from("disk")),
            first: Some(folder.path().join("out")),
            folder: folder.path().join("out/confirm"),
        };
        let tools = Tools {
            iowq: &|| script("iowq", iowq),
            iowq_report: &|| script("report", iowq_report),
        };
        let exit = compare(&tools, &request);
        let calls = fs::read_to_string(&log)?.replace(&folder.path().display().to_string(), "T");
        Ok(Came { exit, calls, folder })
    }

    /// Says what the host is, and finishes the runs of a bench.
    const MEASURES: &str = r#"
        if [ "$1" = host ]; then echo '{"cpu":"x"}'; exit; fi
        while [ "$1" != --out ]; do shift; done
        mkdir -p "$2"; echo run > "$2/record.jsonl""#;

    /// Finds a regression, names two benches, and ends as `$LAST` says where fresh runs are named.
    const REGRESSED: &str = r#"
        case "$*" in
            fresh*) echo '[["--workload=w","--pairs=8"],["--workload=my v"]]'; exit;;
            *--confirmed-by*) exit LAST;;
            *) exit 1;;
        esac"#;

    fn regressed(last: u8) -> String {
        REGRESSED.replace("LAST", &last.to_string())
    }

    #[test]
    fn without_a_regression_nothing_is_measured_again() -> anyhow::Result<()> {
        for (code, exit) in [(0, Exit::Fine), (3, Exit::NoVerdict), (2, Exit::Trouble)] {
            let came = stand_ins(MEASURES, &format!("exit {code}"))?;
            assert_eq!(came.exit?, exit);
            assert_eq!(came.calls, "report compare a@x a@y --format json --out T/out\n");
        }
        Ok(())
    }

    #[test]
    fn a_regression_is_measured_again_and_the_second_comparison_decides() -> anyhow::Result<()> {
        for (last, exit) in [(1, Exit::Regression), (3, Exit::NoVerdict), (0, Exit::Fine)] {
            let came = stand_ins(MEASURES, &regressed(last))?;
            assert_eq!(came.exit?, exit);
            let calls = r#"report compare a@x a@y --format json --out T/out
iowq host --dir disk
report fresh a@x a@y --format json --host {"cpu":"x"}
iowq bench --workload=w --pairs=8 --out T/out/confirm/1 --dir disk
iowq bench --workload=my v --out T/out/confirm/2 --dir disk
report compare a@x a@y --format json --out T/out/confirm --confirmed-by T/out/confirm/1 --confirmed-by T/out/confirm/2
"#;
            assert_eq!(came.calls, calls);
        }
        Ok(())
    }

    #[test]
    fn runs_that_did_not_all_finish_confirm_nothing_and_stay() -> anyhow::Result<()> {
        for end in ["exit 2", "kill -TERM $$"] {
            let came = stand_ins(&format!("{MEASURES}; {end}"), &regressed(1))?;
            let error = came.exit.expect_err("the bench did not end well").to_string();
            assert!(error.contains("neither confirmed nor refuted"), "{error}");
            assert!(!came.calls.contains("confirm/2") && !came.calls.contains("--confirmed-by"));
            let record = came.folder.path().join("out/confirm/1/record.jsonl");
            assert_eq!(fs::read_to_string(record)?, "run\n");
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_measured_again_is_trouble_and_nothing_runs() -> anyhow::Result<()> {
        for fresh in ["exit 2", "echo '[]'; exit", "echo nonsense; exit"] {
            let report = format!("case \"$1\" in fresh) {fresh};; *) exit 1;; esac");
            let came = stand_ins(MEASURES, &report)?;
            assert!(came.exit.is_err(), "{fresh}");
            assert!(!came.calls.contains("iowq bench"), "{}", came.calls);
        }
        Ok(())
    }
}
