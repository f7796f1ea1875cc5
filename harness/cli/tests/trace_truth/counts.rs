//! Requests: by opcode and by file, of one process and of a hundred.

use std::collections::BTreeMap;

use crate::traced::{Traced, assert_same_requests, process};

#[test]
fn forced_writes_at_depth_eight_are_those_of_the_program_file_by_file() {
    let test = "forced_writes_at_depth_eight_are_those_of_the_program_file_by_file";
    let folder = tempfile::tempdir().expect("a folder");
    let mode = ["writes", "5", "1003"];
    let Some((mut traced, report)) = Traced::actor_or_skip(test, folder.path(), &mode) else {
        return;
    };
    let [done] = &report.processes[..] else { panic!("one process") };
    let snapshot = traced.snapshots(1);
    let process = process(&snapshot, done.pid);
    assert_same_requests(process, done);
    let mut files: BTreeMap<String, u64> = BTreeMap::new();
    for file in &process.files {
        assert!(file.op == "WRITE" && file.way.forced, "{file:?}");
        *files.entry(file.file.clone()).or_default() += file.queued;
    }
    let wanted = if traced.sees_files() { done.files.clone() } else { BTreeMap::new() };
    assert_eq!((files, process.files_more), (wanted, 0));
    let trace = traced.end();
    assert_eq!(trace.born(done.pid), done.workers);
    assert_eq!(trace.gone(done.pid), done.workers);
}

#[test]
fn forced_receives_count_once_though_each_waits_for_a_poll_in_between() {
    let test = "forced_receives_count_once_though_each_waits_for_a_poll_in_between";
    let folder = tempfile::tempdir().expect("a folder");
    let mode = ["sockets", "40"];
    let Some((traced, report)) = Traced::actor_or_skip(test, folder.path(), &mode) else { return };
    let [done] = &report.processes[..] else { panic!("one process") };
    let sees_files = traced.sees_files();
    let trace = traced.end();
    let process = trace.process(done.pid);
    assert_same_requests(process, done);
    let listed = process.files.iter().map(|file| file.queued).sum::<u64>();
    assert!(process.files.iter().all(|file| done.files[&file.file] == file.queued));
    assert_eq!(listed + process.files_more, if sees_files { 40 } else { 0 });
    assert_eq!((process.ops[0].unbounded, process.ops[0].hashed), (40, 0));
}

#[test]
fn a_thousand_rings_in_a_hundred_processes_are_counted_one_by_one() {
    let test = "a_thousand_rings_in_a_hundred_processes_are_counted_one_by_one";
    let folder = tempfile::tempdir().expect("a folder");
    let mode = ["processes", "100", "10", "3"];
    let Some((mut traced, report)) = Traced::actor_or_skip(test, folder.path(), &mode) else {
        return;
    };
    assert_eq!(report.processes.len(), 100);
    let snapshot = traced.snapshots(1);
    for done in &report.processes {
        let process = process(&snapshot, done.pid);
        assert_same_requests(process, done);
        assert_eq!((process.rings.len(), process.born), (10, done.workers.len() as u64));
    }
    // Most of them are over now, and only their sums are left.
    let trace = traced.end();
    let workers = report.processes.iter().map(|done| done.workers.len() as u64).sum();
    assert_eq!(trace.totals(), [workers, workers, 3000, 3000]);
    for done in &report.processes {
        assert_eq!(trace.born(done.pid), done.workers);
        assert_eq!(trace.gone(done.pid), done.workers);
    }
}
