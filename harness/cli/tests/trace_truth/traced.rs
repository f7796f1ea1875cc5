//! An `iowq trace` that runs, and what it says.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use iowq_contract::trace::{Snapshot, TraceLine, TraceProcess};
use iowq_harness::probes::BpfOptions;

use crate::report::{Done, REPORT, Report};
use crate::start::start_or_skip;

pub(crate) const IOWQ: &str = env!("CARGO_BIN_EXE_iowq");
/// In a burst, one request in this many has a time: `FOLLOWED` of the BPF programs.
const BURST_FOLLOWED: u64 = 16;
/// Long enough for anything that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A trace that is under way. What it waits for is killed with it if a test fails.
pub(crate) struct Traced {
    pub(crate) iowq: Child,
    stdin: Option<ChildStdin>,
    coming: Receiver<TraceLine>,
    taken: Vec<TraceLine>,
}

/// A trace that is over.
pub(crate) struct Trace {
    pub(crate) lines: Vec<TraceLine>,
    pub(crate) last: Snapshot,
}

/// The program that does what it is told; an example, which cargo builds for all tests.
pub(crate) fn actor() -> PathBuf {
    let test = env::current_exe().expect("its own path");
    let folder = test.parent().and_then(Path::parent).expect("target/debug/deps");
    let actor = folder.join("examples/trace_actor");
    assert!(actor.exists(), "build it: cargo build -p iowq --example trace_actor");
    actor
}

impl Traced {
    /// A trace with these arguments; none, aloud, if this machine has no probes.
    pub(crate) fn start_or_skip<A: AsRef<OsStr>>(test: &str, arguments: &[A]) -> Option<Traced> {
        drop(start_or_skip(test, &BpfOptions::default())?);
        let mut iowq = Command::new(IOWQ);
        iowq.args(["trace", "--format", "json", "--interval", "0.2"]).args(arguments);
        let mut iowq =
            iowq.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(iowq.stdout.take().expect("a pipe")).lines();
        let (give, coming) = channel();
        thread::spawn(move || {
            for line in lines {
                let line = line.expect("text");
                let line =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if give.send(line).is_err() {
                    break;
                }
            }
        });
        let stdin = iowq.stdin.take();
        Some(Traced { iowq, stdin, coming, taken: Vec::new() })
    }

    /// A trace of the actor in a mode, and its report once it is done and a snapshot was taken since.
    pub(crate) fn actor_or_skip(
        test: &str,
        folder: &Path,
        mode: &[&str],
    ) -> Option<(Traced, Report)> {
        let (name, numbers) = mode.split_first().expect("a mode");
        let actor = actor();
        let mut words: Vec<&OsStr> = vec!["--".as_ref(), actor.as_ref(), name.as_ref()];
        words.push(folder.as_ref());
        words.extend(numbers.iter().map(|number| AsRef::<OsStr>::as_ref(*number)));
        let mut traced = Traced::start_or_skip(test, &words)?;
        let report = report(folder);
        traced.snapshots(2);
        Some((traced, report))
    }

    /// Takes lines until there were so many more snapshots; returns the last. The first may have begun
    /// before the call, and the second has not.
    pub(crate) fn snapshots(&mut self, mut count: usize) -> Snapshot {
        self.taken.extend(self.coming.try_iter());
        loop {
            let line = self.coming.recv_timeout(PATIENCE).expect("a line");
            self.taken.push(line.clone());
            if let TraceLine::Snapshot(snapshot) = line {
                count -= 1;
                if count == 0 {
                    assert!(snapshot.lost.is_empty(), "{:?}", snapshot.lost);
                    return snapshot;
                }
            }
        }
    }

    /// A snapshot that has all births of a process: one is told when its worker has named itself, and
    /// when those before it have, of whatever process.
    pub(crate) fn with_births_of(&mut self, done: &Done) -> Snapshot {
        let began = Instant::now();
        loop {
            let snapshot = self.snapshots(2);
            let process = snapshot.processes.iter().find(|process| process.pid == done.pid);
            if process.is_some_and(|process| process.born >= done.workers.len() as u64) {
                return snapshot;
            }
            assert!(began.elapsed() < PATIENCE, "too few births in {snapshot:?}");
        }
    }

    /// Whether this kernel shows which file a request is about.
    pub(crate) fn sees_files(&self) -> bool {
        let unseen = self.taken.iter().find_map(|line| match line {
            TraceLine::Start(start) => Some(&start.unseen),
            _ => None,
        });
        unseen.is_some_and(|unseen| !unseen.iter().any(|it| it.contains("which file")))
    }

