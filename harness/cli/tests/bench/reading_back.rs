//! Runs that are ended while what they wrote is read back: what was measured stays.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Place, Running, caveats, children, is_alive, send, wait_until};

/// Writes as much as takes a moment to read back: as long as it took to make.
const MUCH: &str = "[files]\nsize_mib = 256\nblock_bytes = 65536\n[ring]\ndepth = 8\n\
                    [workers]\nidle_timeout_ms = 2000\n[run]\nseconds = 0.5";

fn beside(place: &Place) -> PathBuf {
    place.out().join("record.unverified.jsonl")
}

/// A bench whose only run has been measured, and is stopped while it reads back; and that run.
fn reading_back(place: &Place) -> (Running, u32) {
    place.write("much.toml", MUCH);
    let arguments = ["--workload", "much.toml", "--policy", "6.17", "--pairs", "1"];
    let bench = Running::start(&mut place.bench(&arguments));
    wait_until("a run that was measured", || beside(place).exists().then_some(()));
    let cell = children(bench.id()).first().copied().expect("it still reads back");
    send(cell, Signal::STOP);
    (bench, cell)
}

fn run_in(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a run");
    assert!(text.ends_with('\n') && text.lines().count() == 1);
    serde_json::from_str(&text).expect("JSON")
}

fn assert_measured(record: &Value) {
    assert!(record["ops"]["done"].as_u64() > Some(0), "{record}");
    assert_eq!(record["ops"]["verified_blocks"], Value::Null);
    assert!(caveats(record).contains(&"not-verified"), "{:?}", caveats(record));
}

/// What the caveat says of why nothing was read back.
fn why(record: &Value) -> &str {
    let caveats = record["caveats"].as_array().expect("a list");
    let caveat = caveats.iter().find(|caveat| caveat["code"] == "not-verified");
    caveat.and_then(|caveat| caveat["text"].as_str()).expect("a caveat")
}

#[test]
fn a_bench_that_is_killed_leaves_the_run_beside_its_record() {
    let place = Place::new();
    let (bench, cell) = reading_back(&place);
    bench.signal(Signal::KILL);
    let (status, _) = bench.end();
    assert_eq!(status.code(), None);
    wait_until("the end of the run", || (!is_alive(cell)).then_some(()));
    let record = run_in(&beside(&place));
    assert_measured(&record);
    assert_eq!(record.get("error"), None);
    assert_eq!(place.records(), Vec::<Value>::new());
}

#[test]
fn an_interrupt_keeps_the_run() {
    let place = Place::new();
    let (bench, cell) = reading_back(&place);
    bench.signal(Signal::INT);
    let (status, said) = bench.end();
    assert_eq!(said, ["error: interrupted: 1 of 1 runs finished, in out/record.jsonl"]);
    assert_eq!(status.code(), Some(2));
    let records = place.records();
    assert_eq!(records.len(), 1);
    assert_measured(&records[0]);
    assert!(why(&records[0]).contains("the bench was interrupted"), "{}", why(&records[0]));
    assert!(!beside(&place).exists() && !is_alive(cell));
    place.assert_dir_is_empty();
}

#[test]
fn a_run_that_is_killed_while_it_reads_back_is_finished_and_says_so() {
    let place = Place::new();
    let (bench, cell) = reading_back(&place);
    send(cell, Signal::KILL);
    let (status, said) = bench.end();
    assert_eq!(status.code(), Some(0), "{said:?}");
    let records = place.records();
    assert_eq!((records.len(), records[0].get("error")), (1, None));
    assert_measured(&records[0]);
    assert!(why(&records[0]).contains("killed by signal 9"), "{}", why(&records[0]));
    assert!(!beside(&place).exists());
    place.assert_dir_is_empty();
}

#[test]
fn a_run_that_finds_damage_has_failed_and_keeps_its_figures() {
    let place = Place::new();
    let (bench, cell) = reading_back(&place);
    let file = place.dir().join(format!("iowq-{}-0/iowq-{cell}-0/file-0", bench.id()));
    let bytes = fs::metadata(&file).expect("the file").len();
    let mut open = fs::OpenOptions::new().write(true).open(&file).expect("the file");
    for _ in 0..bytes >> 20 {
        open.write_all(&[0; 1 << 20]).expect("room");
    }
    send(cell, Signal::CONT);
    let (status, said) = bench.end();
    assert_eq!(status.code(), Some(2), "{said:?}");
    assert!(said[0].contains("FAILED: verify: ") && said[0].contains("never written"), "{said:?}");
    let records = place.records();
    assert_eq!(records.len(), 1);
    assert_measured(&records[0]);
    let error = records[0]["error"].as_str().expect("an error");
    assert!(error.starts_with("verify: ") && error.contains("file-0: block "), "{error}");
    assert!(!beside(&place).exists());
    place.assert_dir_is_empty();
}

#[test]
fn a_bench_writes_over_no_run_that_another_one_left() {
    let place = Place::new();
    fs::create_dir(place.out()).expect("a folder");
    fs::write(beside(&place), "{}\n").expect("room");
    let output = place.bench(&["--workload", "tiny.toml", "--quick"]).output().expect("it runs");
    crate::support::assert_refused(
        &output,
        "--out out already holds record.unverified.jsonl; name a folder that is new or empty, or omit \
         --out",
    );
    assert_eq!(fs::read_to_string(beside(&place)).expect("still there"), "{}\n");
}
