//! The checkpoint question: can `criu dump` take a process that used io_uring and closed its ring?
//!
//! criu stops every thread of a process, io-wq's workers among them, and cannot make them run code
//! of its own. So a worker that outlives the last ring keeps the process from being dumped.
//!
//! Three processes are tried, one after the other. criu needs much of a kernel, and fails for many
//! reasons, so the first never opened a ring: if that fails, the answer is criu's and not
//! io-wq's. The second is tried just after it closed its ring, when most of its workers are within
//! their idle timeout and will leave by themselves. The third is tried when that is over: what is
//! left then is what the kernel keeps for good.
//!
//! On its first run, criu probes the kernel and caches the result. That takes long if the processor
//! is emulated, so it is run once before it is timed.

mod output;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::AfterTimeout;
use iowq_contract::guest::{CRIU_CHECK_S_MAX, Control, Criu, Dump};

use super::settle::{Settled, settle};
use crate::child_commands::CLOSED_RING;
use crate::clock;
use crate::closed_ring::{self, READY_NAME};
use crate::files::own_folder;
use crate::io;
use crate::machine::kernel_idle_timeout;
use crate::probes::procfs;
use crate::sync::thread;
use output::{WaitEnd, why_not};

/// How long it may take to start.
const READY_MAX: Duration = Duration::from_secs(60);

/// How long criu's check of the kernel may take.
const CHECK_MAX: Duration = Duration::from_secs(CRIU_CHECK_S_MAX);

/// Workers need some 20 ms to notice that the ring is gone, if they check at all.
const SETTLE: Duration = Duration::from_millis(200);

/// How often a process is polled.
const LOOK: Duration = Duration::from_millis(10);

/// Most bytes taken of a log: criu writes some hundred kilobytes.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// Name of criu's log among its images, and of what it and the process say elsewhere.
const LOG_NAME: &str = "dump.log";
const CRIU_SAID_NAME: &str = "criu.txt";
const PROCESS_SAID_NAME: &str = "process.txt";
const VERSION_NAME: &str = "version.txt";

/// Where output goes that is not needed.
const NOWHERE: &str = "/dev/null";

/// What the process to be dumped did before, and how long ago.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// It never opened a ring.
    Control,
    /// It used a ring and closed it just now.
    JustClosed,
    /// It did so longer ago than this idle timeout of the kernel's.
    AfterTimeout(Duration),
}

/// The result of one dump.
#[derive(Default)]
struct Tried {
    dumped: bool,
    took_ms: f64,
    workers: u32,
    reason: String,
    settled: Settled,
}

/// Starts a process that uses a ring in `dir` and closes it, and has criu dump it; before that, the
/// same with one that never opens a ring, and after it with one that closed its ring longer ago than
/// the kernel's idle timeout. None of them nor any file is left on return.
///
/// For a guest: criu refuses to work without a loopback device, which has to be up.
#[must_use]
pub fn dump(criu: &Criu, dir: &Path) -> Dump {
    match std::env::current_exe() {
        Ok(iowq) => dump_of(&iowq, criu, dir, kernel_idle_timeout()),
        Err(error) => {
            let reason = format!("cannot find this program's own file: {error}");
            let (control, after_timeout, criu) = (None, None, None);
            Dump { dumped: false, took_ms: 0.0, workers: 0, reason, control, after_timeout, criu }
        }
    }
}

/// The same with the program `iowq` that is to be dumped, on a kernel whose idle workers leave after
/// `idle_timeout`.
#[must_use]
pub fn dump_of(iowq: &Path, criu: &Criu, dir: &Path, idle_timeout: Duration) -> Dump {
    // An error does not count: a dump may need less. Without the cached result a dump only takes
    // longer.
    let _ = look_at_kernel(criu);
    let version = version(criu, dir);
    let Tried { dumped, took_ms, reason, .. } = tried(iowq, criu, dir, Case::Control);
    let control = Some(Control { dumped, took_ms, reason });
    let just = tried(iowq, criu, dir, Case::JustClosed);
    let late = tried(iowq, criu, dir, Case::AfterTimeout(idle_timeout));
    Dump {
        dumped: just.dumped,
        took_ms: just.took_ms,
        workers: just.workers,
        reason: just.reason,
        control,
        after_timeout: Some(AfterTimeout {
            dumped: late.dumped,
            took_ms: late.took_ms,
            workers: late.workers,
            reason: late.reason,
            workers_at_close: late.settled.workers_at_close,
            idle_timeout_ms: u64::try_from(idle_timeout.as_millis()).unwrap_or(u64::MAX),
            waited_ms: late.settled.waited.as_secs_f64() * 1e3,
            settled: late.settled.settled,
        }),
        criu: version,
    }
}

/// Lets criu probe the kernel's features.
fn look_at_kernel(criu: &Criu) -> anyhow::Result<()> {
    let mut check = Process::start(Command::new(&criu.path).arg("check"), Path::new(NOWHERE))?;
    check.wait(CHECK_MAX, || false)?;
    Ok(())
}

