//! The engine on the kernel's own io-wq: real rings on real files.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use iowq_harness::clock;
use iowq_harness::drive::{DriveStats, Driver};
use iowq_harness::engine::buffers::Buffers;
use iowq_harness::engine::uring::{self, UringEngine};
use iowq_harness::engine::{Engine, EngineReport};
use iowq_harness::files::{Names, Scratch};
use iowq_harness::probes::{Bpf, BpfOptions, Requests};
use iowq_workloads::{Ledger, OpKind, Plan};

const SEED: u64 = 7;

/// One test at a time: the probes see all rings of the process, and know requests by their slots.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The plan of a spec that this kernel can run; else says why not.
fn plan_or_skip(test: &str, spec: &str) -> Option<Plan> {
    let plan = Plan::parse("uring", "uring.toml", spec).expect("a valid spec");
    match uring::check(&plan) {
        Ok(()) => Some(plan),
        Err(reason) => {
            skip(test, &reason.to_string());
            None
        }
    }
}

/// What a run leaves.
struct Left {
    driven: DriveStats,
    remains: EngineReport,
    ledger: Ledger,
    /// Calls before and after closes of rings.
    closes: u32,
    /// The thread that submitted.
    tid: u32,
}

/// Drives a plan on these files, on a thread of its own, which its workers end with.
fn drive(plan: &Plan, files: &[OwnedFd], seen: Option<Arc<Requests>>) -> Left {
    drive_named(plan, files, None, seen)
}

/// The same, with names for the ops that use them.
fn drive_named(
    plan: &Plan,
    files: &[OwnedFd],
    names: Option<&Names>,
    seen: Option<Arc<Requests>>,
) -> Left {
    std::thread::scope(|scope| {
        let driver = scope.spawn(|| {
            let (mut buffers, mut ledger) = (Buffers::new(plan), Ledger::new(plan));
            let closes = Cell::new(0);
            let count = || closes.set(closes.get() + 1);
            let seen = seen.map(|seen| (seen, 0));
            let engine = UringEngine::new(plan, files, buffers.places(), seen);
            let mut engine = Box::new(engine.with_names(names));
            let driver = Driver::new(plan, SEED, &mut *engine, &mut buffers, &mut ledger, &count);
            let driven = driver.with_names(names).run().expect("a ring that works");
            let (remains, tid) = (engine.finish(), iowq_harness::io::thread_id());
            Left { driven, remains, ledger, closes: closes.get(), tid }
        });
        driver.join().expect("no panic")
    })
}

/// Probes that time the plan's requests; none, and the reason printed, if there are none here.
fn probes_or_skip(test: &str, plan: &Plan) -> Option<(Bpf, Arc<Requests>)> {
    let options = BpfOptions { requests: plan.depth, ..BpfOptions::default() };
    let started = Bpf::start(&options).map_err(|error| error.to_string());
    let timed = started.and_then(|bpf| match bpf.requests() {
        Some(requests) => Ok((bpf, requests)),
        None => Err(bpf.unseen().join("; ")),
    });
    timed.map_err(|reason| skip(test, &reason)).ok()
}

