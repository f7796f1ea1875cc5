//! One run as a process: started, watched, and ended where it hangs or is not wanted any more.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use iowq_record::Record;

use super::{parse, stopped};
use crate::clock;
use crate::sync::{SignalFlag, thread};

/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Most bytes taken of what a run says: a record has some hundred kilobytes at most.
const OUTPUT_BYTES_MAX: u64 = 64 << 20;

/// How a run ended.
pub(super) enum Ended {
    /// Well.
    Record(Box<Record>),
    /// Not, for this reason.
    Failed(String),
    /// A stop was asked for.
    Interrupted,
}

/// Runs this program with these arguments and takes the record that it prints. Calls `look` now
/// and then meanwhile.
pub(super) fn run(
    arguments: &[String],
    time_max: Duration,
    stop: &SignalFlag,
    look: impl Fn(),
) -> anyhow::Result<Ended> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Ended::Failed(cannot_start("process for it", &error))),
    };
    // A pipe holds less than a record, so both are read while the process runs.
    let (stdout, stderr) = match collect_both(&mut child) {
        Ok(both) => both,
        Err(error) => {
            end(&mut child)?;
            return Ok(Ended::Failed(cannot_start("thread that reads what it says", &error)));
        }
    };
    let ended = watch(&mut child, time_max, stop, look)?;
    let (stdout, stderr) = (join(stdout), join(stderr));
    Ok(match ended {
        Watched::Interrupted => Ended::Interrupted,
        Watched::Hung => Ended::Failed(format!(
            "it was still running after {} s and was killed",
            time_max.as_secs()
        )),
        Watched::Ended(_) if stopped(stop) => Ended::Interrupted,
        Watched::Ended(status) if status.success() => match parse(&stdout) {
            Ok(record) => Ended::Record(record),
            Err(error) => Ended::Failed(format!("its record cannot be read: {error}")),
        },
        Watched::Ended(status) => Ended::Failed(reason(status, &stderr)),
    })
}

enum Watched {
    Ended(ExitStatus),
    Hung,
    Interrupted,
}

fn watch(
    child: &mut Child,
    time_max: Duration,
    stop: &SignalFlag,
    look: impl Fn(),
) -> anyhow::Result<Watched> {
    let deadline = clock::now().after(time_max);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Watched::Ended(status));
        }
        let unwanted = if stopped(stop) {
            Watched::Interrupted
        } else if deadline < clock::now() {
            Watched::Hung
        } else {
            look();
            thread::sleep(LOOK);
            continue;
        };
        end(child)?;
        return Ok(unwanted);
    }
}

fn end(child: &mut Child) -> io::Result<()> {
    // It may have ended this very moment; then there is nobody to kill.
    let _ = child.kill();
    child.wait().map(|_| ())
}

/// A run that never began, most often because there are too many threads already.
fn cannot_start(what: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::WouldBlock => "; see ulimit -u and the pids limit of the cgroup",
        _ => "",
    };
    format!("no {what} could be started: {error}{advice}")
}

/// What a process says in the end, without the marks of an error message.
fn reason(status: ExitStatus, stderr: &[u8]) -> String {
    let said = String::from_utf8_lossy(stderr);
    let said = said.trim().trim_start_matches("error: ");
    if said.is_empty() {
        format!("it ended with {status} and said nothing")
    } else {
        said.to_owned()
    }
}

type Collected = thread::JoinHandle<Vec<u8>>;

fn collect_both(child: &mut Child) -> io::Result<(Collected, Collected)> {
    Ok((collect(child.stdout.take())?, collect(child.stderr.take())?))
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> io::Result<Collected> {
    thread::Builder::new().name("iowq-collect".to_owned()).spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What could be read before an error is all there is.
            let _ = pipe.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes);
        }
        bytes
    })
}

fn join(collected: Collected) -> Vec<u8> {
    collected.join().unwrap_or_default()
}
