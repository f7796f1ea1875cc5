//! Births and exits, of processes that exit, exec, fork, and whose number is used again.

use crate::start::skip;
use crate::traced::{Traced, assert_same_requests, process};

#[test]
fn every_worker_of_rings_that_open_and_close_is_born_and_gone_once() {
    let test = "every_worker_of_rings_that_open_and_close_is_born_and_gone_once";
    let folder = tempfile::tempdir().expect("a folder");
    let mode = ["rings", "60", "4"];
    let Some((traced, report)) = Traced::actor_or_skip(test, folder.path(), &mode) else { return };
    let [done] = &report.processes[..] else { panic!("one process") };
    let trace = traced.end();
    let process = trace.process(done.pid);
    assert_same_requests(process, done);
    assert_eq!(trace.born(done.pid), done.workers);
    assert_eq!(trace.gone(done.pid), done.workers);
    let workers = done.workers.len() as u64;
    assert_eq!((process.born, process.exited, process.alive.total()), (workers, workers, 0));
}

#[test]
fn a_process_that_ends_while_its_requests_wait_leaves_nothing_in_io_wq() {
    let test = "a_process_that_ends_while_its_requests_wait_leaves_nothing_in_io_wq";
    let folder = tempfile::tempdir().expect("a folder");
    let Some((traced, report)) = Traced::actor_or_skip(test, folder.path(), &["exit", "4"]) else {
        return;
    };
    let [done] = &report.processes[..] else { panic!("one process") };
    let trace = traced.end();
    let process = trace.process(done.pid);
    let open = &process.ops[0];
    assert_eq!((open.submitted, open.queued, process.in_flight), (4, 4, 0));
    assert_eq!((process.ended, process.rings.len(), process.alive.total()), (true, 0, 0));
    assert_eq!(process.comm, "trace_actor");
    // All were alive at one time.
    assert_eq!(u64::from(process.peak), done.workers.len() as u64);
    assert_eq!(trace.born(done.pid), done.workers);
    assert_eq!(trace.gone(done.pid), done.workers);
}

#[test]
fn a_process_that_becomes_another_program_goes_on_as_itself() {
    let test = "a_process_that_becomes_another_program_goes_on_as_itself";
    let folder = tempfile::tempdir().expect("a folder");
    let Some((traced, report)) = Traced::actor_or_skip(test, folder.path(), &["exec", "4"]) else {
        return;
    };
    let [done] = &report.processes[..] else { panic!("one process") };
    let trace = traced.end();
    let process = trace.process(done.pid);
    // The opens are cancelled: done, with an error.
    assert_same_requests(process, done);
    let failed: Vec<_> = process.ops.iter().map(|op| (op.op.as_str(), op.failed)).collect();
    assert_eq!(failed, [("NOP", 0), ("OPENAT", 4)]);
    assert_eq!(trace.born(done.pid), done.workers);
    assert_eq!(trace.gone(done.pid), done.workers);
}

#[test]
fn a_child_that_submits_through_the_ring_of_its_parent_has_requests_of_its_own() {
    let test = "a_child_that_submits_through_the_ring_of_its_parent_has_requests_of_its_own";
    let folder = tempfile::tempdir().expect("a folder");
    let Some((mut traced, report)) = Traced::actor_or_skip(test, folder.path(), &["fork", "10"])
    else {
        return;
    };
    let snapshot = traced.snapshots(1);
    assert_eq!(report.processes.len(), 2);
    for done in &report.processes {
        let process = process(&snapshot, done.pid);
        assert_same_requests(process, done);
        assert_eq!(process.rings.len(), 1, "the ring is open in both");
    }
    let trace = traced.end();
    for done in &report.processes {
        assert_eq!(trace.born(done.pid), done.workers);
        assert_eq!(trace.gone(done.pid), done.workers);
    }
}

#[test]
fn two_processes_of_one_number_are_two() {
    let test = "two_processes_of_one_number_are_two";
    let folder = tempfile::tempdir().expect("a folder");
    let Some((mut traced, _)) = Traced::actor_or_skip(test, folder.path(), &["reuse", "10"]) else {
        return;
    };
    let report = traced.go_on(folder.path(), 2);
    let [first, second] = &report.processes[..] else { panic!("two processes") };
    if second.pid == 0 {
        return skip(test, "a process cannot be started with a number of choice (clone3, set_tid)");
    }
    assert_eq!(first.pid, second.pid);
    let snapshot = traced.snapshots(1);
    let process = process(&snapshot, second.pid);
    assert_same_requests(process, second);
    assert_eq!((process.rings.len(), process.ended), (1, false));
    assert_eq!(process.born, second.workers.len() as u64);
    let ended = snapshot.ended;
    assert_eq!((ended.count, ended.submitted, ended.queued), (1, 10, 10));
    let workers = first.workers.len() as u64;
    assert_eq!((ended.born, ended.exited), (workers, workers));
    let trace = traced.end();
    let workers = workers + second.workers.len() as u64;
    assert_eq!(trace.totals(), [workers, workers, 30, 30]);
    let both = &first.workers | &second.workers;
    assert_eq!((trace.born(first.pid), trace.gone(first.pid)), (both.clone(), both));
}