fn skip(test: &str, reason: &str) {
    let line = format!("\nskipped: {test}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn device(path: &str) -> [OwnedFd; 1] {
    let device = OpenOptions::new().read(true).write(true).open(path).expect("a device");
    [OwnedFd::from(device)]
}

fn failures(driven: &DriveStats) -> Vec<(&str, u64)> {
    driven.failures.iter().map(|(name, &count)| (name.as_str(), count)).collect()
}

#[test]
fn every_kind_of_op_is_done_and_what_was_written_is_there() {
    let _alone = alone();
    let spec = "[files]\ncount = 3\nsize_mib = 1\n[mix]\nread = 1\nfallocate = 1\nnop = 1\n\
                writes_per_fsync = 3\nlinked = true\n[run]\nops = 2000";
    let test = "every_kind_of_op_is_done_and_what_was_written_is_there";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let Left { driven, remains, ledger, .. } = drive(&plan, scratch.files(), None);
    assert_eq!((driven.done, driven.failed), (2000, 0), "{:?}", driven.failures);
    let latency = remains.recorder.latency();
    for kind in ["write", "read", "fallocate", "nop", "fsync"] {
        assert!(latency.response.contains_key(kind), "{kind}");
    }
    assert_eq!(latency.response["all"].count, 2000);
    let verified = scratch.verify(&plan, SEED, &ledger, &mut |_, _, _| {});
    assert!(verified.expect("the bytes that were written").blocks > 0);
    scratch.remove().expect("not in use");
}

#[test]
fn ops_on_names_and_lengths_are_done_and_leave_files_and_descriptors_as_they_were() {
    let _alone = alone();
    let test = "ops_on_names_and_lengths_are_done_and_leave_files_and_descriptors_as_they_were";
    let spec = "[files]\ncount = 3\nsize_mib = 1\n[mix]\nopenat = 1\nstatx = 1\nrename = 1\n\
                unlink = 1\nsync_file_range = 1\n[ring]\nregistered_files = true\n[run]\nops = 2000";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let descriptors = || std::fs::read_dir("/proc/self/fd").expect("procfs").count();
    let before = descriptors();
    let Left { driven, remains, ledger, .. } =
        drive_named(&plan, scratch.files(), scratch.names(), None);
    assert_eq!((driven.done, driven.failed), (2000, 0), "{:?}", driven.failures);
    assert_eq!(descriptors(), before, "all that was opened is closed");
    let latency = remains.recorder.latency();
    for kind in ["write", "openat", "statx", "rename", "unlink", "sync_file_range"] {
        assert!(latency.response.contains_key(kind), "{kind}");
    }
    let verified = scratch.verify(&plan, SEED, &ledger, &mut |_, _, _| {});
    assert!(verified.expect("the bytes that were written").blocks > 0);
    scratch.remove().expect("nothing is left in the folder");
}

#[test]
fn a_truncate_sets_the_length_to_the_end_of_its_block() {
    let _alone = alone();
    let test = "a_truncate_sets_the_length_to_the_end_of_its_block";
    let spec = "[files]\nsize_mib = 1\nstate = \"fresh\"\n[mix]\nwrite = 0\ntruncate = 1\n\
                [ring]\ndepth = 1\n[run]\nops = 7";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let Left { driven, .. } = drive(&plan, scratch.files(), None);
    assert_eq!((driven.done, driven.failed), (7, 0), "{:?}", driven.failures);
    let file = std::fs::File::from(scratch.files()[0].try_clone().expect("a copy"));
    assert_eq!(file.metadata().expect("its status").len(), 7 * 4096);
    scratch.remove().expect("not in use");
}

#[test]
fn rings_are_closed_and_opened_again_as_the_plan_says() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[ring]\nreopen_after_ops = 10\nforce_async = true\n\
                [run]\nops = 200";
    let test = "rings_are_closed_and_opened_again_as_the_plan_says";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let Left { driven, closes, .. } = drive(&plan, scratch.files(), None);
    assert_eq!((driven.done, driven.failed), (200, 0), "{:?}", driven.failures);
    assert_eq!(closes, 40, "before and after each of 20");
    scratch.remove().expect("not in use");
}

#[test]
fn an_open_loop_takes_as_long_as_its_rate_says() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[arrival]\npattern = \"rate\"\nper_s = 1000\n\
                [run]\nops = 100";
    let test = "an_open_loop_takes_as_long_as_its_rate_says";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let Left { driven, .. } = drive(&plan, scratch.files(), None);
    assert_eq!((driven.done, driven.failed), (100, 0));
    // The last of 100 starts 99 ms after the first, never sooner.
    assert!(driven.measured_until.since(driven.measured_from) >= 99_000_000);
    scratch.remove().expect("not in use");
}

#[test]
fn a_full_disk_fails_every_write_by_name() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[run]\nops = 200";
    let Some(plan) = plan_or_skip("a_full_disk_fails_every_write_by_name", spec) else { return };
    let Left { driven, .. } = drive(&plan, &device("/dev/full"), None);
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ENOSPC", 200)]);
}

#[test]
fn an_op_linked_to_a_failed_write_never_runs_and_counts_as_failed() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[mix]\nwrites_per_fsync = 1\nlinked = true\n\
                [run]\nops = 200";
    let test = "an_op_linked_to_a_failed_write_never_runs_and_counts_as_failed";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let Left { driven, .. } = drive(&plan, &device("/dev/full"), None);
    assert_eq!((driven.done, driven.failed), (0, 200));
    assert_eq!(failures(&driven), [("ECANCELED", 100), ("ENOSPC", 100)]);
}

