//! The virtual machine: QEMU with a console, a port for messages and a disk, gone when dropped.
//!
//! The kernel kills QEMU when we are killed. The port is QEMU's standard input, one end of a pair of sockets: it has no path that could be too
//! long or be left behind, and no moment without a reader.

mod arguments;

use std::{
    collections::VecDeque,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, read, retry_on_intr},
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};

use crate::{child, host_tool, lines::Lines, stop::Stop, stopwatch::Stopwatch};
pub use arguments::Parts;

/// How long a stream may stay open after QEMU has ended.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// Once a deadline passed, what was said before is still read, until nothing comes for so long.
const SILENCE_MIN: Duration = Duration::from_millis(200);
/// A machine that never stops talking must not outrun its deadline by more than this. It is more
/// than one step of the stopwatch: what was said while we were stopped is read in any case.
const LAST_WORDS_MAX: Duration = Duration::from_secs(2);
/// How often it is checked whether QEMU ended or a stop was requested.
const LOOK_MAX: Duration = Duration::from_millis(50);
const PIECE_BYTES_MAX: usize = 64 << 10;
/// What is kept of QEMU's own words.
const ERROR_LINES_MAX: usize = 8;
const ERROR_LINE_BYTES_MAX: usize = 1000;

/// What comes out of a virtual machine.
#[derive(Debug)]
pub enum Event {
    /// Bytes of the console.
    Console(Vec<u8>),
    /// Bytes of the port for messages.
    Port(Vec<u8>),
    /// It ended, and everything it said was handed out.
    Gone(ExitStatus),
    /// The deadline passed.
    Late,
}

/// A stream of QEMU.
#[derive(Clone, Copy)]
enum Stream {
    Console,
    Port,
    Errors,
}

/// A running QEMU. It is killed when this is dropped, when the thread that started it ends, or
/// when the process does, however it does.
pub struct Machine {
    child: Child,
    pid: Pid,
    /// Those that did not end.
    streams: Vec<(Stream, OwnedFd)>,
    /// It was waited for, and its number may be another's.
    reaped: bool,
    watch: Stopwatch,
    /// Since when it is gone, whether or not all it said was read.
    ended: Option<Duration>,
    error_lines: Lines,
    errors: VecDeque<String>,
}

/// Finds QEMU.
///
/// # Errors
///
/// It is not installed, with the package that brings it.
pub fn find_qemu() -> anyhow::Result<PathBuf> {
    let packages = "qemu-system-x86 (Debian) or qemu-system-x86-core (Fedora)";
    host_tool::find("qemu-system-x86_64", packages)
}

/// First line of `qemu-system-x86_64 --version`.
///
/// # Errors
///
/// It cannot be started, says nothing or does not end, or a stop is requested.
pub fn version(qemu: &Path, stop: &Stop) -> anyhow::Result<String> {
    let failed = || format!("cannot ask {} for its version", qemu.display());
    let output = child::output(child::tool(qemu).arg("--version"), stop);
    stop.check()?;
    let output = output.with_context(failed)?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned).with_context(failed)
}

impl Machine {
    /// Switches a machine on.
    ///
    /// # Errors
    ///
    /// QEMU cannot be started. What QEMU itself finds wrong
    /// comes later, as its end.
    pub fn start(parts: &Parts<'_>) -> anyhow::Result<Machine> {
        let (ours, theirs) = UnixStream::pair().context("cannot create a pair of sockets")?;
        // A terminal's ^C is for us, and we end QEMU.
        let mut command = child::command(parts.qemu, Signal::KILL);
        command.args(arguments::of(parts)).stdin(OwnedFd::from(theirs));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot run {}", parts.qemu.display()))?;
        let console = child.stdout.take().map(|stdout| (Stream::Console, stdout.into()));
        let errors = child.stderr.take().map(|stderr| (Stream::Errors, stderr.into()));
        let port = Some((Stream::Port, ours.into()));
        Ok(Machine {
            pid: Pid::from_child(&child),
            child,
            streams: [console, errors, port].into_iter().flatten().collect(),
            reaped: false,
            watch: Stopwatch::start(),
            ended: None,
            error_lines: Lines::new(ERROR_LINE_BYTES_MAX),
            errors: VecDeque::new(),
        })
    }