    /// Lets the actor go on, and returns its report once it is about so many processes.
    pub(crate) fn go_on(&mut self, folder: &Path, processes: usize) -> Report {
        let mut stdin = self.stdin.as_ref().expect("it is open");
        stdin.write_all(b"\n").expect("somebody reads it");
        let mut so_far = report(folder);
        until("the actor reports again", || {
            so_far = report(folder);
            so_far.processes.len() == processes
        });
        self.snapshots(2);
        so_far
    }

    /// Lets the actor go, and returns all lines once the trace is over.
    pub(crate) fn end(mut self) -> Trace {
        drop(self.stdin.take());
        while let Ok(line) = self.coming.recv_timeout(PATIENCE) {
            self.taken.push(line);
        }
        assert!(self.iowq.wait().expect("it ends").success());
        let lines = std::mem::take(&mut self.taken);
        let last = lines.iter().rev().find_map(|line| match line {
            TraceLine::Snapshot(snapshot) => Some(snapshot.clone()),
            _ => None,
        });
        let last = last.expect("a snapshot");
        assert!(last.lost.is_empty(), "{:?}", last.lost);
        Trace { lines, last }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // It may be over.
        let _ = self.iowq.kill();
        let _ = self.iowq.wait();
    }
}

impl Trace {
    /// Workers of a process that were born, by the lines.
    pub(crate) fn born(&self, pid: u32) -> BTreeSet<u32> {
        let births = self.lines.iter().filter_map(|line| match line {
            TraceLine::Birth(birth) if birth.pid == pid => Some(birth.tid),
            _ => None,
        });
        births.collect()
    }

    /// Workers of a process that are gone, by the lines.
    pub(crate) fn gone(&self, pid: u32) -> BTreeSet<u32> {
        let exits = self.lines.iter().filter_map(|line| match line {
            TraceLine::Exit(exit) if exit.pid == pid => Some(exit.tid),
            _ => None,
        });
        exits.collect()
    }

    pub(crate) fn process(&self, pid: u32) -> &TraceProcess {
        process(&self.last, pid)
    }

    /// Born and gone, submitted and queued, of all processes, listed or not.
    pub(crate) fn totals(&self) -> [u64; 4] {
        let ended = self.last.ended;
        let mut sums = [ended.born, ended.exited, ended.submitted, ended.queued];
        for process in &self.last.processes {
            let of_ops = |count: fn(&iowq_contract::trace::TraceOp) -> u64| {
                process.ops.iter().map(count).sum::<u64>()
            };
            let more =
                [process.born, process.exited, of_ops(|op| op.submitted), of_ops(|op| op.queued)];
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        sums
    }
}

/// The report of the actor that works in this folder, once it is there.
pub(crate) fn report(folder: &Path) -> Report {
    let mut report = None;
    until("the actor reports", || {
        report = fs::read_to_string(folder.join(REPORT)).ok();
        report.is_some()
    });
    let report = report.expect("it is there");
    serde_json::from_str(&report).expect("it is written whole")
}

/// A process of a snapshot.
pub(crate) fn process(snapshot: &Snapshot, pid: u32) -> &TraceProcess {
    let found = snapshot.processes.iter().find(|process| process.pid == pid);
    found.unwrap_or_else(|| panic!("no process {pid} in {snapshot:?}"))
}

/// Requests of a process are what it says, all done, and so are its rings.
pub(crate) fn assert_same_requests(process: &TraceProcess, done: &Done) {
    let found: Vec<_> = process.ops.iter().map(|op| op.op.as_str()).collect();
    assert_eq!(found, done.ops.keys().collect::<Vec<_>>());
    for op in &process.ops {
        let did = done.ops[&op.op];
        assert_eq!((op.submitted, op.forced), (did.submitted, did.forced), "{op:?}");
        assert_eq!((op.queued, op.queued_forced), (did.forced, did.forced), "{op:?}");
        assert_eq!(op.done, did.forced, "{op:?}");
        // What a burst leaves behind has no time.
        let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64);
        let untimed = BURST_FOLLOWED * cpus;
        assert!((0..untimed).contains(&(op.done - op.time.count)), "{op:?}");
    }
    assert_eq!((process.rings_opened, process.in_flight), (done.rings, 0));
}

/// Until something is so, or it is too late.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        thread::yield_now();
    }
}
