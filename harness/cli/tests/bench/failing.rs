//! Calls that fail in the middle: each op is a counted failure by name, and nothing hangs.
//!
//! The engine runs on devices in place of files: `/dev/full` has no room for any write, and the
//! memory of this process, as a file, is a device with errors wherever nothing is mapped.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use iowq_harness::drive::{DriveStats, Driver};
use iowq_harness::engine::Engine as _;
use iowq_harness::engine::buffers::Buffers;
use iowq_harness::engine::pool::{PoolEngine, SLOTS};
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::Registry;
use iowq_pool::{ParkedWait, SelfReported};
use iowq_workloads::{Ledger, Plan};

/// Runs a spec with this device in place of its one file.
fn drive(device: &str, spec: &str) -> DriveStats {
    let spec = format!("[files]\ncount = 1\nsize_mib = 1\n{spec}");
    let plan = Plan::parse("failing", "failing.toml", &spec).expect("a valid spec");
    let device = OpenOptions::new().read(true).write(true).open(device).expect("a device");
    let files = [OwnedFd::from(device)];
    let mut buffers = Buffers::new(&plan);
    let policy = Registry::builtin().parse("6.17").expect("a policy");
    let places = buffers.places();
    let (board, sleeps, waiter) =
        (LocalCounters::default(), Arc::new(SelfReported), Box::new(ParkedWait::default()));
    let mut engine = PoolEngine::new(SLOTS, &plan, &policy, board, sleeps, waiter, &files, places);
    let mut ledger = Ledger::new(&plan);
    let driven = Driver::new(&plan, 1, &mut engine, &mut buffers, &mut ledger, &|| {})
        .run()
        .expect("the pool does not fail");
    let books = Box::new(engine).finish().tally.expect("the pool keeps books");
    assert_eq!(books.created, books.exited);
    driven
}

fn failures(driven: &DriveStats) -> Vec<(&str, u64)> {
    driven.failures.iter().map(|(name, &count)| (name.as_str(), count)).collect()
}

/// A device that fails all writes, with room for none.
const FULL: &str = "/dev/full";

/// This process's memory: below the first address that is ever mapped, it fails all access.
const UNMAPPED: &str = "/proc/self/mem";

#[test]
fn a_full_disk_fails_every_write_by_name() {
    let driven = drive(FULL, "[mix]\nwrites_per_fsync = 0\n[run]\nops = 200");
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ENOSPC", 200)]);
}

#[test]
fn what_is_linked_behind_a_write_that_failed_never_runs_and_counts_as_failed() {
    let driven = drive(FULL, "[mix]\nwrites_per_fsync = 1\nlinked = true\n[run]\nops = 200");
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ECANCELED", 100), ("ENOSPC", 100)]);
}

#[test]
fn a_device_with_errors_fails_reads_and_writes_by_name() {
    let driven = drive(UNMAPPED, "[mix]\nread = 1\nwrites_per_fsync = 0\n[run]\nops = 200");
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("EIO", 200)]);
}

#[test]
fn what_does_not_fail_goes_on_beside_what_does() {
    let driven = drive(FULL, "[mix]\nread = 1\nwrites_per_fsync = 0\n[run]\nops = 200");
    assert_eq!(driven.done + driven.failed, 200);
    assert!(driven.done > 0 && driven.failed > 0, "{driven:?}");
    assert_eq!(failures(&driven), [("ENOSPC", driven.failed)]);
}

#[test]
fn a_run_of_a_length_in_seconds_ends_in_time_though_all_fails() {
    let driven = drive(FULL, "[mix]\nwrites_per_fsync = 4\n[run]\nseconds = 0.05");
    assert!(driven.failed > 0 && driven.done == 0, "{driven:?}");
    // A device has nothing to bring anywhere.
    let names: Vec<_> = driven.failures.keys().map(String::as_str).collect();
    assert_eq!(names, ["EINVAL", "ENOSPC"]);
}