#[test]
fn with_probes_each_op_is_timed_and_counted_by_the_way_it_went() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[mix]\nnop = 1\nwrites_per_fsync = 2\n[ring]\ndepth = 8\n\
                [run]\nops = 600";
    let test = "with_probes_each_op_is_timed_and_counted_by_the_way_it_went";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let Some((_bpf, requests)) = probes_or_skip(test, &plan) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let Left { driven, remains, .. } = drive(&plan, scratch.files(), Some(requests));
    scratch.remove().expect("not in use");
    assert_eq!((driven.done, driven.failed), (600, 0), "{:?}", driven.failures);
    let punts = remains.dispatch.expect("the probes saw it");
    let of = |kind: OpKind| {
        let punts = punts[kind.index()];
        (punts.inline + punts.hashed, punts.unhashed, punts.linked)
    };
    let latency = remains.recorder.latency();
    let done = |name: &str| latency.response[name].count;
    // Forced ones always reach a worker, and no other work waits for them.
    assert_eq!(of(OpKind::Nop), (0, done("nop"), 0));
    // A file system may take buffered writes at once; what it does not take is hashed.
    assert_eq!(of(OpKind::Write), (done("write"), 0, 0));
    for clocks in [&latency.response, &latency.service] {
        assert!(clocks["nop"].p50_ns > 0, "done comes after handed over");
    }
}

#[test]
fn of_a_flood_of_no_ops_each_is_counted_and_one_in_some_is_timed() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[mix]\nwrite = 0\nnop = 1\n[ring]\ndepth = 32\n\
                [run]\nseconds = 0.3";
    let test = "of_a_flood_of_no_ops_each_is_counted_and_one_in_some_is_timed";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let Some((_bpf, requests)) = probes_or_skip(test, &plan) else { return };
    let Left { driven, remains, .. } = drive(&plan, &device("/dev/null"), Some(requests));
    let one_in = u64::from(remains.timed_one_in.expect("a part"));
    let unhashed = remains.dispatch.expect("the probes saw it")[OpKind::Nop.index()].unhashed;
    assert_eq!((unhashed, remains.timed_at_reaping), (driven.done, Some(0)));
    let expected = driven.done / one_in;
    let timed = remains.recorder.count();
    assert!(timed.abs_diff(expected) <= 2 + expected / 100, "{timed} of {}", driven.done);
}

#[test]
fn the_limit_on_workers_reaches_the_kernel() {
    let _alone = alone();
    let spec = "[files]\nsize_mib = 1\n[mix]\nwrite = 0\nnop = 1\n[ring]\ndepth = 64\n\
                [workers]\nbounded = 3\nunbounded = 3\n[run]\nops = 5000";
    let test = "the_limit_on_workers_reaches_the_kernel";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let Some((bpf, requests)) = probes_or_skip(test, &plan) else { return };
    let left = drive(&plan, &[], Some(requests));
    // Those of other tests' threads are named after those.
    let name = format!("iou-wrk-{}", left.tid);
    let mut workers = BTreeSet::new();
    bpf.drain_until(clock::now(), |events| {
        let named = events.iter().filter(|event| event.name() == name.as_bytes());
        workers.extend(named.map(|event| event.tid));
        true
    });
    // No worker is replaced, because none idles for five seconds here.
    assert!((1..=3).contains(&workers.len()), "{workers:?}");
}

#[test]
fn ops_of_several_sizes_are_whole_and_verified_block_by_block() {
    let _alone = alone();
    let spec = "[files]\ncount = 3\nsize_mib = 2\norder = \"random\"\n\
                block_bytes = [{ bytes = 1536 }, { bytes = 4096 }, { bytes = 65536 }]\n\
                [mix]\nread = 1\nfallocate = 1\nwrites_per_fsync = 5\n[log]\n\
                [run]\nops = 3000";
    let test = "ops_of_several_sizes_are_whole_and_verified_block_by_block";
    let Some(plan) = plan_or_skip(test, spec) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let Left { driven, ledger, .. } = drive(&plan, scratch.files(), None);
    assert_eq!((driven.done, driven.failed), (3000, 0), "{:?}", driven.failures);
    let verified = scratch.verify(&plan, SEED, &ledger, &mut |_, _, _| {});
    assert!(verified.expect("the bytes that were written").blocks > 3000);
    scratch.remove().expect("not in use");
}
