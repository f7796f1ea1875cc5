//! What happens to the tracer itself: killed, stopped, not alone, and not read.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use iowq_harness::probes::BpfOptions;
use rustix::process::{Pid, Signal, kill_process};

use crate::report::REPORT;
use crate::start::start_or_skip;
use crate::traced::{IOWQ, PATIENCE, Traced, actor, assert_same_requests, process, report, until};

/// What BPF has by number, with the command of `bpf(2)` that looks one up.
const KINDS: [(&str, i32); 3] = [("prog_id", 13), ("map_id", 14), ("link_id", 30)];

/// Programs, maps and links that a process holds, as the kernel numbers them.
fn held(pid: u32) -> BTreeSet<(&'static str, u32)> {
    let fds = fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("/proc");
    let infos = fds.filter_map(|fd| fs::read_to_string(fd.ok()?.path()).ok());
    let mut held = BTreeSet::new();
    for info in infos {
        for (kind, _) in KINDS {
            let number = info.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
            if let Some(number) = number {
                held.insert((kind, number.trim().parse().expect("a number")));
            }
        }
    }
    held
}

/// Whether one of these is still in the kernel.
fn is_there((kind, number): (&str, u32)) -> bool {
    let (_, command) = KINDS.iter().find(|(known, _)| *known == kind).expect("a kind");
    let mut attributes = [0_u32; 32];
    attributes[0] = number;
    let size = size_of_val(&attributes);
    // SAFETY: the attributes outlive the call; the descriptor that it may return leaks, and keeps
    // alive what has to be found to be gone, so that it is closed.
    unsafe {
        let fd = libc::syscall(libc::SYS_bpf, *command, attributes.as_ptr(), size);
        fd >= 0 && libc::close(i32::try_from(fd).expect("a descriptor")) == 0
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a number");
    kill_process(pid, signal).expect("it is there");
}

/// Lets an actor do this, and returns it when it is done.
fn act(folder: &std::path::Path, mode: &str, numbers: &[&str]) -> Child {
    let mut act = Command::new(actor());
    act.arg(mode).arg(folder).args(numbers).stdin(Stdio::piped());
    let child = act.spawn().expect("it starts");
    report(folder);
    child
}

#[test]
fn nothing_stays_in_the_kernel_of_a_trace_that_is_killed() {
    let test = "nothing_stays_in_the_kernel_of_a_trace_that_is_killed";
    let Some(mut traced) = Traced::start_or_skip::<&str>(test, &[]) else { return };
    traced.snapshots(1);
    let held = held(traced.iowq.id());
    for (kind, _) in KINDS {
        assert!(held.iter().any(|(of, _)| *of == kind), "no {kind} in {held:?}");
    }
    assert!(held.iter().all(|one| is_there(*one)));
    traced.iowq.kill().expect("it is there");
    traced.iowq.wait().expect("it is gone");
    until("all of it is gone", || !held.iter().any(|one| is_there(*one)));
}

#[test]
fn a_trace_that_is_stopped_for_a_while_has_missed_nothing() {
    let test = "a_trace_that_is_stopped_for_a_while_has_missed_nothing";
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--comm", "trace_actor"];
    let Some(mut traced) = Traced::start_or_skip(test, &words) else { return };
    traced.snapshots(1);
    signal(&traced.iowq, Signal::STOP);
    let stat = format!("/proc/{}/stat", traced.iowq.id());
    until("it is stopped", || fs::read_to_string(&stat).expect("it is there").contains(") T "));
    let mut actor = act(folder.path(), "rings", &["20", "4"]);
    signal(&traced.iowq, Signal::CONT);
    let done = &report(folder.path()).processes[0];
    let snapshot = traced.with_births_of(done);
    let stopped = process(&snapshot, done.pid);
    assert_same_requests(stopped, done);
    assert_eq!(stopped.born, done.workers.len() as u64);
    drop(actor.stdin.take());
    assert!(actor.wait().expect("it ends").success());
    until("its workers are gone", || {
        let snapshot = traced.snapshots(1);
        let process = process(&snapshot, done.pid);
        process.ended && process.exited == process.born
    });
    signal(&traced.iowq, Signal::INT);
    let trace = traced.end();
    assert_eq!(
        (trace.born(done.pid), trace.gone(done.pid)),
        (done.workers.clone(), done.workers.clone())
    );
}

#[test]
fn two_traces_at_once_see_the_same() {
    let test = "two_traces_at_once_see_the_same";
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--comm", "trace_actor"];
    let Some(mut first) = Traced::start_or_skip(test, &words) else { return };
    let Some(mut second) = Traced::start_or_skip(test, &words) else { return };
    first.snapshots(1);
    second.snapshots(1);
    let mut actor = act(folder.path(), "writes", &["3", "500"]);
    let done = &report(folder.path()).processes[0];
    for traced in [&mut first, &mut second] {
        let snapshot = traced.with_births_of(done);
        let process = process(&snapshot, done.pid);
        assert_same_requests(process, done);
        assert_eq!(process.born, done.workers.len() as u64);
    }
    drop(actor.stdin.take());
    assert!(actor.wait().expect("it ends").success());
    for traced in [first, second] {
        signal(&traced.iowq, Signal::INT);
        assert_eq!(traced.end().born(done.pid), done.workers);
    }
}

#[test]
fn processes_that_are_over_before_they_are_looked_at_are_counted_by_their_name() {
    let test = "processes_that_are_over_before_they_are_looked_at_are_counted_by_their_name";
    let folder = tempfile::tempdir().expect("a folder");
    // A name that no other test's processes have.
    let here_and_gone = folder.path().join("here_and_gone");
    fs::copy(actor(), &here_and_gone).expect("a copy");
    let words = ["--comm", "here_and_gone"];
    let Some(mut traced) = Traced::start_or_skip(test, &words) else { return };
    traced.snapshots(1);
    let mut churn = Command::new(here_and_gone);
    churn.arg("churn").arg(folder.path()).args(["2", "10"]).stdin(Stdio::null());
    assert!(churn.status().expect("it starts").success());
    let said = fs::read_to_string(folder.path().join(REPORT)).expect("it says what it did");
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let [processes, nops] = ["processes", "nops"].map(|it| said[it].as_u64().expect("a count"));
    traced.snapshots(2);
    signal(&traced.iowq, Signal::INT);
    let trace = traced.end();
    let [born, exited, submitted, queued] = trace.totals();
    assert_eq!((submitted, queued), (nops, nops));
    assert!(born >= processes && born == exited, "{born} {exited} of {processes} processes");
    assert_eq!(trace.last.ended.count + trace.last.processes.len() as u64, processes);
}

#[test]
fn a_trace_that_nobody_reads_any_more_ends_without_a_word() {
    let test = "a_trace_that_nobody_reads_any_more_ends_without_a_word";
    let Some(_probes) = start_or_skip(test, &BpfOptions::default()) else { return };
    for format in ["text", "json"] {
        let mut trace = Command::new(IOWQ);
        trace.args(["trace", "--comm", "nobody", "--format", format]);
        trace.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut trace = trace.spawn().expect("it starts");
        let mut out = BufReader::new(trace.stdout.take().expect("a pipe"));
        if format == "json" {
            out.read_line(&mut String::new()).expect("the first line");
        }
        drop(out);
        let began = Instant::now();
        let status = loop {
            if let Some(status) = trace.try_wait().expect("its status") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it goes on");
        };
        let mut words = String::new();
        trace.stderr.expect("a pipe").read_to_string(&mut words).expect("text");
        assert_eq!((status.code(), words.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_command_goes_on_when_nobody_reads_its_trace() {
    let test = "a_command_goes_on_when_nobody_reads_its_trace";
    let Some(_probes) = start_or_skip(test, &BpfOptions::default()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let over = folder.path().join("over");
    let mut trace = Command::new(IOWQ);
    trace.args(["trace", "--format", "json", "--", "sh", "-c"]);
    trace.arg(format!("read line; echo > {}", over.display()));
    trace.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut trace = trace.spawn().expect("it starts");
    let mut out = BufReader::new(trace.stdout.take().expect("a pipe"));
    for _ in 0..2 {
        out.read_line(&mut String::new()).expect("a line");
    }
    drop(out);
    // Each of these is a look at the pipe.
    let steps = || {
        let status =
            fs::read_to_string(format!("/proc/{}/status", trace.id())).expect("it is there");
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.expect("a count").trim().parse::<u64>().expect("a number")
    };
    let before = steps();
    until("it goes on for a few steps", || steps() > before + 5);
    // The command waits for this.
    drop(trace.stdin.take());
    assert!(trace.wait().expect("it ends").success());
    assert!(over.exists(), "the command was ended");
}
