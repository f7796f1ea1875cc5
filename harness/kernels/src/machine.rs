//! The virtual machine: QEMU with a console, a port for messages and a disk, gone when dropped.
//!
//! QEMU is started through `setpriv --pdeathsig`, so the kernel kills it when we are killed. The
//! port is QEMU's standard input, one end of a pair of sockets: it has no path that could be too
//! long or be left behind, and no moment at which nobody listens.

mod arguments;
mod streams;

use std::{
    collections::VecDeque,
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    child::{self, SETPRIV_PACKAGES},
    lines::Lines,
    program,
    stop::Stop,
    watch::{STEP_MAX, Watch},
};
pub use arguments::Parts;
use streams::{Piece, Stream};

/// How long a stream may stay open after QEMU has ended.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// Once a deadline passed, what was said before is still heard, until nothing comes for so long.
const SILENCE_MIN: Duration = Duration::from_millis(200);
/// A machine that never stops talking must not outrun its deadline by more than this. It is more
/// than one step of the watch: what was said while we were stopped is heard in any case.
const LAST_WORDS_MAX: Duration = Duration::from_secs(2);
/// Pieces of a stream that wait to be looked at; whoever writes more waits.
const PIECES_MAX: usize = 64;
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

/// A running QEMU. It is killed when this is dropped, when the thread that started it ends, or
/// when the process does, however it does.
pub struct Machine {
    child: Child,
    pid: Pid,
    pieces: Receiver<Piece>,
    sender: SyncSender<Piece>,
    streams_open: usize,
    /// It was waited for, and its number may be another's.
    reaped: bool,
    watch: Watch,
    /// Since when it is gone, whether or not all it said was read.
    ended: Option<Duration>,
    error_lines: Lines,
    errors: VecDeque<String>,
}

/// Finds QEMU.
///
/// # Errors
///
/// Where it is not installed, with the package that brings it.
pub fn find_qemu() -> anyhow::Result<PathBuf> {
    let packages = "qemu-system-x86 (Debian) or qemu-system-x86-core (Fedora)";
    program::find("qemu-system-x86_64", packages)
}

/// First line of `qemu-system-x86_64 --version`.
///
/// # Errors
///
/// Where it cannot be started, says nothing or does not end, or somebody asks to stop.
pub fn version(qemu: &Path, stop: &Stop) -> anyhow::Result<String> {
    let failed = || format!("cannot ask {} for its version", qemu.display());
    let output = child::output(Command::new(qemu).arg("--version"), stop);
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
    /// Where QEMU, or what it needs around it, cannot be started. What QEMU itself finds wrong
    /// comes later, as its end.
    pub fn start(parts: &Parts<'_>) -> anyhow::Result<Machine> {
        let setpriv = program::find("setpriv", SETPRIV_PACKAGES)?;
        // Otherwise it would be `setpriv` that fails, once for each boot.
        ensure!(program::runs(parts.qemu), "cannot run {}", parts.qemu.display());
        let (ours, theirs) = UnixStream::pair().context("cannot make a pair of sockets")?;
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "KILL"]).arg(parts.qemu).args(arguments::of(parts));
        // A group of its own: a terminal's ^C is for us, and we end QEMU.
        command.process_group(0).stdin(std::os::fd::OwnedFd::from(theirs));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command
            .spawn()
            .with_context(|| format!("cannot start QEMU, {}", parts.qemu.display()))?;
        // Our copy of QEMU's end of the socket must go, or its close would not be seen.
        drop(command);
        let (sender, pieces) = sync_channel(PIECES_MAX);
        let mut machine = Machine {
            pid: Pid::from_child(&child),
            child,
            pieces,
            sender,
            streams_open: 0,
            reaped: false,
            watch: Watch::start(),
            ended: None,
            error_lines: Lines::new(ERROR_LINE_BYTES_MAX),
            errors: VecDeque::new(),
        };
        machine.follow(ours).context("cannot start a thread that reads from QEMU")?;
        Ok(machine)
    }

    fn follow(&mut self, port: UnixStream) -> std::io::Result<()> {
        if let Some(stdout) = self.child.stdout.take() {
            streams::follow(Stream::Console, stdout, self.sender.clone())?;
            self.streams_open += 1;
        }
        if let Some(stderr) = self.child.stderr.take() {
            streams::follow(Stream::Errors, stderr, self.sender.clone())?;
            self.streams_open += 1;
        }
        streams::follow(Stream::Port, port, self.sender.clone())?;
        self.streams_open += 1;
        streams::await_end(self.pid, self.sender.clone())
    }

    /// Has requests to stop come out of [`Machine::next`].
    pub fn heed(&self, stop: &Stop) {
        let sender = self.sender.clone();
        // It only wakes who waits. Who has a full channel before him is awake, and looks by himself;
        // to wait for room here would hold up the very check that he goes on with.
        stop.listen(move || drop(sender.try_send(Piece::Stop)));
    }

    /// The time since its start in which we looked after it. What went by while we were stopped,
    /// as by ^Z, does not count: the machine was stopped too, or could not be heard.
    pub fn time(&mut self) -> Duration {
        self.watch.time()
    }

    /// The next thing that happens, until the deadline, which is a [`Machine::time`].
    ///
    /// # Errors
    ///
    /// Where somebody asked to stop, or the kernel does not let us wait.
    pub fn next(&mut self, deadline: Duration, stop: &Stop) -> anyhow::Result<Event> {
        loop {
            stop.check()?;
            if self.ended.is_some() && self.streams_open == 0 {
                return self.gone();
            }
            let until = self.ended.map_or(deadline, |ended| ended + DRAIN_MAX);
            let time = self.time();
            let (left, over) = (until.saturating_sub(time), time.saturating_sub(until));
            let piece = match (left.is_zero(), over < LAST_WORDS_MAX) {
                (false, _) => self.pieces.recv_timeout(left.min(STEP_MAX)),
                (true, true) => self.pieces.recv_timeout(SILENCE_MIN),
                (true, false) => Err(RecvTimeoutError::Timeout),
            };
            match piece {
                Ok(Piece::Bytes(Stream::Console, bytes)) => return Ok(Event::Console(bytes)),
                Ok(Piece::Bytes(Stream::Port, bytes)) => return Ok(Event::Port(bytes)),
                Ok(Piece::Bytes(Stream::Errors, bytes)) => self.complain(&bytes),
                Ok(Piece::Closed) => self.streams_open = self.streams_open.saturating_sub(1),
                Ok(Piece::Ended) => {
                    self.ended = Some(self.time());
                    // What it may have started would keep the streams open.
                    self.kill();
                }
                Ok(Piece::Stop) => {}
                Err(_) if !left.is_zero() => {}
                Err(_) if self.ended.is_some() => return self.gone(),
                Err(_) => return Ok(Event::Late),
            }
        }
    }

    /// The last lines that QEMU itself said; none where it said nothing.
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
