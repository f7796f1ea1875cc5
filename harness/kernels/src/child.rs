//! Children: programs in a group of their own, which are ended when somebody asks to stop, when
//! they take too long, and when we end, however we do.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Seek as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::{
    program,
    stop::{Stop, Stopped},
    watch::Watch,
};

/// How often a child is looked at: at first, and when it takes its time.
const LOOK_MIN: Duration = Duration::from_millis(1);
const LOOK_MAX: Duration = Duration::from_millis(50);
/// How long a child may take to tidy up.
const TIDY_MAX: Duration = Duration::from_secs(5);
/// A tool takes seconds; one that takes so long is stuck.
const TOOL_TIME_MAX: Duration = Duration::from_secs(600);
/// Of a tool's complaints, this much is read.
const WORDS_BYTES_MAX: u64 = 64 << 10;
/// Package that brings `setpriv`.
pub(crate) const SETPRIV_PACKAGES: &str = "util-linux (Debian, Fedora)";

/// How waiting for a child came to its end. The child is gone in any case.
#[derive(Debug)]
pub(crate) enum Waited {
    Ended(ExitStatus),
    Stopped(Stopped),
    Late,
}

/// Why a tool has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undone {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(
        "`{tool}` was still at work after {} s and was ended; run it by hand to see what it waits \
         for", time_max.as_secs()
    )]
    Late { tool: String, time_max: Duration },
    #[error("cannot start `{tool}`: {cause}")]
    NotStarted { tool: String, cause: io::Error },
    #[error("cannot {what} `{tool}`: {cause}")]
    Io { what: &'static str, tool: String, cause: io::Error },
}

/// The same command, which gets a signal when the thread that starts it ends, as it does when the
/// process is killed. It
/// reads `input`, or nothing.
///
/// The signal is the work of `setpriv`. Where that is missing, the command is started by itself:
/// what cannot do without says so before, as the start of QEMU and a build do.
///
/// # Errors
///
/// A program that is not there.
pub(crate) fn bound(command: &Command, signal: &str, input: Option<&File>) -> io::Result<Command> {
    let program = found(command.get_program())?;
    let setpriv = program::find("setpriv", SETPRIV_PACKAGES).ok();
    let mut words: Vec<OsString> = Vec::new();
    if let Some(setpriv) = setpriv {
        words.extend([setpriv.into(), "--pdeathsig".into(), signal.into()]);
    }
    words.push(program.into());
    words.extend(command.get_args().map(OsStr::to_owned));
    let mut words = words.into_iter();
    let mut bound = Command::new(words.next().unwrap_or_default());
    bound.args(words).process_group(0);
    bound.stdin(
        input.map_or_else(|| Ok(Stdio::null()), |input| input.try_clone().map(Stdio::from))?,
    );
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bound.current_dir(folder);
    }
    Ok(bound)
}

/// A program by its path or name. `setpriv` would be found in its place, and fail later.
fn found(program: &OsStr) -> io::Result<PathBuf> {
    let path = Path::new(program);
    let found = match path.components().count() {
        1 if !program.to_string_lossy().contains('/') => {
            program::find(&program.to_string_lossy(), "").ok()
        }
        _ => Some(path.to_owned()).filter(|path| program::runs(path)),
    };
    let missing = "there is no such program, or it may not be run";
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, missing))
}

/// Waits for a child, as long as nobody asks to stop and its time, if it has one, is not over.
pub(crate) fn wait(
    child: &mut Child,
    time_max: Option<Duration>,
    stop: &Stop,
    mut meanwhile: impl FnMut(),
) -> io::Result<Waited> {
    let (mut watch, mut look) = (Watch::start(), LOOK_MIN);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Waited::Ended(status));
        }
        if let Err(stopped) = stop.check() {
            end(child)?;
            return Ok(Waited::Stopped(stopped));
        }
        let time = watch.time();
        if time_max.is_some_and(|time_max| time >= time_max) {
            end(child)?;
            return Ok(Waited::Late);
        }
        meanwhile();
        thread::sleep(look);
        look = (look * 2).min(LOOK_MAX);
    }
}

