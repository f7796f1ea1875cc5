//! What only io_uring has: each of it runs, does the same ops, and is in the record.

use iowq_harness::engine::uring;
use iowq_workloads::builtin;

use crate::support::{Place, skipped, stderr};

/// Four files, an fsync after each fourth write.
fn spec(ring: &str, workers: &str) -> String {
    format!(
        "[files]\ncount = 4\nsize_mib = 1\n[mix]\nwrites_per_fsync = 4\n[run]\nops = 500\n\
         [ring]\ndepth = 8\n{ring}\n[workers]\n{workers}"
    )
}

#[test]
fn rings_that_are_polled_or_know_files_and_buffers_do_the_same_ops() {
    let test = "rings_that_are_polled_or_know_files_and_buffers_do_the_same_ops";
    if let Err(error) = uring::check(&builtin("fsync-mix").expect("a workload")) {
        return skipped(test, error);
    }
    for (ring, workers, named) in [
        ("sqpoll = true", "", "sqpoll"),
        ("registered_files = true", "", "registered_files"),
        ("registered_buffers = true", "", "registered_buffers"),
        ("", "cpus = [0]", ""),
        ("force_async = true\nsqpoll = true\nregistered_files = true", "cpus = [0]", "sqpoll"),
    ] {
        let place = Place::new();
        place.write("own.toml", &spec(ring, workers));
        let flags = ["--workload", "own.toml", "--engine", "uring", "--pairs", "1"];
        let output = place.bench(&flags).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{ring}: {}", stderr(&output));
        let record = &place.records()[0];
        assert_eq!(record["ops"]["done"], 500, "{ring} {workers}");
        assert_eq!(record["ops"]["verified_blocks"], 400, "{ring} {workers}");
        let plan = &record["settings"]["plan"];
        assert_eq!(plan["ring"][0].as_str().unwrap_or_default(), named);
        assert_eq!(plan["worker_cpus"][0].is_u64(), !workers.is_empty(), "{plan}");
    }
}

#[test]
fn the_pool_refuses_what_only_io_uring_has_before_anything_runs() {
    let place = Place::new();
    place.write("own.toml", &spec("sqpoll = true", ""));
    let output = place.bench(&["--workload", "own.toml"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("ring.sqpoll") && text.contains("--engine uring"), "{text}");
    assert!(!place.out().join("record.jsonl").exists(), "nothing ran");
}
