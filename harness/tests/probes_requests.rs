//! The way of requests through io-wq, on the running kernel.

#[path = "probes_support/start.rs"]
mod start;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use io_uring::{IoUring, opcode, squeue, types};
use iowq_ebpf::{ACCOUNT_BOUNDED, ACCOUNT_UNBOUNDED, REQUESTS_MAX};
use iowq_harness::clock::{self, Nanos};
use iowq_harness::probes::{Bpf, BpfOptions, ProbeError, Queued, Requests, Times};
use iowq_workloads::limits::DEPTH;
use start::{skip, start_or_skip};

/// Requests in flight.
const SLOTS: u32 = 64;

/// One test at a time: the probes see all rings of the process, and know requests by their slots.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The probes, their table and a ring. If the machine has none the test is skipped, with the reason printed.
fn begin(test: &str) -> Option<(Bpf, Arc<Requests>, IoUring)> {
    begin_with(test, &BpfOptions::default())
}

fn begin_with(test: &str, options: &BpfOptions) -> Option<(Bpf, Arc<Requests>, IoUring)> {
    let options = BpfOptions { requests: SLOTS, ..options.clone() };
    let bpf = start_or_skip(test, &options)?;
    let ring = match IoUring::new(SLOTS) {
        Ok(ring) => ring,
        Err(reason)
            if matches!(
                reason.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            skip(test, &format!("io_uring is not allowed here ({reason})"));
            return None;
        }
        Err(error) => panic!("no ring: {error}"),
    };
    let requests = bpf.requests().expect("a table");
    Some((bpf, requests, ring))
}

/// Submits a request for each slot, and waits until all have succeeded.
fn run(ring: &mut IoUring, requests: &Requests, mut entry: impl FnMut(u32) -> squeue::Entry) {
    for slot in 0..SLOTS {
        requests.prepare(slot);
        let entry = entry(slot).user_data(Requests::user_data(slot, true));
        // SAFETY: what an entry points to outlives this call, which waits for its completion.
        unsafe { ring.submission().push(&entry) }.expect("room in the ring");
    }
    complete(ring, SLOTS);
}