/// Ends a child and all of its group: politely, so that make removes what is half written, and
/// after a while not so.
fn end(child: &mut Child) -> io::Result<()> {
    let group = Pid::from_child(child);
    let mut watch = Watch::start();
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

/// Runs a tool that takes seconds to its end, and takes what it says.
///
/// # Errors
///
/// A tool that is not there or does not come to its end, or a request to stop. What the tool
/// itself finds wrong is in its status.
pub(crate) fn output(command: &Command, stop: &Stop) -> Result<Output, Undone> {
    output_within(command, None, TOOL_TIME_MAX, stop)
}

/// The same; the tool reads a file as its standard input.
pub(crate) fn output_with_input(
    command: &Command,
    input: &File,
    stop: &Stop,
) -> Result<Output, Undone> {
    output_within(command, Some(input), TOOL_TIME_MAX, stop)
}

fn output_within(
    command: &Command,
    input: Option<&File>,
    time_max: Duration,
    stop: &Stop,
) -> Result<Output, Undone> {
    let tool = || {
        let name = Path::new(command.get_program()).file_name();
        name.unwrap_or_default().to_string_lossy().into_owned()
    };
    let failed = |what| move |cause| Undone::Io { what, tool: tool(), cause };
    stop.check()?;
    // Files take what a pipe would hold up, and are there when the tool is not.
    let files = || -> io::Result<_> { Ok((tempfile::tempfile()?, tempfile::tempfile()?)) };
    let (mut stdout, mut stderr) = files().map_err(failed("keep the words of"))?;
    let start = || {
        let mut bound = bound(command, "KILL", input)?;
        bound.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?).spawn()
    };
    let mut child = start().map_err(|cause| Undone::NotStarted { tool: tool(), cause })?;
    match wait(&mut child, Some(time_max), stop, || ()).map_err(failed("wait for"))? {
        Waited::Ended(status) => {
            let stdout = read(&mut stdout, u64::MAX).map_err(failed("read the words of"))?;
            let stderr = read(&mut stderr, WORDS_BYTES_MAX).map_err(failed("read the words of"))?;
            Ok(Output { status, stdout, stderr })
        }
        Waited::Stopped(stopped) => Err(stopped.into()),
        Waited::Late => Err(Undone::Late { tool: tool(), time_max }),
    }
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

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
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
        let output = output(&tool, &Stop::default()).unwrap();
        let expected = format!("{}\nword-\n", folder.path().display());
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        assert_eq!((output.stderr, output.status.code()), (b"wrong\n".to_vec(), Some(3)));
    }

    #[test]
    fn a_tool_that_is_not_there_is_named() {
        for name in ["iowq-is-not-here", "/iowq-is-not-here"] {
            let error = output(&Command::new(name), &Stop::default()).unwrap_err().to_string();
            assert!(error.starts_with("cannot start `iowq-is-not-here`: "), "{error}");
        }
    }

    #[test]
    fn a_tool_that_is_stuck_is_ended_with_all_it_started() {
        let (mut end, gone) = pipe();
        let mut tool = bound(&shell("sleep 1000 & sleep 1000"), "KILL", None).unwrap();
        let mut child = tool.stdout(gone).spawn().unwrap();
        drop(tool);
        let time_max = Some(Duration::from_millis(20));
        let waited = wait(&mut child, time_max, &Stop::default(), || ());
        assert!(matches!(waited, Ok(Waited::Late)), "{waited:?}");
        assert_eq!(end.read_line(&mut String::new()).unwrap(), 0);
        let late = output_within(&shell("sleep 1000"), None, Duration::ZERO, &Stop::default());
        let error = late.unwrap_err().to_string();
        assert!(error.starts_with("`sh` was still at work after 0 s and was ended"), "{error}");
    }

    #[test]
    fn a_request_to_stop_ends_a_tool() {
        let (mut ready, writer) = pipe();
        let stop = Stop::default();
        let mut tool = bound(&shell("echo ready; sleep 1000"), "KILL", None).unwrap();
        let mut child = tool.stdout(writer).spawn().unwrap();
        ready.read_line(&mut String::new()).unwrap();
        stop.ask(SIGINT);
        let waited = wait(&mut child, None, &stop, || ());
        assert!(matches!(waited, Ok(Waited::Stopped(_))), "{waited:?}");
        let asked = output(&shell("exit 0"), &stop).unwrap_err().to_string();
        assert_eq!(asked, "stopped by SIGINT");
    }
}
