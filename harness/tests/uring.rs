//! The engine on the kernel's own io-wq: real rings on real files.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use iowq_harness::drive::{Driven, Driver};
use iowq_harness::engine::call::Buffers;
use iowq_harness::engine::uring::{self, UringEngine};
use iowq_harness::engine::{Engine, Remains};
use iowq_harness::files::Scratch;
use iowq_workloads::{Ledger, Plan};

const SEED: u64 = 7;

/// The plan of a spec that this kernel can run; else says why not.
fn plan_or_skip(test: &str, spec: &str) -> Option<Plan> {
    let plan = Plan::parse("uring", "uring.toml", spec).expect("a valid spec");
    match uring::check(&plan) {
        Ok(()) => Some(plan),
        Err(reason) => {
            let line = format!("\nskipped: {test}: {reason}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
    }
}

/// Drives a plan on these files, on a thread of its own, which its workers end with.
fn drive(plan: &Plan, files: &[OwnedFd]) -> (Driven, Remains, Ledger) {
    std::thread::scope(|scope| {
        let driver = scope.spawn(|| {
            let (mut buffers, mut ledger) = (Buffers::new(plan), Ledger::new(plan));
            let mut engine = Box::new(UringEngine::new(plan, files, buffers.places(), None));
            let driver = Driver::new(plan, SEED, &mut *engine, &mut buffers, &mut ledger, &|| {});
            let driven = driver.run().expect("a ring that works");
            (driven, engine.finish(), ledger)
        });
        driver.join().expect("no panic")
    })
}

fn device(path: &str) -> [OwnedFd; 1] {
    let device = OpenOptions::new().read(true).write(true).open(path).expect("a device");
    [OwnedFd::from(device)]
}

fn failures(driven: &Driven) -> Vec<(&str, u64)> {
    driven.failures.iter().map(|(name, &count)| (name.as_str(), count)).collect()
}

#[test]
fn every_kind_of_op_is_done_and_what_was_written_is_there() {
    let spec = "[files]\ncount = 3\nsize_mib = 1\n[mix]\nread = 1\nfallocate = 1\nnop = 1\n\
                writes_per_fsync = 3\nlinked = true\n[run]\nops = 2000";
    let test = "every_kind_of_op_is_done_and_what_was_written_is_there";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let (driven, remains, ledger) = drive(&plan, scratch.files());
    assert_eq!((driven.done, driven.failed), (2000, 0), "{:?}", driven.failures);
    let latency = remains.recorder.latency();
    for kind in ["write", "read", "fallocate", "nop", "fsync"] {
        assert!(latency.response.contains_key(kind), "{kind}");
    }
    assert_eq!(latency.response["all"].count, 2000);
    assert!(scratch.verify(&plan, SEED, &ledger).expect("the bytes that were written") > 0);
    scratch.remove().expect("nobody holds them");
}

#[test]
fn rings_are_closed_and_opened_again_as_the_plan_says() {
    let spec = "[files]\nsize_mib = 1\n[ring]\nreopen_after_ops = 10\nforce_async = true\n\
                [run]\nops = 200";
    let test = "rings_are_closed_and_opened_again_as_the_plan_says";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let (driven, ..) = drive(&plan, scratch.files());
    assert_eq!((driven.done, driven.failed), (200, 0), "{:?}", driven.failures);
    scratch.remove().expect("nobody holds them");
}

#[test]
fn an_open_loop_takes_as_long_as_its_rate_says() {
    let spec = "[files]\nsize_mib = 1\n[arrival]\npattern = \"rate\"\nper_s = 1000\n\
                [run]\nops = 100";
    let test = "an_open_loop_takes_as_long_as_its_rate_says";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let (driven, ..) = drive(&plan, scratch.files());
    assert_eq!((driven.done, driven.failed), (100, 0));
    // The last of 100 starts 99 ms after the first, never sooner.
    assert!(driven.measured_until.since(driven.measured_from) >= 99_000_000);
    scratch.remove().expect("nobody holds them");
}

#[test]
fn a_full_disk_fails_every_write_by_name() {
    let spec = "[files]\nsize_mib = 1\n[run]\nops = 200";
    let Some(plan) = plan_or_skip("a_full_disk_fails_every_write_by_name", spec) else { return };
    let (driven, ..) = drive(&plan, &device("/dev/full"));
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ENOSPC", 200)]);
}

#[test]
fn what_is_linked_behind_a_write_that_failed_never_runs_and_counts_as_failed() {
    let spec = "[files]\nsize_mib = 1\n[mix]\nwrites_per_fsync = 1\nlinked = true\n\
                [run]\nops = 200";
    let test = "what_is_linked_behind_a_write_that_failed_never_runs_and_counts_as_failed";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let (driven, ..) = drive(&plan, &device("/dev/full"));
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ECANCELED", 100), ("ENOSPC", 100)]);
}
