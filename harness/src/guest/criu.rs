//! The checkpoint question: can `criu dump` take a process that used io_uring and closed its ring?
//!
//! criu stops every thread of a process, io-wq's workers among them, and cannot make them run code
//! of its own. So a worker that outlives the last ring keeps the process from being dumped.
//!
//! criu needs much of a kernel, and fails for many reasons. So a process that never opened a ring is
//! dumped first, as a control: where that fails, the answer is criu's and not io-wq's.
//!
//! The first time, criu tries what the kernel can do, and notes it for later. That takes long where
//! the processor is emulated, so it is made to do that before it is timed.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use iowq_record::guest::{CRIU_CHECK_S_MAX, Control, Criu, Dump, NOT_DONE, WORKER_IN_THE_WAY};

use crate::clock;
use crate::files::own_folder;
use crate::io;
use crate::procfs;
use crate::sync::thread;

/// File by which the process to be dumped says that its ring is closed.
pub const READY_NAME: &str = "ready";

/// How long it may take to come so far.
const READY_MAX: Duration = Duration::from_secs(60);

/// How long criu's look at the kernel may take.
const CHECK_MAX: Duration = Duration::from_secs(CRIU_CHECK_S_MAX);

/// Workers need some 20 ms to see that the ring is gone, where they look at all.
const SETTLE: Duration = Duration::from_millis(200);

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Most bytes taken of a log: criu writes some hundred kilobytes.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// Errors of a log that are quoted at most.
const ERRORS_MAX: usize = 3;

/// Name of criu's log among its images, and of what it and the process say elsewhere.
const LOG_NAME: &str = "dump.log";
const CRIU_SAID_NAME: &str = "criu.txt";
const PROCESS_SAID_NAME: &str = "process.txt";

/// Where words go that nobody reads.
const NOWHERE: &str = "/dev/null";

/// What the process to be dumped did before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ring {
    /// It used a ring and closed it.
    Closed,
    /// It never opened one.
    Never,
}

/// What came of one dump.
struct Tried {
    dumped: bool,
    took_ms: f64,
    workers: u32,
    reason: String,
}

/// Starts a process that uses a ring in `dir` and closes it, and has criu dump it; before that, the
/// same with one that never opens a ring. Neither of them nor any file is left on return.
///
/// For a guest: criu refuses to work without a loopback device, so that is brought up.
#[must_use]
pub fn dump(criu: &Criu, dir: &Path) -> Dump {
    // Where that fails criu says so.
    let _ = io::loopback_up();
    match std::env::current_exe() {
        Ok(iowq) => dump_of(&iowq, criu, dir),
        Err(error) => {
            let reason = format!("cannot find this program's own file: {error}");
            Dump { dumped: false, took_ms: 0.0, workers: 0, reason, control: None }
        }
    }
}

/// The same with the program `iowq` that is to be dumped.
#[must_use]
pub fn dump_of(iowq: &Path, criu: &Criu, dir: &Path) -> Dump {
    // What it finds wrong does not count: a dump may do with less. Without its notes a dump takes
    // longer, and no more.
    let _ = look_at_kernel(criu);
    let Tried { dumped, took_ms, reason, .. } = tried(iowq, criu, dir, Ring::Never);
    let control = Some(Control { dumped, took_ms, reason });
    let Tried { dumped, took_ms, workers, reason } = tried(iowq, criu, dir, Ring::Closed);
    Dump { dumped, took_ms, workers, reason, control }
}

/// Has criu try what the kernel can do.
fn look_at_kernel(criu: &Criu) -> anyhow::Result<()> {
    let mut check = Process::start(Command::new(&criu.path).arg("check"), Path::new(NOWHERE))?;
    check.wait(CHECK_MAX, || false)?;
    Ok(())
}

/// One dump. Where criu was never started, the reason says why.
fn tried(iowq: &Path, criu: &Criu, dir: &Path, ring: Ring) -> Tried {
    let tried = own_folder(Some(dir)).map_err(anyhow::Error::from).and_then(|folder| {
        let tried = try_in(iowq, criu, &folder, ring);
        // What cannot be removed stays; the answer is known all the same.
        let _ = fs::remove_dir_all(&folder);
        tried
    });
    tried.unwrap_or_else(|error| Tried {
        dumped: false,
        took_ms: 0.0,
        workers: 0,
        reason: format!("{error:#}"),
    })
}

