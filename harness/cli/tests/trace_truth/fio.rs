//! Several jobs of fio: what it counts itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::start::skip;
use crate::traced::Traced;

/// What fio is told, but for the folder.
const FIO: [&str; 14] = [
    "--name=mix",
    "--ioengine=io_uring",
    "--force_async=1",
    "--rw=randrw",
    "--bs=4k",
    "--size=1m",
    "--number_ios=300",
    "--loops=1",
    "--fsync=16",
    "--iodepth=8",
    "--numjobs=3",
    "--output-format=json",
    "--fallocate=none",
    "--randseed=7",
];

#[test]
fn jobs_of_fio_have_the_requests_that_fio_counts() {
    let test = "jobs_of_fio_have_the_requests_that_fio_counts";
    if Command::new("fio").arg("--version").output().is_err() {
        return skip(test, "there is no fio");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let said = folder.path().join("said");
    let mut words: Vec<String> = ["--", "fio"].map(str::to_owned).to_vec();
    words.extend(FIO.map(str::to_owned));
    words.push(format!("--directory={}", folder.path().display()));
    words.push(format!("--output={}", said.display()));
    let Some(traced) = Traced::start_or_skip(test, &words) else { return };
    let trace = traced.end();
    let counted = |ops: &[&str]| {
        let of = trace.last.processes.iter().flat_map(|process| &process.ops);
        let of = of.filter(|op| ops.contains(&op.op.as_str()));
        of.fold((0, 0), |sums, op| (sums.0 + op.submitted, sums.1 + op.done))
    };
    let [read, write, sync] = fio_counts(&said);
    assert_eq!(counted(&["READ", "READV"]), (read, read));
    assert_eq!(counted(&["WRITE", "WRITEV"]), (write, write));
    assert_eq!(counted(&["FSYNC"]), (sync, sync));
    assert!(read > 0 && write > 0 && sync > 0, "{read} {write} {sync}");
    // What was born is gone with the jobs.
    let [born, exited, ..] = trace.totals();
    assert!(born > 0 && born == exited, "{born} {exited}");
}

/// Reads, writes and syncs of all jobs, as fio has them.
fn fio_counts(said: &Path) -> [u64; 3] {
    let text = fs::read_to_string(said).expect("what fio says");
    let said: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let jobs = said["jobs"].as_array().expect("jobs");
    ["read", "write", "sync"]
        .map(|of| jobs.iter().map(|job| job[of]["total_ios"].as_u64().expect("a count")).sum())
}
