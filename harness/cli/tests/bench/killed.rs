//! Processes that are killed: a run's own is a failed run, and the bench's takes its run with it.

use std::fs::File;
use std::process::Command;

use iowq_contract::{RunRequest, Variant};
use iowq_workloads::Plan;

use rustix::process::Signal;

use crate::interrupted::{LONG, SHORT_THEN_LONG, in_the_second_run};
use crate::support::{
    MEASURE, Place, Running, TINY, assert_refused, is_alive, send, wait_for_run, wait_until,
};

#[test]
fn a_run_that_is_killed_counts_as_failed_and_the_others_go_on() {
    let place = Place::new();
    place.write("long.toml", LONG);
    let arguments = [&SHORT_THEN_LONG[..], &["--pairs", "2"]].concat();
    let bench = Running::start(&mut place.bench(&arguments));
    let killed = "killed by signal 9 (SIGKILL): most likely there was no memory left for it";
    for _ in 0..2 {
        send(wait_for_run(&place, &bench, "long.toml"), Signal::KILL);
        wait_until("a failed run", || {
            bench.line().contains(&format!("long.toml under 6.17: FAILED: {killed}")).then_some(())
        });
    }
    let (status, said) = bench.end();
    let last = "error: 2 of 4 runs failed, 2 finished, in out/record.jsonl";
    assert_eq!(said.last().map(String::as_str), Some(last));
    assert_eq!(status.code(), Some(2));
    let records = place.records();
    assert_eq!(records.len(), 4);
    for (position, record) in records.iter().enumerate() {
        assert_eq!(record["key"]["position"], position);
        if record["key"]["workload"] == "long" {
            let error = record["error"].as_str().expect("a reason");
            assert!(error.starts_with(killed) && error.contains("memory.max"), "{error}");
            assert_eq!(record["ops"]["done"], 0);
        } else {
            assert_eq!(record.get("error"), None);
        }
    }
    place.assert_dir_is_empty();
}

#[test]
fn a_bench_that_is_killed_takes_its_run_with_it_and_what_was_finished_is_intact() {
    let place = Place::new();
    let (bench, cell) = in_the_second_run(&place);
    bench.signal(Signal::KILL);
    let (status, said) = bench.end();
    assert_eq!((status.code(), said), (None, Vec::new()));
    wait_until("the end of the run", || (!is_alive(cell)).then_some(()));
    let records = place.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["key"]["workload"], "tiny");
}

#[test]
fn a_run_whose_bench_is_gone_before_it_begins_does_not_begin() {
    let place = Place::new();
    let plan = Plan::parse("tiny", "tiny.toml", TINY).expect("a valid spec");
    // The kernel gives out no number of a process above 2^22.
    let parent = Some(4_194_305);
    let request = RunRequest { parent, ..RunRequest::new(plan, Variant::pool("6.17")) };
    place.write("request", &serde_json::to_string(&request).expect("JSON"));
    let mut run = Command::new(MEASURE);
    run.arg("run").current_dir(place.home());
    run.stdin(File::open(place.home().join("request")).expect("the request"));
    assert_refused(&run.output().expect("it runs"), "the process that started this one has ended");
    place.assert_untouched();
}

#[test]
fn a_folder_that_somebody_removes_fails_the_runs_that_need_it_and_keeps_what_was_finished() {
    let place = Place::new();
    let (bench, cell) = in_the_second_run(&place);
    for folder in std::fs::read_dir(place.dir()).expect("the dir") {
        std::fs::remove_dir_all(folder.expect("a folder").path()).expect("removed");
    }
    send(cell, Signal::KILL);
    let (status, said) = bench.end();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("long.toml under 6.17: FAILED: "), "{said:?}");
    assert_eq!(said[1], "error: 1 of 2 runs failed, 1 finished, in out/record.jsonl");
    assert_eq!(status.code(), Some(2));
    let records = place.records();
    assert_eq!((records.len(), &records[0]["key"]["workload"]), (2, &"tiny".into()));
}