fn try_in(iowq: &Path, criu: &Criu, folder: &Path, ring: Ring) -> anyhow::Result<Tried> {
    let mut process = ready(iowq, folder, ring)?;
    thread::sleep(SETTLE);
    let images = folder.join("images");
    io::make_folder(&images).with_context(|| format!("cannot make {}", images.display()))?;
    let workers = procfs::kernel_workers(process.id());
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
    let dumped = matches!(ended, Ended::Exited(status) if status.success());
    let reason = if dumped {
        String::new()
    } else {
        let (log, said) = (images.join(LOG_NAME), folder.join(CRIU_SAID_NAME));
        why_not(ended, time_max, &read(&log), &read(&said))
    };
    Ok(Tried { dumped, took_ms, workers, reason })
}

/// A process whose ring is closed, or that never had one.
fn ready(iowq: &Path, folder: &Path, ring: Ring) -> anyhow::Result<Process> {
    let said = folder.join(PROCESS_SAID_NAME);
    let mut command = Command::new(iowq);
    command.args(["closed-ring", "--parent", &std::process::id().to_string(), "--dir"]);
    command.arg(folder);
    if ring == Ring::Never {
        command.arg("--without-ring");
    }
    let mut process = Process::start(&mut command, &said)?;
    let ready = folder.join(READY_NAME);
    match process.wait(READY_MAX, || ready.exists())? {
        Ended::Not => Ok(process),
        Ended::Exited(status) => {
            let said = read(&said);
            let said = said.trim().trim_start_matches("error: ");
            anyhow::bail!("the process to be dumped ended with {status} before that: {said}")
        }
        Ended::Hung => {
            anyhow::bail!("the process to be dumped was not ready after {} s", READY_MAX.as_secs())
        }
    }
}

/// A process that does not outlive this value.
struct Process(Child);

/// How waiting for a process ended.
#[derive(Clone, Copy)]
enum Ended {
    Exited(ExitStatus),
    /// What was waited for came first.
    Not,
    Hung,
}

