//! Calls that fail in the middle: each op is a counted failure by name, and nothing hangs.
//!
//! The engine runs on devices in place of files: `/dev/full` has no room for any write, and the
//! memory of this process, as a file, is a device with errors wherever nothing is mapped.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use iowq_harness::drive::{Driven, Driver};
use iowq_harness::engine::Engine as _;
use iowq_harness::engine::call::Buffers;
use iowq_harness::engine::pool::PoolEngine;
use iowq_harness::engine::sleeps::Declared;
use iowq_harness::pool::board::Plain;
use iowq_harness::pool::policy;
use iowq_workloads::{Ledger, Plan};

/// Runs a spec with this device in place of its one file.
fn drive(device: &str, spec: &str) -> Driven {
    let plan = Plan::parse("failing", "failing.toml", spec).expect("a valid spec");
    let device = OpenOptions::new().read(true).write(true).open(device).expect("a device");
    let files = [OwnedFd::from(device)];
    let mut buffers = Buffers::new(&plan);
    let policies = ["6.17", "6.17"].map(|name| policy::parse(name).expect("a policy"));
    let places = buffers.places();
    let mut engine =
        PoolEngine::new(&plan, policies, Plain::default(), Arc::new(Declared), &files, places);
    let mut ledger = Ledger::new(&plan);
    let driven = Driver::new(&plan, 1, &mut engine, &mut buffers, &mut ledger, &|| {}).run();
    let remains = Box::new(engine).finish();
    assert_eq!(remains.tally.expect("books").created, remains.tally.expect("books").exited);
    driven
}

fn failures(driven: &Driven) -> Vec<(&str, u64)> {
    driven.failures.iter().map(|(name, &count)| (name.as_str(), count)).collect()
}

#[test]
fn a_full_disk_fails_every_write_by_name() {
    let driven =
        drive("/dev/full", "[mix]\nwrites_per_fsync = 0\n[run]\nops = 200\n[files]\ncount = 1");
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ENOSPC", 200)]);
}
