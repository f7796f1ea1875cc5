//! Running commands: with a log, progress each minute, and an end when a stop is requested.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::child;
use crate::stop::Stop;

/// How often progress is reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);
/// Lines of a log that are shown if a command failed.
const TAIL_LINES: usize = 25;

/// Runs commands one after the other.
pub(super) struct Runner<'a> {
    logs: PathBuf,
    say: &'a mut dyn FnMut(&str),
    stop: &'a Stop,
}

impl<'a> Runner<'a> {
    /// Logs go to a folder that exists.
    pub(super) fn new(logs: PathBuf, say: &'a mut dyn FnMut(&str), stop: &'a Stop) -> Runner<'a> {
        Runner { logs, say, stop }
    }

    /// Reports a line of progress.
    pub(super) fn say(&mut self, line: &str) {
        (self.say)(line);
    }

    /// Runs a command that takes seconds, and returns its output.
    pub(super) fn output(&self, command: &mut Command) -> anyhow::Result<Output> {
        child::output(command, self.stop)
    }

    /// Runs a command, which the person knows as something such as `building base`. All that it
    /// prints goes to a log.
    pub(super) fn run(
        &mut self,
        what: &str,
        log: &str,
        command: &mut Command,
    ) -> anyhow::Result<()> {
        let log = self.logs.join(log);
        let failed = || format!("cannot write {}", log.display());
        let out = File::create(&log).with_context(failed)?;
        let errors = out.try_clone().with_context(failed)?;
        self.stop.check()?;
        self.say(what);
        let mut child = command
            .stdout(out)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut progress = Progress::new(what);
        let report =
            || progress.line(Instant::now()).into_iter().for_each(|line| (self.say)(&line));
        // If a child outlives this process, at least the cache stays locked.
        let status = child::wait(&mut child, None, self.stop, report)?;
        if !status.is_some_and(|status| status.success()) {
            let status = status.map_or_else(String::new, in_words);
            let tail = tail(&fs::read(&log).unwrap_or_default());
            bail!("{what} failed ({status}). The last lines of {}:\n{tail}", log.display());
        }
        Ok(())
    }
}

/// Progress of a long step.
struct Progress {
    what: String,
    start: Instant,
    reported: Instant,
}

impl Progress {
    fn new(what: &str) -> Progress {
        let now = Instant::now();
        Progress { what: what.to_owned(), start: now, reported: now }
    }

    /// A line, each time a minute went by.
    fn line(&mut self, now: Instant) -> Option<String> {
        if now - self.reported < REPORT_INTERVAL {
            return None;
        }
        self.reported = now;
        Some(format!("{} ({} min so far)", self.what, (now - self.start).as_secs() / 60))
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

fn tail(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_once_a_minute() {
        let mut progress = Progress::new("building base");
        let at = |seconds| progress.start + Duration::from_secs(seconds);
        let times = [59, 60, 61, 119, 185].map(at);
        let lines: Vec<_> = times.into_iter().filter_map(|now| progress.line(now)).collect();
        assert_eq!(lines, ["building base (1 min so far)", "building base (3 min so far)"]);
    }

    #[test]
    fn the_end_of_a_long_log_is_shown() {
        let log: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let tail = tail(log.as_bytes());
        assert!(tail.starts_with("line 75\n") && tail.ends_with("line 99"), "{tail}");
    }

    #[test]
    fn a_failed_command_is_reported_with_its_log_and_output() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut said = Vec::new();
        let mut say = |line: &str| said.push(line.to_owned());
        let stop = Stop::default();
        let mut run = Runner::new(folder.path().to_owned(), &mut say, &stop);
        let mut command = child::tool("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let error = run.run("trying", "log", &mut command).expect_err("it fails").to_string();
        assert!(error.contains("trying failed (exit code 3)"), "{error}");
        assert!(error.contains("log:\none\ntwo"), "{error}");
        assert_eq!(said, ["trying"]);
    }
}
