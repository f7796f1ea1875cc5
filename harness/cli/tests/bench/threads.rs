//! Threads that cannot be made: failed creations are counted, and nobody panics.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::Value;

use crate::support::{Place, as_user, caveats, root_or_skip, skipped, stderr};

/// Workloads whose writes all go to workers, more than a few.
const FORCED: &str = "[files]\ncount = 8\nsize_mib = 1\n[ring]\ndepth = 32\nforce_async = true\n\
                      [workers]\nbounded = 16\nunbounded = 16\n[run]\nops = 400\n";

/// A run through io_uring by a user whose number of threads is limited.
fn on_the_kernel(test: &str, threads: u64) -> Option<Value> {
    let place = Place::new();
    place.write("forced.toml", FORCED);
    let arguments = ["bench", "--workload", "forced.toml", "--engine", "uring", "--pairs", "1"];
    let arguments = [&arguments[..], &["--dir", "files", "--out", "out"]].concat();
    let mut bench = as_user(test, &place, 3, &arguments)?;
    limit_threads(&mut bench, threads);
    let output = bench.stdin(Stdio::null()).output().expect("it starts");
    let said = stderr(&output);
    if said.contains("io_uring is") {
        skipped(test, said);
        return None;
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    Some(place.records().remove(0))
}

/// The text of the caveat on workers that could not be created, if there is one.
fn creations_failed(record: &Value) -> Option<String> {
    let caveats = record["caveats"].as_array().expect("a list");
    let refused = caveats.iter().find(|caveat| caveat["code"] == "creations-failed");
    refused.map(|caveat| caveat["text"].as_str().expect("a text").to_owned())
}

/// A group of processes whose number of threads is limited; removed on drop.
struct Group(PathBuf);

impl Group {
    fn new(threads: u32) -> std::io::Result<Group> {
        let tree =
            ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].iter().find(|at| Path::new(at).is_dir());
        let name = format!("iowq-test-{}", std::process::id());
        let group = Group(Path::new(tree.unwrap_or(&"/sys/fs/cgroup")).join(name));
        fs::create_dir(&group.0)?;
        fs::write(group.0.join("pids.max"), threads.to_string())?;
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn workers_that_a_group_of_processes_refuses_to_the_kernel_are_a_caveat() {
    let test = "workers_that_a_group_of_processes_refuses_to_the_kernel_are_a_caveat";
    let mut said = Vec::new();
    // What a bench takes besides workers is not known, so the limit is tried from below.
    for threads in [9, 10, 11, 12, 1000] {
        let group = match Group::new(threads) {
            Ok(group) => group,
            Err(error) => return skipped(test, format_args!("no group can be made ({error})")),
        };
        let place = Place::new();
        let arguments = ["--workload", "dsync", "--seconds", "0.3", "--engine", "uring"];
        let mut bench = place.bench(&[&arguments[..], &["--pairs", "1"]].concat());
        let procs = group.0.join("cgroup.procs");
        // SAFETY: between fork and exec, calls that take no lock of this process.
        unsafe { bench.pre_exec(move || fs::write(&procs, "0")) };
        let output = bench.output().expect("it starts");
        if stderr(&output).contains("io_uring is") {
            return skipped(test, stderr(&output));
        }
        if output.status.success() {
            said.push(creations_failed(&place.records()[0]));
        }
    }
    assert_eq!(said.pop(), Some(None), "a thousand suffice");
    assert!(said.iter().flatten().any(|text| text.contains("pids.max of /sys/fs")), "{said:?}");
}

fn workers_the_kernel_could_not_create_are_a_caveat(test: &str) {
    let Some(record) = on_the_kernel(test, 12) else { return };
    let said = creations_failed(&record).expect("a caveat");
    assert!(said.contains("the user may have 12 threads") && said.contains("ulimit -u"), "{said}");
    let Some(record) = on_the_kernel(test, 1000) else { return };
    assert_eq!(creations_failed(&record), None);
}

/// A bench of one run by a user whose number of threads is limited; `None` where it is skipped.
fn with_threads(test: &str, place: &Place, policy: &str, threads: u64) -> Option<Output> {
    let cell = ["bench", "--workload", "tiny.toml", "--policy", policy, "--pairs", "1"];
    let arguments = [&cell[..], &["--dir", "files", "--out", "out"]].concat();
    let mut bench = as_user(test, place, 3, &arguments)?;
    limit_threads(&mut bench, threads);
    Some(bench.stdin(Stdio::null()).output().expect("it starts"))
}

fn limit_threads(bench: &mut Command, threads: u64) {
    let limit = Rlimit { current: Some(threads), maximum: Some(threads) };
    // SAFETY: between fork and exec, one system call that allocates nothing.
    unsafe { bench.pre_exec(move || Ok(setrlimit(Resource::Nproc, limit)?)) };
}

fn failures(record: &Value) -> u64 {
    record["workers"]["creations_failed"].as_u64().expect("a count")
}

/// One test, because a limit per user counts all that the user runs at one time.
#[test]
fn threads_that_cannot_be_made_are_counted_and_nobody_panics() {
    let test = "threads_that_cannot_be_made_are_counted_and_nobody_panics";
    if !root_or_skip(test, "a user with few threads") {
        return;
    }
    let mut began = Vec::new();
    // From no process for the run, over no thread for the census, to some workers too few.
    for threads in 1..=10 {
        let place = Place::new();
        let Some(output) = with_threads(test, &place, "fixed:16", threads) else { return };
        let said = stderr(&output);
        assert!(!said.contains("panicked"), "{threads}: {said}");
        let records = place.records();
        assert_eq!(records.len(), 1, "{threads}: {said}");
        let record = &records[0];
        place.assert_dir_is_empty();
        if output.status.code() == Some(0) {
            began.push(threads);
            assert!(failures(record) > 0, "{threads}: {record}");
            assert!(caveats(record).contains(&"creations-failed"), "{threads}");
            let ops = &record["ops"];
            assert_eq!(ops["failed"], ops["failures"]["ECANCELED"].as_u64().unwrap_or(0));
        } else {
            assert_eq!(output.status.code(), Some(2), "{threads}: {said}");
            let error = record["error"].as_str().expect("a reason");
            assert!(error.contains("could be started: Resource temporarily"), "{threads}: {error}");
            assert!(error.contains("ulimit -u"), "{threads}: {error}");
        }
    }
    assert!(began.contains(&10) && !began.contains(&1), "{began:?}");
    a_kernels_rules_go_on_with_the_workers_there_are(test);
    workers_the_kernel_could_not_create_are_a_caveat(test);
}

fn a_kernels_rules_go_on_with_the_workers_there_are(test: &str) {
    let place = Place::new();
    let Some(output) = with_threads(test, &place, "6.12", 8) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = &place.records()[0];
    assert!(failures(record) > 0, "{record}");
    assert!(caveats(record).contains(&"creations-failed"));
    assert!(record["ops"]["done"].as_u64() > Some(0), "{record}");
    assert!(record["ops"]["verified_blocks"].as_u64() > Some(0), "{record}");
    place.assert_dir_is_empty();
}