/// Submits what is in the ring, and waits for `count` completions.
fn complete(ring: &mut IoUring, count: u32) {
    ring.submit_and_wait(count as usize).expect("to submit");
    let failed: Vec<_> = ring.completion().filter(|completion| completion.result() < 0).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// The times of all slots, of requests handed over since then.
fn all(requests: &Requests, since: Nanos) -> Vec<Times> {
    (0..SLOTS).map(|slot| requests.times(slot, since)).collect()
}

fn nop() -> squeue::Entry {
    opcode::Nop::new().build()
}

#[test]
fn a_request_that_is_forced_to_a_worker_is_queued_and_then_done() {
    let _alone = alone();
    let test = "a_request_that_is_forced_to_a_worker_is_queued_and_then_done";
    for on_events in [false, true] {
        let options = BpfOptions { on_events, ..BpfOptions::default() };
        let Some((bpf, requests, mut ring)) = begin_with(test, &options) else { return };
        // More than once, so that times of the round before would show.
        (0..20).for_each(|_| force(&mut ring, &requests));
        assert_eq!(bpf.finish().expect("a census").lost_total(), 0);
    }
}

/// Forces a no-op for each slot to a worker, and looks at the times.
fn force(ring: &mut IoUring, requests: &Requests) {
    let before = clock::now();
    run(ring, requests, |_| nop().flags(squeue::Flags::ASYNC));
    let after = clock::now();
    for times in all(requests, before) {
        let queued = times.queued.expect("queued");
        let done = times.done.expect("an end");
        assert!(before <= done && done <= after && !queued.hashed, "{times:?}");
        // Without the kprobe neither is known.
        let (at, started) = (queued.at.unwrap_or(before), times.started.unwrap_or(done));
        assert!(before <= at && at <= started && started <= done, "{times:?}");
    }
}

#[test]
fn a_request_that_its_submitter_runs_is_done_and_was_never_queued() {
    let _alone = alone();
    let test = "a_request_that_its_submitter_runs_is_done_and_was_never_queued";
    let Some((_bpf, requests, mut ring)) = begin(test) else { return };
    // First with workers, so that what they left has to be forgotten.
    run(&mut ring, &requests, |_| nop().flags(squeue::Flags::ASYNC));
    let since = clock::now();
    run(&mut ring, &requests, |_| nop());
    for times in all(&requests, since) {
        assert!(times.done.is_some(), "{times:?}");
        assert_eq!(times, Times { done: times.done, ..Times::default() });
    }
}

#[test]
fn buffered_writes_that_would_wait_go_to_workers_as_hashed_work() {
    let _alone = alone();
    let test = "buffered_writes_that_would_wait_go_to_workers_as_hashed_work";
    let Some((_bpf, requests, mut ring)) = begin(test) else { return };
    let file: File = tempfile::tempfile().expect("a file");
    let fd = types::Fd(file.as_raw_fd());
    let block = [7; 4096];
    let since = clock::now();
    run(&mut ring, &requests, |slot| {
        opcode::Write::new(fd, block.as_ptr(), 4096).offset(u64::from(slot) * 4096).build()
    });
    let queued: Vec<Times> =
        all(&requests, since).into_iter().filter(|times| times.queued.is_some()).collect();
    if queued.is_empty() {
        skip(test, "the file system of the temporary folder writes without workers");
    }
    for times in queued {
        assert!(times.queued.is_some_and(|queued| queued.hashed), "{times:?}");
        assert!(times.done.is_some(), "{times:?}");
    }
}

#[test]
fn a_request_whose_user_data_is_no_slot_is_not_timed() {
    let _alone = alone();
    let test = "a_request_whose_user_data_is_no_slot_is_not_timed";
    let Some((bpf, requests, mut ring)) = begin(test) else { return };
    let others = [Requests::user_data(SLOTS, true), 1 << 32, u64::MAX];
    for user_data in others {
        let entry = nop().flags(squeue::Flags::ASYNC).user_data(user_data);
        // SAFETY: the request points to nothing.
        unsafe { ring.submission().push(&entry) }.expect("room in the ring");
    }
    complete(&mut ring, others.len() as u32);
    assert_eq!(all(&requests, Nanos(0)), vec![Times::default(); SLOTS as usize]);
    drop(bpf);
    // The table outlives the programs, which see nothing any more.
    run(&mut ring, &requests, |_| nop());
    assert_eq!(all(&requests, Nanos(0)), vec![Times::default(); SLOTS as usize]);
}

#[test]
fn a_request_that_is_not_to_be_timed_is_counted_and_has_no_times() {
    let _alone = alone();
    let test = "a_request_that_is_not_to_be_timed_is_counted_and_has_no_times";
    for on_events in [false, true] {
        let options = BpfOptions { on_events, ..BpfOptions::default() };
        let Some((bpf, requests, mut ring)) = begin_with(test, &options) else { return };
        // What it left must not be taken for the times of the next.
        force(&mut ring, &requests);
        let since = clock::now();
        for slot in 0..SLOTS {
            requests.prepare(slot);
            let user_data = Requests::user_data(slot, false);
            let entry = nop().flags(squeue::Flags::ASYNC).user_data(user_data);
            // SAFETY: the request points to nothing.
            unsafe { ring.submission().push(&entry) }.expect("room in the ring");
        }
        complete(&mut ring, SLOTS);
        let queued = Some(Queued { hashed: false, at: None });
        let expected = Times { queued, ..Times::default() };
        assert_eq!(all(&requests, since), vec![expected; SLOTS as usize]);
        assert_eq!(bpf.finish().expect("a census").queued, [2 * u64::from(SLOTS), 0]);
    }
}

#[test]
fn every_start_is_seen_or_the_probes_say_why_none_is() {
    let _alone = alone();
    let test = "every_start_is_seen_or_the_probes_say_why_none_is";
    let Some((bpf, requests, mut ring)) = begin(test) else { return };
    let since = clock::now();
    run(&mut ring, &requests, |_| nop().flags(squeue::Flags::ASYNC));
    let seen = all(&requests, since).iter().filter(|times| times.started.is_some()).count();
    let why = "time in the queue: no kprobe on io_wq_submit_work (";
    match bpf.unseen().iter().find(|reason| reason.starts_with(why)) {
        None => assert_eq!(seen, SLOTS as usize),
        Some(reason) => {
            assert_eq!(seen, 0);
            skip(test, reason);
        }
    }
}

#[test]
fn without_the_option_there_is_no_table_and_nothing_is_missed() {
    let _alone = alone();
    let test = "without_the_option_there_is_no_table_and_nothing_is_missed";
    let Some(bpf) = start_or_skip(test, &BpfOptions::default()) else { return };
    assert!(bpf.requests().is_none() && bpf.unseen().is_empty());
}

#[test]
fn the_table_has_room_for_the_deepest_ring_and_more_is_refused() {
    let _alone = alone();
    assert_eq!(i64::from(REQUESTS_MAX), *DEPTH.end());
    let options = BpfOptions { requests: REQUESTS_MAX + 1, ..BpfOptions::default() };
    let error = Bpf::start(&options).err();
    let Some(ProbeError::TooManyRequests { requests }) = error else { panic!("{error:?}") };
    assert_eq!(requests, REQUESTS_MAX + 1);
}

#[test]
fn each_worker_is_known_by_its_account_and_so_is_what_was_queued_for_it() {
    let _alone = alone();
    let test = "each_worker_is_known_by_its_account_and_so_is_what_was_queued_for_it";
    let Some((bpf, requests, mut ring)) = begin(test) else { return };
    run(&mut ring, &requests, |_| nop().flags(squeue::Flags::ASYNC));
    // What is no regular file may take for ever, and its workers are unbounded.
    let (reader, mut writer) = io::pipe().expect("a pipe");
    writer.write_all(&[1]).expect("a reader");
    let mut byte = [0];
    let read = opcode::Read::new(types::Fd(reader.as_raw_fd()), byte.as_mut_ptr(), 1).build();
    // SAFETY: the byte outlives the request, which is waited for.
    unsafe { ring.submission().push(&read.flags(squeue::Flags::ASYNC)) }.expect("room in the ring");
    complete(&mut ring, 1);
    let unseen = bpf.unseen().iter().find(|reason| reason.starts_with("which account")).cloned();
    let census = bpf.finish().expect("a census");
    assert_eq!((census.queued, census.lost_total()), ([u64::from(SLOTS), 1], 0));
    if let Some(reason) = unseen {
        return skip(test, &reason);
    }
    let named = census.events.iter().filter(|event| event.name().starts_with(b"iou-wrk-"));
    let accounts: Vec<u32> = named.map(|event| event.account).collect();
    for account in [ACCOUNT_BOUNDED, ACCOUNT_UNBOUNDED] {
        assert!(accounts.contains(&account), "{accounts:?}");
    }
    assert!(!accounts.contains(&0), "{accounts:?}");
}