impl Process {
    /// Starts it without terminal, pipe or socket, none of which criu could dump: what it says goes
    /// to a file.
    fn start(command: &mut Command, said: &Path) -> anyhow::Result<Process> {
        let said = File::create(said).with_context(|| format!("cannot make {}", said.display()))?;
        let both = said.try_clone().context("no second descriptor of a file")?;
        let started = command.stdin(Stdio::null()).stdout(both).stderr(said).spawn();
        let program = command.get_program().display().to_string();
        Ok(Process(started.with_context(|| format!("cannot start {program}"))?))
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it ends, `enough` is true or time is up.
    fn wait(&mut self, time_max: Duration, enough: impl Fn() -> bool) -> anyhow::Result<Ended> {
        let deadline = clock::now().after(time_max);
        loop {
            if let Some(status) = self.0.try_wait().context("cannot wait for a process")? {
                return Ok(Ended::Exited(status));
            }
            if enough() {
                return Ok(Ended::Not);
            }
            if deadline <= clock::now() {
                return Ok(Ended::Hung);
            }
            thread::sleep(LOOK);
        }
    }

    fn end(&mut self) {
        // It may have ended before; then there is nobody to kill and nobody to wait for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why there is no dump, in criu's words where it said any.
fn why_not(ended: Ended, time_max: Duration, log: &str, said: &str) -> String {
    let last = |text: &str| text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(bare);
    let error = match (errors(log), beside(said)) {
        (Some(error), Some(beside)) if !error.contains(WORKER_IN_THE_WAY) => {
            Some(format!("{error} ({beside})"))
        }
        (error, _) => error.or_else(|| errors(said)).or_else(|| last(said)),
    };
    match ended {
        Ended::Exited(status) => error.unwrap_or_else(|| format!("criu ended with {status}")),
        Ended::Not | Ended::Hung => {
            let where_it_was = error.or_else(|| last(log)).unwrap_or_default();
            let line = format!("{NOT_DONE}{} s: {where_it_was}", time_max.as_secs());
            line.trim_end_matches([':', ' ']).to_owned()
        }
    }
}

/// What a log says of a thread that cannot be stopped, as workers cannot; else its last errors, of
/// which the cause is the first: the last only say that something failed.
fn errors(log: &str) -> Option<String> {
    let errors: Vec<String> =
        log.lines().filter(|line| line.contains("Error (")).map(bare).collect();
    if let Some(worker) = errors.iter().find(|error| error.contains(WORKER_IN_THE_WAY)) {
        return Some(worker.clone());
    }
    let last = &errors[errors.len().saturating_sub(ERRORS_MAX)..];
    (!last.is_empty()).then(|| last.join("; "))
}

/// The last that a library of criu's said, which goes past criu's log. There criu says what failed,
/// and the library why.
fn beside(said: &str) -> Option<String> {
    let is_of_criu = |line: &str| line.contains(".c:") && line.contains('(');
    let beside = said.lines().map(str::trim).rfind(|line| !line.is_empty() && !is_of_criu(line));
    beside.map(str::to_owned)
}

/// A line of criu's without its time and its place in criu's source:
/// `(00.012345) Error (compel/src/lib/infect.c:1): What it says`.
fn bare(line: &str) -> String {
    let after = |line: &str, start: &str, end: &str| {
        let at = line.strip_prefix(start)?.find(end)?;
        Some(line[start.len() + at + end.len()..].trim().to_owned())
    };
    let line = after(line, "(", ")").unwrap_or_else(|| line.to_owned());
    let line = after(&line, "Error (", "):").unwrap_or(line);
    line.trim().trim_end_matches('.').to_owned()
}

/// A log as text, or nothing where there is none.
fn read(path: &Path) -> String {
    let bytes = io::read_start(path, LOG_BYTES_MAX).map(|(bytes, _)| bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const LOG: &str = "\
(00.000100) Dumping processes (pid: 7 comm: iowq)
(00.010100) Error (criu/tun.c:85): tun: Unable to create tun: No such file or directory
(00.020100) Error (compel/src/lib/infect.c:525): Can't block signals for 9: Operation not permitted
(00.020110) Error (compel/src/lib/infect.c:1675): Parasite exited with -1
(00.020120) Error (criu/cr-dump.c:923): Can't dump thread for pid 9
(00.020130) ----------------------------------------
(00.020140) Error (criu/cr-dump.c:1602): Can't dump threads
(00.020200) net: Unlock network
(00.020300) Error (criu/cr-dump.c:1781): Dumping FAILED.
";

    fn failed() -> Ended {
        Ended::Exited(ExitStatus::from_raw(1 << 8))
    }

    fn reason(ended: Ended, log: &str, said: &str) -> String {
        why_not(ended, Duration::from_secs(20), log, said)
    }

    #[test]
    fn a_worker_that_cannot_be_stopped_is_the_reason_whatever_failed_before_and_after() {
        let expected = "Can't block signals for 9: Operation not permitted";
        assert_eq!(reason(failed(), LOG, ""), expected);
    }

    #[test]
    fn else_the_reason_is_the_last_errors_with_their_cause() {
        let log = "\
(00.083317) Error (criu/tun.c:85): tun: Unable to create tun: No such file or directory
(00.365903) Error (criu/kerndat.c:637): Unable to bind a socket: Cannot assign requested address
(00.366203) Error (criu/kerndat.c:1570): kerndat_tcp_repair failed when initializing kerndat.
(00.366747) files stat: fs/nr_open 1048576
(00.366782) Error (criu/crtools.c:260): Could not initialize kernel features detection.
";
        let expected = "Unable to bind a socket: Cannot assign requested address; \
                        kerndat_tcp_repair failed when initializing kerndat; \
                        Could not initialize kernel features detection";
        assert_eq!(reason(failed(), log, ""), expected);
    }

    #[test]
    fn what_a_library_said_stands_beside_what_criu_said_but_not_beside_a_worker() {
        let log = "(00.1) Error (criu/kerndat.c:1): kerndat_has_nftables_concat failed\n";
        let said = "Warn  (criu/net.c:1): older\nUnable to open a socket: Protocol not supported\n";
        let expected =
            "kerndat_has_nftables_concat failed (Unable to open a socket: Protocol not supported)";
        assert_eq!(reason(failed(), log, said), expected);
        assert_eq!(
            reason(failed(), log, "Warn  (criu/net.c:1): older"),
            "kerndat_has_nftables_concat failed"
        );
        assert!(!reason(failed(), LOG, said).contains("socket"));
    }

    #[test]
    fn where_criu_wrote_no_log_the_reason_is_what_it_said_else_or_its_exit_status() {
        let said = "criu: error while loading shared libraries: libnet.so.1: cannot open\n\n";
        assert_eq!(reason(failed(), "", said), said.trim());
        assert_eq!(reason(failed(), "", ""), "criu ended with exit status: 1");
    }

    #[test]
    fn where_time_was_up_the_reason_says_how_far_criu_was() {
        let hung = "(00.1) Dumping processes\n(00.2) Waiting for 9 to stop\n";
        assert_eq!(reason(Ended::Hung, hung, ""), "not done after 20 s: Waiting for 9 to stop");
        assert_eq!(reason(Ended::Hung, "", ""), "not done after 20 s");
    }
}
