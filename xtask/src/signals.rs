//! Signals: a child that must tidy up before it ends, and a parent that waits for it.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::process;

/// `timeout` and shells may send one request twice, to us and to our group; a person who presses
/// ^C again, because the first did not help, takes longer than this.
const SAME_REQUEST: Duration = Duration::from_millis(200);

/// Runs a command to its end, passing requests to stop on to it instead of dying before it.
///
/// The child gets a process group of its own: otherwise a terminal's ^C would reach it directly
/// and from here, and the second one means something else than the first.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<ExitStatus> {
    // Before the child exists, so that its exit cannot be missed.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCHLD])
        .context("cannot install the signal handlers")?;
    let mut child = command
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    let mut last = None;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for the child")? {
            return Ok(status);
        }
        for signal in signals.wait().filter(|signal| *signal != SIGCHLD) {
            let now = Instant::now();
            if last.is_none_or(|last| now - last > SAME_REQUEST) {
                pass_on(&child, signal).context("cannot pass a signal on to the child")?;
            }
            last = Some(now);
        }
    }
}

/// The child has not been waited for, so its id is still its own.
fn pass_on(child: &Child, signal: i32) -> io::Result<()> {
    match Signal::from_named_raw(signal) {
        Some(signal) => Ok(kill_process(Pid::from_child(child), signal)?),
        None => Err(io::Error::from(io::ErrorKind::InvalidInput)),
    }
}

/// Keeps tests that start a child here apart: a signal to this process reaches all children.
#[cfg(test)]
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        thread,
    };

    use rustix::process::getpid;

    use super::*;

    #[test]
    fn a_request_to_stop_reaches_the_child_and_the_child_is_waited_for() -> anyhow::Result<()> {
        let _alone = alone();
        let (reader, writer) = io::pipe()?;
        let stop_when_ready = thread::spawn(move || {
            BufReader::new(reader).read_line(&mut String::new())?;
            io::Result::Ok(kill_process(getpid(), Signal::TERM)?)
        });
        // Only a child that got the signal, and the time to act on it, ends with 3.
        let script = "trap 'sleep 0.1; exit 3' TERM; echo ready; while :; do sleep 0.02; done";
        let status = run(Command::new("sh").args(["-c", script]).stdout(writer))?;
        assert_eq!(status.code(), Some(3));
        assert!(stop_when_ready.join().is_ok_and(|sent| sent.is_ok()));
        Ok(())
    }
}
