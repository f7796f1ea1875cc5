//! Running commands: in a process group of their own, with a log, with a word each minute, and
//! ended when somebody asks to stop.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::BuildError;

/// How often a child is looked at; a build takes minutes.
const LOOK: Duration = Duration::from_millis(50);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(60);
/// How long a child may take to tidy up.
const TIDY: Duration = Duration::from_secs(5);
/// Lines of a log that are shown where a command failed.
const TAIL_LINES: usize = 25;

/// Runs commands one after the other.
pub(super) struct Runner<'a> {
    logs: PathBuf,
    say: &'a mut dyn FnMut(&str),
    signals: Signals,
}

impl Runner<'_> {
    /// Logs go to a folder that exists.
    pub(super) fn new(logs: PathBuf, say: &mut dyn FnMut(&str)) -> Result<Runner<'_>, BuildError> {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|cause| BuildError::io("watch for signals in", Path::new("build"), cause))?;
        Ok(Runner { logs, say, signals })
    }

    /// Tells a line of progress.
    pub(super) fn say(&mut self, line: &str) {
        (self.say)(line);
    }

    /// Ends what is under way where somebody asked to stop.
    pub(super) fn check(&mut self) -> Result<(), BuildError> {
        match self.signals.pending().next() {
            Some(_) => Err(BuildError::Interrupted),
            None => Ok(()),
        }
    }

    /// Runs a command, which the person knows as something such as `building base`. All that it
    /// prints goes to a log.
    pub(super) fn run(
        &mut self,
        what: &str,
        log: &str,
        command: &mut Command,
    ) -> Result<(), BuildError> {
        let log = self.logs.join(log);
        let failed = |cause| BuildError::io("write", &log, cause);
        let out = File::create(&log).map_err(failed)?;
        let errors = out.try_clone().map_err(failed)?;
        self.check()?;
        self.say(what);
        let mut progress = Progress::new(what);
        command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(errors);
        let mut child = command
            .spawn()
            .map_err(|cause| BuildError::io("start", Path::new(command.get_program()), cause))?;
        let status = self.wait(&mut child, &mut progress)?;
        if !status.success() {
            let (what, status) = (what.to_owned(), in_words(status));
            let tail = tail(&fs::read(&log).unwrap_or_default());
            return Err(BuildError::Failed { what, status, log, tail });
        }
        Ok(())
    }

    fn wait(
        &mut self,
        child: &mut Child,
        progress: &mut Progress,
    ) -> Result<ExitStatus, BuildError> {
        let failed = |cause| BuildError::io("wait for", Path::new("a command"), cause);
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            if let Err(interrupted) = self.check() {
                end(child).map_err(failed)?;
                return Err(interrupted);
            }
            if let Some(line) = progress.line(Instant::now()) {
                self.say(&line);
            }
            thread::sleep(LOOK);
        }
    }
}

/// Ends a child and all that it started: politely, so that make removes what is half written, and
/// after a while not so.
fn end(child: &mut Child) -> std::io::Result<()> {
    let group = Pid::from_child(child);
    let start = Instant::now();
    // The child was not waited for, so that its id is still its own. The group may be gone.
    let _ = kill_process_group(group, Signal::TERM);
    while child.try_wait()?.is_none() {
        if start.elapsed() > TIDY {
            let _ = kill_process_group(group, Signal::KILL);
            child.wait()?;
            break;
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// What is told of something that takes long.
struct Progress {
    what: String,
    start: Instant,
    told: Instant,
}

impl Progress {
    fn new(what: &str) -> Progress {
        let now = Instant::now();
        Progress { what: what.to_owned(), start: now, told: now }
    }

    /// A line, each time a minute went by.
    fn line(&mut self, now: Instant) -> Option<String> {
        if now - self.told < TELL {
            return None;
        }
        self.told = now;
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
    fn a_command_that_fails_is_named_with_its_log_and_what_it_said() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut said = Vec::new();
        let mut say = |line: &str| said.push(line.to_owned());
        let mut run = Runner::new(folder.path().to_owned(), &mut say).expect("signals are watched");
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let error = run.run("trying", "log", &mut command).expect_err("it fails").to_string();
        assert!(error.contains("trying failed (exit code 3)"), "{error}");
        assert!(error.contains("log:\none\ntwo"), "{error}");
        assert_eq!(said, ["trying"]);
    }
}
