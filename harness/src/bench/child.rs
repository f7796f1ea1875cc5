//! One run as a process: started, watched, and ended where it hangs or is not wanted any more.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::{
    Code, Record, RunMessage, RunRequest, Step, WantBlocking, WantProbes, clean_message,
};

use super::ending::reason;
use super::silence::{Silence, silent_max};
use super::site::{Program, Site, stopped};
use crate::child_commands::{CHECK_PROBES, RUN};
use crate::run::not_verified;
use crate::sync::{SignalFlag, mpsc, thread};
use crate::{clock, io as files};

impl Program {
    /// Has it find out whether probes work, because it is the one that needs the right to.
    ///
    /// # Errors
    /// What is in the way, in its words.
    pub fn check_probes(
        &self,
        probes: WantProbes,
        blocking: Option<WantBlocking>,
    ) -> anyhow::Result<()> {
        let output = self
            .command()
            .arg(CHECK_PROBES)
            .arg(serde_json::to_string(&(probes, blocking, std::process::id()))?)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.path().display()))?;
        if output.status.success() {
            return Ok(());
        }
        anyhow::bail!("{}", reason(output.status, &output.stderr))
    }
}

/// How often the process is looked at while it says nothing.
const LOOK: Duration = Duration::from_millis(10);

/// The same once it can say nothing any more, and is about to end.
const END_LOOK: Duration = Duration::from_millis(1);

/// How long a run that was killed is waited for.
const END_MAX: Duration = Duration::from_millis(500);

/// Most bytes taken of what a run says: a record has some hundred kilobytes at most.
const OUTPUT_BYTES_MAX: u64 = 64 << 20;

/// How a run ended. Where it was measured its record is there, whatever came then.
pub(super) enum Ended {
    /// Well, or at least with nothing wrong found.
    Record(Box<Record>),
    /// Not, for this reason.
    Failed(String, Option<Box<Record>>),
    /// A stop was asked for.
    Interrupted(Option<Box<Record>>),
}

/// A message of a run, while it goes on.
pub(super) enum Message<'a> {
    /// Nothing new.
    Nothing,
    /// How far a step is: bytes done, of how many.
    Progress(Step, u64, u64),
    /// Its record so far. What is changed stays so.
    Record(&'a mut Record),
}

type OnMessage<'a> = &'a mut dyn FnMut(Message<'_>) -> anyhow::Result<()>;

/// Whether what a run wrote has yet to be read back.
pub(super) fn is_unverified(record: &Record) -> bool {
    record.caveats.iter().any(|caveat| caveat.code == Code::NotVerified)
}

/// Has the program make a run and takes the record that it prints. Passes each message to
/// `on_message`, and now and then none.
pub(super) fn run(
    site: &Site<'_>,
    request: &RunRequest,
    on_message: OnMessage<'_>,
) -> anyhow::Result<Ended> {
    let request_file = files::memory_file(&serde_json::to_vec(request)?)
        .map_err(io::Error::from)
        .context("cannot hand a request to a run")?;
    let started = site
        .program
        .command()
        .arg(RUN)
        // For people who look at processes.
        .arg(format!("{} {}", request.plan.name, request.variant))
        .stdin(request_file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A terminal's ^C is the bench's to answer.
        .process_group(0)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Ended::Failed(cannot_start("process for it", &error), None)),
    };
    // A pipe holds less than a record, so both are read while the process runs.
    let (stdout, stderr) = match collect_both(&mut child) {
        Ok(both) => both,
        Err(error) => {
            end(&mut child)?;
            return Ok(Ended::Failed(cannot_start("thread that reads what it says", &error), None));
        }
    };
    let mut listener = Listener { lines: stdout, record: None, unreadable: None };
    let silent_max = silent_max(&request.plan);
    let silence = Silence::begin(silent_max, clock::now());
    let watched = watch(&mut child, silence, site.stop, &mut listener, on_message);
    if watched.is_err() {
        end(&mut child)?;
    }
    Ok(outcome(watched?, stopped(site.stop), silent_max, listener, &join(stderr)))
}

/// How the run ended, by how its process did and what it said.
fn outcome(
    watched: Watched,
    stopped: bool,
    silent_max: Duration,
    listener: Listener,
    stderr: &[u8],
) -> Ended {
    let (record, unreadable) = (listener.record, listener.unreadable);
    match (watched, record) {
        (Watched::Interrupted, record) => {
            Ended::Interrupted(record.map(|record| unverified(record, "the bench was interrupted")))
        }
        (Watched::Ended(status), record) if stopped => {
            let why = format!("the bench was interrupted, and it ended with {status}");
            Ended::Interrupted(record.map(|record| unverified(record, &why)))
        }
        (Watched::Hung, record) => {
            let seconds = silent_max.as_secs();
            let why = format!("it sent no message for {seconds} s and was killed");
            match record {
                Some(record) => Ended::Record(unverified(record, &why)),
                None => Ended::Failed(why, None),
            }
        }
        (Watched::Ended(status), Some(record)) if status.success() => Ended::Record(record),
        (Watched::Ended(status), None) if status.success() => {
            let why = unreadable.unwrap_or_else(|| "there is none".to_owned());
            Ended::Failed(format!("its record cannot be read: {why}"), None)
        }
        (Watched::Ended(status), None) => Ended::Failed(reason(status, stderr), None),
        (Watched::Ended(status), Some(record)) if !is_unverified(&record) => {
            // All was found to be right; what is left of its files is removed by the bench.
            let _ = writeln!(io::stderr(), "note: {}", clean_message(&reason(status, stderr)));
            Ended::Record(record)
        }
        // It found something wrong itself, or was ended by somebody else.
        (Watched::Ended(status), Some(record)) if status.code().is_some() => {
            Ended::Failed(reason(status, stderr), Some(record))
        }
        (Watched::Ended(status), Some(record)) => {
            Ended::Record(unverified(record, &reason(status, stderr)))
        }
    }
}

