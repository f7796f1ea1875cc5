//! The guide to workloads: each of its specs runs, on the pool and without a ring.

use crate::support::{Place, skipped, stderr};

/// Each spec of the guide with the name that its first line gives it.
fn specs() -> Vec<(String, String)> {
    let guide = include_str!("../../../../docs/workloads.md");
    let blocks = guide.split("```toml\n# ").skip(1);
    let spec = |block: &str| {
        let (name, rest) = block.split_once('\n').expect("a name");
        let (text, _) = rest.split_once("```").expect("an end");
        (name.to_owned(), text.to_owned())
    };
    blocks.map(spec).collect()
}

#[test]
fn every_spec_of_the_guide_runs_and_what_it_wrote_is_read_back() {
    let test = "every_spec_of_the_guide_runs_and_what_it_wrote_is_read_back";
    let specs = specs();
    assert_eq!(specs.len(), 7);
    let place = Place::new();
    let mut flags = Vec::new();
    for (name, text) in &specs {
        place.write(name, text);
        flags.extend(["--workload", name.as_str()]);
    }
    flags.extend(["--policy", "6.17", "--engine", "pool", "--engine", "sync"]);
    flags.extend(["--pairs", "1", "--seconds", "0.2"]);
    let output = place.bench(&flags).output().expect("it runs");
    if stderr(&output).contains("does not take O_DIRECT") {
        return skipped(test, "this file system takes no direct I/O");
    }
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    assert_eq!(records.len(), 14);
    for record in &records {
        assert!(record["ops"]["done"].as_u64() > Some(0), "{}", record["key"]);
        assert_eq!(record["ops"]["failed"], 0, "{}", record["key"]);
        assert!(record["ops"]["verified_blocks"].as_u64().is_some(), "{}", record["key"]);
    }
}