/// Version of criu, if it prints one.
fn version(criu: &Criu, dir: &Path) -> Option<String> {
    let folder = own_folder(Some(dir)).ok()?;
    let said = folder.join(VERSION_NAME);
    let asked = Process::start(Command::new(&criu.path).arg("--version"), &said);
    let ended = asked.and_then(|mut asked| asked.wait(CHECK_MAX, || false));
    let version = ended.ok().and_then(|_| output::version(&read(&said)));
    let _ = fs::remove_dir_all(&folder);
    version
}

/// One dump. If criu was never started, the reason says why.
fn tried(iowq: &Path, criu: &Criu, dir: &Path, case: Case) -> Tried {
    let tried = own_folder(Some(dir)).map_err(anyhow::Error::from).and_then(|folder| {
        let tried = try_in(iowq, criu, &folder, case);
        // What cannot be removed stays; the result is known.
        let _ = fs::remove_dir_all(&folder);
        tried
    });
    tried.unwrap_or_else(|error| Tried { reason: format!("{error:#}"), ..Tried::default() })
}

fn try_in(iowq: &Path, criu: &Criu, folder: &Path, case: Case) -> anyhow::Result<Tried> {
    let mut process = ready(iowq, folder, case)?;
    let count = || procfs::kernel_workers(process.id());
    let settled = match case {
        Case::Control | Case::JustClosed => {
            thread::sleep(SETTLE);
            Settled::default()
        }
        Case::AfterTimeout(idle_timeout) => settle(idle_timeout, count),
    };
    let images = folder.join("images");
    io::make_folder(&images).with_context(|| format!("cannot create {}", images.display()))?;
    let workers = count();
    let started = clock::now();
    let mut dumping = Process::start(
        Command::new(&criu.path)
            .args(["dump", "-v4", "-o", LOG_NAME, "-t", &process.id().to_string(), "-D"])
            .arg(&images),
        &folder.join(CRIU_SAID_NAME),
    )?;
    let time_max = Duration::from_secs(u64::from(criu.time_max_s));
    let ended = dumping.wait(time_max, || false)?;
    let took_ms = clock::now().since(started) as f64 / 1e6;
    dumping.end();
    process.end();
    let dumped = matches!(ended, WaitEnd::Exited(status) if status.success());
    let reason = if dumped {
        String::new()
    } else {
        let (log, said) = (images.join(LOG_NAME), folder.join(CRIU_SAID_NAME));
        why_not(ended, time_max, &read(&log), &read(&said))
    };
    Ok(Tried { dumped, took_ms, workers, reason, settled })
}

/// A process whose ring is closed, or that never had one.
fn ready(iowq: &Path, folder: &Path, case: Case) -> anyhow::Result<Process> {
    let said = folder.join(PROCESS_SAID_NAME);
    let mut command = Command::new(iowq);
    let options = closed_ring::Options {
        dir: folder.to_owned(),
        without_ring: case == Case::Control,
        parent: Some(std::process::id()),
    };
    command.arg(CLOSED_RING).arg(serde_json::to_string(&options)?);
    let mut process = Process::start(&mut command, &said)?;
    let ready = folder.join(READY_NAME);
    match process.wait(READY_MAX, || ready.exists())? {
        WaitEnd::Not => Ok(process),
        WaitEnd::Exited(status) => {
            let said = read(&said);
            let said = said.trim().trim_start_matches("error: ");
            anyhow::bail!("the process to be dumped ended with {status} before that: {said}")
        }
        WaitEnd::Hung => {
            anyhow::bail!("the process to be dumped was not ready after {} s", READY_MAX.as_secs())
        }
    }
}

/// A process that does not outlive this value.
struct Process(Child);

impl Process {
    /// Starts it without terminal, pipe or socket, none of which criu could dump: what it says goes
    /// to a file.
    fn start(command: &mut Command, said: &Path) -> anyhow::Result<Process> {
        let said =
            File::create(said).with_context(|| format!("cannot create {}", said.display()))?;
        let both = said.try_clone().context("no second descriptor of a file")?;
        let started = command.stdin(Stdio::null()).stdout(both).stderr(said).spawn();
        let program = command.get_program().display().to_string();
        Ok(Process(started.with_context(|| format!("cannot start {program}"))?))
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it ends, `enough` is true or time is up.
    fn wait(&mut self, time_max: Duration, enough: impl Fn() -> bool) -> anyhow::Result<WaitEnd> {
        let deadline = clock::now().after(time_max);
        loop {
            if let Some(status) = self.0.try_wait().context("cannot wait for a process")? {
                return Ok(WaitEnd::Exited(status));
            }
            if enough() {
                return Ok(WaitEnd::Not);
            }
            if deadline <= clock::now() {
                return Ok(WaitEnd::Hung);
            }
            thread::sleep(LOOK);
        }
    }

    fn end(&mut self) {
        // Both fail if it has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A log as text, or nothing if there is none.
fn read(path: &Path) -> String {
    let bytes = io::read_start(path, LOG_BYTES_MAX).map(|(bytes, _)| bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
