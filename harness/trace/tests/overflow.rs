//! Too little room, on purpose: what was taken and what was lost are all that happened, exactly.

#[path = "../../tests/probes_support/start.rs"]
mod start;

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use io_uring::{IoUring, opcode, squeue, types};
use iowq_ebpf::trace::{LIFE_RING, TRACE_LOST_FILES, TRACE_LOST_LIVES, TRACE_LOST_REQUESTS};
use iowq_harness::probes::{BpfOptions, TraceOptions, TraceProbes};
use rustix::param::page_size;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
use start::{skip, start_or_skip};

/// Requests in flight.
const DEPTH: usize = 32;

/// One test at a time: a trace sees all rings of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Probes of this process with the smallest rings there are; none, aloud, if the machine has none.
fn smallest_or_skip(test: &str, requests: bool) -> Option<TraceProbes> {
    drop(start_or_skip(test, &BpfOptions::default())?);
    if let Err(reason) = IoUring::new(1) {
        skip(test, &format!("io_uring is not allowed here ({reason})"));
        return None;
    }
    let page = u32::try_from(page_size()).expect("a size");
    let requests_ring_bytes = if requests { page } else { 0 };
    let options =
        TraceOptions { some: true, on_events: false, lives_ring_bytes: page, requests_ring_bytes };
    let mut probes = TraceProbes::start(&options).expect("probes work here");
    probes.trace(std::process::id()).expect("there is room for one");
    Some(probes)
}

/// Submits entries, forced to workers, and waits until all are done.
fn force(entries: impl IntoIterator<Item = squeue::Entry>) {
    let mut ring = IoUring::new(u32::try_from(DEPTH).expect("small")).expect("a ring");
    let entries: Vec<_> = entries.into_iter().collect();
    for some in entries.chunks(DEPTH) {
        for entry in some {
            let entry = entry.clone().flags(squeue::Flags::ASYNC);
            // SAFETY: the entries point to nothing.
            unsafe { ring.submission().push(&entry) }.expect("room in the ring");
        }
        ring.submit_and_wait(some.len()).expect("to submit");
        assert_eq!(ring.completion().count(), some.len());
    }
}

/// Keeps this thread on the processor that it is on.
fn stay_here() {
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).expect("it is here");
}

fn lost(probes: &TraceProbes, cause: u32) -> u64 {
    probes.lost().expect("the counters can be read")[cause as usize]
}

#[test]
fn of_rings_that_nobody_hears_of_each_is_lost() {
    let _alone = alone();
    let test = "of_rings_that_nobody_hears_of_each_is_lost";
    let Some(mut probes) = smallest_or_skip(test, false) else { return };
    let mut taken = 0;
    for _ in 0..3 {
        for _ in 0..500 {
            drop(IoUring::new(1).expect("a ring"));
        }
        let before = taken;
        let strange = probes.take_lives(|event| taken += u64::from(event.kind == LIFE_RING));
        assert!(strange == 0 && taken > before, "{strange} {before} {taken}");
    }
    let lost = lost(&probes, TRACE_LOST_LIVES);
    assert!(lost > 0 && taken + lost == 1500, "{taken} taken, {lost} lost");
}

#[test]
fn of_requests_that_are_recorded_one_by_one_each_is_taken_or_lost() {
    let _alone = alone();
    let test = "of_requests_that_are_recorded_one_by_one_each_is_taken_or_lost";
    let Some(mut probes) = smallest_or_skip(test, true) else { return };
    let mut taken = 0;
    for _ in 0..3 {
        force((0..3000).map(|_| opcode::Nop::new().build()));
        assert_eq!(probes.take_requests(|_| taken += 1), 0);
    }
    let lost = lost(&probes, TRACE_LOST_REQUESTS);
    assert!(lost > 0 && taken + lost == 9000, "{taken} taken, {lost} lost");
    // They are counted all the same.
    let ops = probes.ops();
    assert_eq!(ops.iter().map(|(_, counts)| counts.done).sum::<u64>(), 9000);
}

#[test]
fn of_requests_on_too_many_files_each_is_counted_or_lost() {
    let _alone = alone();
    let test = "of_requests_on_too_many_files_each_is_counted_or_lost";
    // With three ops for each more than there is room for on one processor, on which all are submitted.
    let files: usize = 9000;
    stay_here();
    let wanted = files as u64 + 1000;
    let maximum = getrlimit(Resource::Nofile).maximum.map(|most| most.max(wanted));
    let wanted = Rlimit { current: Some(wanted), maximum };
    if let Err(reason) = setrlimit(Resource::Nofile, wanted) {
        return skip(test, &format!("no {files} files can be open ({reason})"));
    }
    let Some(probes) = smallest_or_skip(test, false) else { return };
    let file = File::open("/dev/null").expect("it is always there");
    let files: Vec<File> = (0..files).map(|_| file.try_clone().expect("a descriptor")).collect();
    force(files.iter().flat_map(|file| {
        let fd = types::Fd(file.as_raw_fd());
        let (sync, range) = (opcode::Fsync::new(fd), opcode::SyncFileRange::new(fd, 1));
        [sync.build(), range.build(), opcode::Fadvise::new(fd, 1, 0).build()]
    }));
    let counted = probes.files();
    let counted: u64 = counted.iter().map(|(_, count)| count).sum();
    let lost = lost(&probes, TRACE_LOST_FILES);
    if counted + lost == 0 {
        return skip(test, &format!("files are not seen here: {:?}", probes.unseen()));
    }
    assert!(lost > 0 && counted + lost == 3 * files.len() as u64, "{counted} counted, {lost} lost");
}
