//! Tasks: several streams of a workload at once, on every engine, from the spec to the report.

use serde_json::Value;

use crate::support::{Place, assert_refused, stderr};

const SPEC: &str = r#"
summary = "A log and readers."
[files]
size_mib = 1
[workers]
bounded = 4
[run]
ops = 400
[[task]]
name = "log"
files = { state = "fresh" }
mix = { writes_per_fsync = 2, linked = true }
ring = { depth = 2 }
[[task]]
name = "readers"
count = 3
files = { count = 2, order = "random" }
mix = { write = 0, read = 1 }
ring = { depth = 8, force_async = true }
"#;

fn done(record: &Value, task: usize) -> u64 {
    record["tasks"][task]["done"].as_u64().expect("a count")
}

#[test]
fn every_task_does_its_ops_on_every_engine_and_what_they_wrote_is_read_back() {
    let place = Place::new();
    place.write("db.toml", SPEC);
    let engines = ["--engine", "pool", "--engine", "uring", "--engine", "sync"];
    let flags = ["--workload", "db.toml", "--policy", "6.17", "--pairs", "1"];
    let output = place.bench(&[&flags[..], &engines].concat()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    assert_eq!(records.len(), 3);
    for record in &records {
        assert_eq!((done(record, 0), done(record, 1)), (400, 1200), "{}", record["key"]);
        assert_eq!(record["ops"]["done"], 1600);
        assert_eq!(record["ops"]["failed"], 0);
        assert!(record["ops"]["verified_blocks"].as_u64() > Some(0));
        assert_eq!(record["settings"]["files"], 7);
        assert_eq!(record["settings"]["depth"], 26);
        assert_eq!(record["settings"]["limit_bounded"], 16, "of all four");
        assert_eq!(record["settings"]["plan"]["tasks"][1]["depth"], 8);
        let latency = &record["tasks"][1]["latency"]["response"];
        assert_eq!(latency["read"]["count"], 1200);
        assert!(latency.get("write").is_none(), "readers write nothing");
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("readers x3 under 6.17: "), "{said}");
    assert!(said.contains("log under no-ring: "), "{said}");
}

#[test]
fn each_task_has_a_pool_of_its_own() {
    let place = Place::new();
    place.write("db.toml", SPEC);
    let flags = ["--workload", "db.toml", "--policy", "fixed:workers=2", "--pairs", "1"];
    let output = place.bench(&flags).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = &place.records()[0];
    // Four pools of two workers; one that never queued work may have none.
    let created = record["workers"]["created"]["engine"].as_u64().expect("a count");
    assert!((6..=8).contains(&created), "{created}");
    assert_eq!(record["workers"]["created"], record["workers"]["exited"]);
}

#[test]
fn without_a_ring_there_is_no_worker() {
    let place = Place::new();
    let flags = ["--workload", "tiny.toml", "--engine", "sync", "--pairs", "1"];
    let output = place.bench(&flags).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = &place.records()[0];
    assert_eq!(record["key"]["engine"], "sync");
    assert_eq!(record["blocking"], "none");
    assert_eq!(record["workers"]["peak"], 0);
    assert!(record["ops"]["done"].as_u64() > Some(0));
    assert!(record["ops"]["verified_blocks"].as_u64() > Some(0));
}

#[test]
fn a_task_that_a_spec_cannot_have_is_refused_with_its_name() {
    let place = Place::new();
    place.write("db.toml", "[[task]]\nname = \"log\"\nring = { depth = 0 }\n");
    let output = place.bench(&["--workload", "db.toml"]).output().expect("it runs");
    assert_refused(&output, "db.toml: task `log`: ring.depth: found 0, allowed 1 to 4096");
}
