//! Forced: ops that go to a worker at once, and what their workers wait for.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Place, skipped};

/// Pairs of a write and an fsync linked behind it.
const LINKED: &str = "writes_per_fsync = 1\nlinked = true";

/// Ops in flight.
const DEPTH: u64 = 16;

/// Births of each engine.
fn created(record: &Value) -> Option<u64> {
    record["workers"]["created"]["probe"].as_u64()
}

/// The share of fsyncs that are queued for themselves, and not hashed.
fn unhashed(record: &Value) -> Option<f64> {
    let ways = record["dispatch"]["fsync"].as_object()?;
    let sum: u64 = ways.values().filter_map(Value::as_u64).sum();
    Some(ways["unhashed"].as_u64()? as f64 / sum as f64)
}

/// A folder on the file system that this was built on.
fn here() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// What the records of pool and kernel say of 2,000 forced direct ops on written blocks.
fn both<T>(
    test: &str,
    dir: &Path,
    mix: &str,
    figure: impl Fn(&Value) -> Option<T>,
) -> Option<[T; 2]> {
    let place = Place::new();
    place.write(
        "forced.toml",
        &format!(
            "[files]\ncount = 2\nsize_mib = 4\nopen = \"direct\"\nstate = \"written\"\n\
             [mix]\n{mix}\n[ring]\ndepth = {DEPTH}\nforce_async = true\n[run]\nops = 2000"
        ),
    );
    let dir = ["--dir", dir.to_str()?];
    let engines = ["--workload", "./forced.toml", "--engine", "pool", "--engine", "uring"];
    let output = place
        .bench(&[&engines[..], &["--policy", "exit-on-idle", "--pairs", "1"], &dir].concat())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("does not take O_DIRECT") && !output.status.success() {
        skipped(test, "this file system takes no direct I/O");
        return None;
    }
    assert!(output.status.success(), "{said}");
    let records = place.records();
    let of = |engine: &str| {
        let record = records.iter().find(|record| record["key"]["engine"] == engine)?;
        assert_eq!(record["ops"]["done"], 2000, "{record}");
        (record["probe"]["tier"] == "bpf" && record["blocking"] != "declared")
            .then(|| figure(record))?
    };
    let both = of("pool").zip(of("uring"));
    if both.is_none() {
        skipped(test, "no eBPF: nothing reports when a worker blocks");
    }
    both.map(|(pool, kernel)| [pool, kernel])
}

/// io_uring queues what is linked behind a begun op once that has ended, as if it stood alone.
#[test]
fn what_is_linked_behind_a_direct_op_that_was_begun_is_queued_when_that_ends() {
    let test = "what_is_linked_behind_a_direct_op_that_was_begun_is_queued_when_that_ends";
    let Some([pool, kernel]) = both(test, here().path(), LINKED, unhashed) else { return };
    assert!((pool - kernel).abs() <= 0.02, "unhashed {pool} of fsyncs, in the kernel {kernel}");
}

/// In memory a direct op has ended before its worker can say that it began it.
#[test]
fn direct_ops_that_end_before_their_worker_says_so_are_all_done() {
    let test = "direct_ops_that_end_before_their_worker_says_so_are_all_done";
    for mix in ["write = 1\nread = 1", LINKED] {
        both(test, Path::new("/dev/shm"), mix, |_| Some(()));
    }
}

/// A worker that waited for the device would need one of its own for each op in flight.
#[test]
fn a_worker_that_hands_a_direct_op_to_the_device_is_free_for_the_next_as_in_the_kernel() {
    let test = "a_worker_that_hands_a_direct_op_to_the_device_is_free_for_the_next";
    for mix in ["write = 0\nread = 1", "write = 1"] {
        let Some([pool, kernel]) = both(test, here().path(), mix, created) else { return };
        let nearer_the_kernel = 2 * pool < kernel + DEPTH;
        assert!(nearer_the_kernel, "{mix}: {pool} workers, the kernel {kernel}, for {DEPTH} ops");
    }
}