    /// The time since its start in which it was supervised. What went by while we were stopped,
    /// as by ^Z, does not count: the machine was stopped too, or could not be read.
    pub fn time(&mut self) -> Duration {
        self.watch.time()
    }

    /// The next thing that happens, until the deadline, which is a [`Machine::time`].
    ///
    /// # Errors
    ///
    /// If a stop was requested, or the kernel does not let us wait.
    pub fn next(&mut self, deadline: Duration, stop: &Stop) -> anyhow::Result<Event> {
        loop {
            stop.check()?;
            if self.ended.is_none() && self.has_ended() {
                self.ended = Some(self.time());
                // What it may have started would keep the streams open.
                self.kill();
            }
            if self.ended.is_some() && self.streams.is_empty() {
                return self.gone();
            }
            let until = self.ended.map_or(deadline, |ended| ended + DRAIN_MAX);
            let time = self.time();
            let (left, over) = (until.saturating_sub(time), time.saturating_sub(until));
            let bytes = match (left.is_zero(), over < LAST_WORDS_MAX) {
                (false, _) => self.read(left.min(LOOK_MAX))?,
                (true, true) => self.read(SILENCE_MIN)?,
                (true, false) => None,
            };
            match bytes {
                Some((Stream::Console, bytes)) => return Ok(Event::Console(bytes)),
                Some((Stream::Port, bytes)) => return Ok(Event::Port(bytes)),
                Some((Stream::Errors, bytes)) => self.complain(&bytes),
                None if !left.is_zero() => {}
                None if self.ended.is_some() => return self.gone(),
                None => return Ok(Event::Late),
            }
        }
    }

    /// Whether QEMU ended. It is not waited for, so that its number stays its own.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        matches!(waitid(WaitId::Pid(self.pid), options), Ok(Some(_)))
    }

    /// What a stream has to say, if any does within that time. None also if a stream ended.
    fn read(&mut self, time_max: Duration) -> anyhow::Result<Option<(Stream, Vec<u8>)>> {
        let mut ready: Vec<_> =
            self.streams.iter().map(|(_, fd)| PollFd::new(fd, PollFlags::IN)).collect();
        let time_max = Timespec::try_from(time_max)?;
        match poll(&mut ready, Some(&time_max)) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            waited => waited.context("cannot wait for QEMU")?,
        };
        let Some(at) = ready.iter().position(|fd| !fd.revents().is_empty()) else {
            return Ok(None);
        };
        let (stream, fd) = self.streams.remove(at);
        let mut bytes = vec![0; PIECE_BYTES_MAX];
        // A reset is what a socket says whose other end died with bytes unread.
        let count = retry_on_intr(|| read(&fd, &mut bytes)).unwrap_or(0);
        if count == 0 {
            return Ok(None);
        }
        // The others come first the next time.
        self.streams.push((stream, fd));
        bytes.truncate(count);
        Ok(Some((stream, bytes)))
    }

    /// The last lines that QEMU itself said; none if it said nothing.
    #[must_use]
    pub fn errors(&self) -> Vec<&str> {
        self.errors.iter().map(String::as_str).collect()
    }

    fn complain(&mut self, bytes: &[u8]) {
        for line in self.error_lines.push(bytes) {
            self.keep_error(&line.bytes);
        }
    }

    fn keep_error(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim().trim_start_matches("qemu-system-x86_64: ");
        if !line.is_empty() {
            self.errors.push_back(line.to_owned());
        }
        if self.errors.len() > ERROR_LINES_MAX {
            self.errors.pop_front();
        }
    }

    fn gone(&mut self) -> anyhow::Result<Event> {
        let rest = self.error_lines.rest();
        self.keep_error(&rest);
        let status = self.child.wait().context("cannot wait for QEMU")?;
        self.reaped = true;
        Ok(Event::Gone(status))
    }

    /// Kills QEMU and whatever it started.
    fn kill(&self) {
        // It was not waited for yet, so the number is still its own.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            let _ = self.child.wait();
        }
    }
}
