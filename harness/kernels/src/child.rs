//! Children: programs in a group of their own, which are ended when a stop is
//! requested, when they take too long, and when this process ends, however it does.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _, Seek as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process_group,
    set_parent_process_death_signal, waitid,
};

use crate::{stop::Stop, stopwatch::Stopwatch};

/// How often a child is polled: at first, and once it takes long.
const LOOK_MIN: Duration = Duration::from_millis(1);
const LOOK_MAX: Duration = Duration::from_millis(50);
/// How long a child may take to tidy up.
const TIDY_MAX: Duration = Duration::from_secs(5);
/// A tool takes seconds; after this time it is stuck.
const TOOL_TIME_MAX: Duration = Duration::from_secs(600);
/// Bytes of a tool's errors that are read.
const WORDS_BYTES_MAX: u64 = 64 << 10;

/// A command in a group of its own that reads nothing. It gets a signal when the thread that starts
/// it ends, as it does when the process is killed.
pub(crate) fn command(program: impl AsRef<OsStr>, signal: Signal) -> Command {
    let mut command = Command::new(program);
    command.process_group(0).stdin(Stdio::null());
    let own = getpid();
    let die_with_us = move || {
        set_parent_process_death_signal(Some(signal))?;
        // We may have ended before that was set.
        if getppid() == Some(own) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    // SAFETY: between fork and exec only what is safe in a signal handler may be called, and these
    // are two system calls.
    unsafe { command.pre_exec(die_with_us) };
    command
}

/// A tool for [`output`].
pub(crate) fn tool(program: impl AsRef<OsStr>) -> Command {
    command(program, Signal::KILL)
}

/// Waits for a child until it ends, a stop is requested, or its time, if it has one, is over: then
/// there is no status. The child is gone in any case.
pub(crate) fn wait(
    child: &mut Child,
    time_max: Option<Duration>,
    stop: &Stop,
    mut meanwhile: impl FnMut(),
) -> anyhow::Result<Option<ExitStatus>> {
    let (mut watch, mut look) = (Stopwatch::start(), LOOK_MIN);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if let Err(stopped) = stop.check() {
            end(child)?;
            return Err(stopped.into());
        }
        let time = watch.time();
        if time_max.is_some_and(|time_max| time >= time_max) {
            end(child)?;
            return Ok(None);
        }
        meanwhile();
        thread::sleep(look);
        look = (look * 2).min(LOOK_MAX);
    }
}

/// Ends a child and all of its group: first by a signal it can handle, so that make removes what is half written, and
/// less often after a while.
fn end(child: &mut Child) -> io::Result<()> {
    let group = Pid::from_child(child);
    let mut watch = Stopwatch::start();
    // The child is waited for at the very end, so that the number stays that of its group.
    let _ = kill_process_group(group, Signal::TERM);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while watch.time() < TIDY_MAX && !matches!(waitid(WaitId::Pid(group), options), Ok(Some(_))) {
        thread::sleep(LOOK_MAX);
    }
    // What it has started may take no notice.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().map(drop)
}

/// Runs a tool that takes seconds, and returns its output.
///
/// # Errors
///
/// A tool that is missing or does not finish, or a request to stop. What the tool
/// itself finds wrong is in its status.
pub(crate) fn output(tool: &mut Command, stop: &Stop) -> anyhow::Result<Output> {
    output_within(tool, TOOL_TIME_MAX, stop)
}

fn output_within(tool: &mut Command, time_max: Duration, stop: &Stop) -> anyhow::Result<Output> {
    stop.check()?;
    let name = Path::new(tool.get_program()).file_name().unwrap_or_default().to_owned();
    let name = name.display();
    // Files do not block the writer as a pipe does, and outlive the tool.
    let files = || -> io::Result<_> { Ok((tempfile::tempfile()?, tempfile::tempfile()?)) };
    let (mut stdout, mut stderr) =
        files().with_context(|| format!("cannot keep the output of `{name}`"))?;
    tool.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = tool.spawn().with_context(|| format!("cannot start `{name}`"))?;
    let Some(status) = wait(&mut child, Some(time_max), stop, || ())? else {
        bail!(
            "`{name}` was still at work after {} s and was ended; run it by hand to see what it \
             waits for",
            time_max.as_secs()
        );
    };
    let failed = || format!("cannot read the output of `{name}`");
    let stdout = read(&mut stdout, u64::MAX).with_context(failed)?;
    let stderr = read(&mut stderr, WORDS_BYTES_MAX).with_context(failed)?;
    Ok(Output { status, stdout, stderr })
}

fn read(file: &mut File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        os::fd::OwnedFd,
    };

    use signal_hook::consts::SIGINT;

    use super::*;
    use crate::stop::Stopped;

    fn shell(script: &str) -> Command {
        let mut shell = tool("sh");
        shell.args(["-c", script]);
        shell
    }

    /// A pipe that ends when all processes are gone that have its other end, or when they say so.
    fn pipe() -> (BufReader<io::PipeReader>, OwnedFd) {
        let (reader, writer) = io::pipe().unwrap();
        (BufReader::new(reader), writer.into())
    }

    #[test]
    fn a_tool_has_its_folder_its_variables_and_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut tool = shell("pwd; echo $WORD-$HOME; cat; echo wrong >&2; exit 3");
        tool.current_dir(folder.path()).env("WORD", "word").env_remove("HOME");
        let output = output(&mut tool, &Stop::default()).unwrap();
        let expected = format!("{}\nword-\n", folder.path().display());
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        assert_eq!((output.stderr, output.status.code()), (b"wrong\n".to_vec(), Some(3)));
    }

    #[test]
    fn a_tool_that_is_not_there_is_named() {
        for name in ["iowq-is-not-here", "/iowq-is-not-here"] {
            let error = format!("{:#}", output(&mut tool(name), &Stop::default()).unwrap_err());
            assert!(error.starts_with("cannot start `iowq-is-not-here`: "), "{error}");
        }
    }

    #[test]
    fn a_tool_that_is_stuck_is_ended_with_all_it_started() {
        let (mut end, gone) = pipe();
        let mut tool = shell("sleep 1000 & sleep 1000");
        let mut child = tool.stdout(gone).spawn().unwrap();
        drop(tool);
        let time_max = Some(Duration::from_millis(20));
        let waited = wait(&mut child, time_max, &Stop::default(), || ());
        assert!(matches!(waited, Ok(None)), "{waited:?}");
        assert_eq!(end.read_line(&mut String::new()).unwrap(), 0);
        let late = output_within(&mut shell("sleep 1000"), Duration::ZERO, &Stop::default());
        let error = late.unwrap_err().to_string();
        assert!(error.starts_with("`sh` was still at work after 0 s and was ended"), "{error}");
    }

    #[test]
    fn a_request_to_stop_ends_a_tool() {
        let (mut ready, writer) = pipe();
        let stop = Stop::default();
        let mut tool = shell("echo ready; sleep 1000");
        let mut child = tool.stdout(writer).spawn().unwrap();
        ready.read_line(&mut String::new()).unwrap();
        stop.ask(SIGINT);
        let waited = wait(&mut child, None, &stop, || ());
        assert!(waited.is_err_and(|error| error.is::<Stopped>()));
        let asked = output(&mut shell("exit 0"), &stop).unwrap_err().to_string();
        assert_eq!(asked, "stopped by SIGINT");
    }
}