/// The record of a run whose data was not read back for this reason, unless it was.
fn unverified(mut record: Box<Record>, why: &str) -> Box<Record> {
    if is_unverified(&record) {
        record.caveats.retain(|caveat| caveat.code != Code::NotVerified);
        record.caveats.push(not_verified(why));
    }
    record
}

enum Watched {
    Ended(ExitStatus),
    Hung,
    Interrupted,
}

fn watch(
    child: &mut Child,
    mut silence: Silence,
    stop: &SignalFlag,
    listener: &mut Listener,
    on_message: OnMessage<'_>,
) -> anyhow::Result<Watched> {
    let mut messages = 0;
    loop {
        messages += u64::from(listener.take(on_message)?);
        if let Some(status) = child.try_wait()? {
            listener.take_rest(on_message)?;
            return Ok(Watched::Ended(status));
        }
        let unwanted = if stopped(stop) {
            Watched::Interrupted
        } else if silence.is_too_long(messages, clock::now()) {
            Watched::Hung
        } else {
            on_message(Message::Nothing)?;
            continue;
        };
        end(child)?;
        listener.take_rest(on_message)?;
        return Ok(unwanted);
    }
}

/// Takes in what a run says.
struct Listener {
    lines: mpsc::Receiver<Vec<u8>>,
    record: Option<Box<Record>>,
    /// Why a line was neither a record nor anything else.
    unreadable: Option<String>,
}

impl Listener {
    /// Waits a moment for a message, and takes in what is there; returns whether there was anything.
    fn take(&mut self, on_message: OnMessage<'_>) -> anyhow::Result<bool> {
        let mut any = false;
        match self.lines.recv_timeout(LOOK) {
            Ok(line) => {
                self.line(&line, on_message)?;
                any = true;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => thread::sleep(END_LOOK),
        }
        while let Ok(line) = self.lines.try_recv() {
            self.line(&line, on_message)?;
            any = true;
        }
        Ok(any)
    }

    /// Takes in all there is, once the process has ended.
    fn take_rest(&mut self, on_message: OnMessage<'_>) -> anyhow::Result<()> {
        while let Ok(line) = self.lines.recv() {
            self.line(&line, on_message)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], on_message: OnMessage<'_>) -> anyhow::Result<()> {
        match serde_json::from_slice(line) {
            Ok(RunMessage::Ops { .. }) => Ok(()),
            Ok(RunMessage::Progress { step, done_bytes, all_bytes }) => {
                on_message(Message::Progress(step, done_bytes, all_bytes))
            }
            Ok(RunMessage::Record { mut record }) => {
                on_message(Message::Record(&mut record))?;
                self.record = Some(record);
                Ok(())
            }
            Err(error) => {
                self.unreadable = Some(error.to_string());
                Ok(())
            }
        }
    }
}

/// Ends a run. One that waits for a disk ends once that has answered, which is not waited for.
fn end(child: &mut Child) -> io::Result<()> {
    // It may have ended this very moment; then there is nobody to kill.
    let _ = child.kill();
    let since = clock::now();
    while child.try_wait()?.is_none() && clock::now() < since.after(END_MAX) {
        thread::sleep(LOOK);
    }
    Ok(())
}

/// A run that never began, most often because there are too many threads already.
fn cannot_start(what: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::WouldBlock => "; see ulimit -u and the pids limit of the cgroup",
        _ => "",
    };
    format!("no {what} could be started: {error}{advice}")
}

type Collected = thread::JoinHandle<Vec<u8>>;

fn collect_both(child: &mut Child) -> io::Result<(mpsc::Receiver<Vec<u8>>, Collected)> {
    Ok((lines(child.stdout.take())?, collect(child.stderr.take())?))
}

/// The lines of a pipe as they come; the last one also where it is cut off.
fn lines(pipe: Option<impl Read + Send + 'static>) -> io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, lines) = mpsc::channel();
    thread::Builder::new().name("iowq-lines".to_owned()).spawn(move || {
        let pipe = pipe.map(|pipe| BufReader::new(pipe.take(OUTPUT_BYTES_MAX)));
        for line in pipe.into_iter().flat_map(|pipe| pipe.split(b'\n')).map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
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
