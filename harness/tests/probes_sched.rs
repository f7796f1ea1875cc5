//! The sleep of workers as the scheduler probe sees it, on the running kernel.

mod probes_support;

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use iowq_ebpf::{BlockEvent, KEY_HASHED, KEY_NONE, KEY_UNHASHED, SLOTS_MAX};
use iowq_harness::clock;
use iowq_harness::probes::{Bpf, BpfOptions, Page, Tracker};
use probes_support::{PATIENCE, own_tid, start_or_skip};

fn start(test: &str) -> Option<Bpf> {
    start_or_skip(test, &BpfOptions { sched: true, ..BpfOptions::default() })
}

/// A worker that is tracked, runs something with a work in hand, and leaves.
fn worker(bpf: &Bpf, slot: u32, key: u32, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let page: Arc<Page> = bpf.page().expect("a page");
    let tracker: Tracker = bpf.tracker().expect("a tracker");
    page.claim(slot, 0);
    page.running(0).fetch_add(1, Ordering::SeqCst);
    thread::spawn(move || {
        let tid = own_tid();
        tracker.track(tid, slot).expect("to be tracked");
        page.set_work(slot, key);
        work();
        page.set_work(slot, KEY_NONE);
        tracker.untrack(tid);
        page.running(0).fetch_sub(1, Ordering::SeqCst);
    })
}

/// A worker that sleeps until the other end of the pipe says something.
fn sleeper(bpf: &Bpf, slot: u32, key: u32) -> (PipeWriter, JoinHandle<()>) {
    let (mut reader, writer): (PipeReader, PipeWriter) = pipe().expect("a pipe");
    let read = move || drop(reader.read_exact(&mut [0]));
    (writer, worker(bpf, slot, key, read))
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = clock::now().after(PATIENCE);
    while !is_so() {
        assert!(clock::now() < deadline, "waited in vain until {what}");
        thread::yield_now();
    }
}

#[test]
fn a_worker_that_sleeps_in_its_work_does_not_run_until_it_wakes() {
    let test = "a_worker_that_sleeps_in_its_work_does_not_run_until_it_wakes";
    let Some(bpf) = start(test) else { return };
    let page = bpf.page().expect("a page");
    let (reader, mut writer) = pipe().expect("a pipe");
    let (woke, wakes) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let inner = Arc::clone(&page);
    let worker = worker(&bpf, 5, KEY_UNHASHED, move || {
        let mut reader = reader;
        drop(reader.read_exact(&mut [0]));
        // From here to the message the worker is awake, so this is what others could see.
        woke.send((inner.running(0).load(Ordering::SeqCst), inner.sleeps(5))).expect("a listener");
        let _ = goes.recv();
    });
    until("it sleeps", || page.blocked(5) && page.running(0).load(Ordering::SeqCst) == 0);
    writer.write_all(&[1]).expect("a reader");
    let (running, sleeps) = wakes.recv_timeout(PATIENCE).expect("it woke");
    assert_eq!(running, 1);
    assert!(sleeps >= 1);
    drop(go);
    worker.join().expect("its end");
    assert_eq!(page.running(0).load(Ordering::SeqCst), 0);
    assert!(!page.blocked(5));
}

#[test]
fn a_worker_that_is_preempted_keeps_running() {
    let Some(bpf) = start("a_worker_that_is_preempted_keeps_running") else { return };
    let page = bpf.page().expect("a page");
    // More of them than CPUs, so that the scheduler must take turns.
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let spinners = u32::try_from(cpus + 1).expect("few CPUs");
    let workers: Vec<_> = (0..spinners)
        .map(|slot| worker(&bpf, slot, KEY_UNHASHED, || until("preempted", || preemptions() >= 3)))
        .collect();
    for worker in workers {
        worker.join().expect("its end");
    }
    assert_eq!((0..spinners).map(|slot| page.sleeps(slot)).sum::<u32>(), 0);
    assert_eq!(page.running(0).load(Ordering::SeqCst), 0);
}

/// How often the calling thread was taken off its CPU against its will.
fn preemptions() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to memory of the right type, and all zeroes are valid in it.
    unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init().ru_nivcsw
    }
}

#[test]
fn a_sleep_between_works_does_not_count() {
    let Some(bpf) = start("a_sleep_between_works_does_not_count") else { return };
    let page = bpf.page().expect("a page");
    let (mut writer, idle) = sleeper(&bpf, 1, KEY_NONE);
    let (mut other_writer, busy) = sleeper(&bpf, 2, KEY_UNHASHED);
    until("the busy one sleeps", || page.blocked(2));
    writer.write_all(&[1]).expect("a reader");
    idle.join().expect("its end");
    assert_eq!(page.sleeps(1), 0);
    other_writer.write_all(&[1]).expect("a reader");
    busy.join().expect("its end");
}

#[test]
fn the_last_running_worker_that_sleeps_over_a_queue_is_reported_and_no_other() {
    let test = "the_last_running_worker_that_sleeps_over_a_queue_is_reported_and_no_other";
    let Some(mut bpf) = start(test) else { return };
    let page = bpf.page().expect("a page");
    let mut blocks = bpf.take_blocks().expect("a reader");
    assert!(bpf.take_blocks().is_none(), "there is one reader");
    // One more that runs all along, until it is taken away.
    page.running(0).fetch_add(1, Ordering::SeqCst);
    page.set_head(0, KEY_UNHASHED);
    let (mut first_writer, first) = sleeper(&bpf, 1, KEY_HASHED);
    until("the first sleeps", || page.blocked(1));
    assert!(drain(&mut blocks).is_empty(), "another one still runs");

    page.running(0).fetch_sub(1, Ordering::SeqCst);
    page.set_head(0, KEY_HASHED + 9);
    let (mut second_writer, second) = sleeper(&bpf, 2, KEY_HASHED + 3);
    let mut events: Vec<BlockEvent> = Vec::new();
    blocks.wait_and_drain(PATIENCE, |event| events.push(event)).expect("to wait");
    until("the second sleeps", || page.blocked(2) && page.running(0).load(Ordering::SeqCst) == 0);
    events.extend(drain(&mut blocks));
    let last = events.last().expect("an event");
    assert_eq!((last.slot, last.work, last.head), (2, KEY_HASHED + 3, KEY_HASHED + 9));
    assert_eq!(events.len() as u32, page.sleeps(2), "one for each time that nobody ran");

    page.set_head(0, KEY_NONE);
    let (mut third_writer, third) = sleeper(&bpf, 3, KEY_UNHASHED);
    until("the third sleeps", || page.blocked(3) && page.running(0).load(Ordering::SeqCst) == 0);
    assert!(drain(&mut blocks).is_empty(), "nothing is queued");
    for writer in [&mut first_writer, &mut second_writer, &mut third_writer] {
        writer.write_all(&[1]).expect("a reader");
    }
    for worker in [first, second, third] {
        worker.join().expect("its end");
    }
    assert_eq!(bpf.finish().expect("a census").lost_total(), 0);
}

fn drain(blocks: &mut iowq_harness::probes::BlockReader) -> Vec<BlockEvent> {
    let mut events = Vec::new();
    blocks.wait_and_drain(Duration::ZERO, |event| events.push(event)).expect("to drain");
    events
}

#[test]
fn a_worker_that_exits_is_forgotten_and_a_slot_out_of_range_is_refused() {
    let test = "a_worker_that_exits_is_forgotten_and_a_slot_out_of_range_is_refused";
    let Some(bpf) = start(test) else { return };
    let tracker = bpf.tracker().expect("a tracker");
    // Many more than the map has room for at once: each is forgotten when it is gone.
    for _ in 0..3 * SLOTS_MAX {
        let tracker = tracker.clone();
        let tracked = thread::spawn(move || tracker.track(own_tid(), 7)).join().expect("its end");
        tracked.expect("room for one more");
    }
    let refused = tracker.track(own_tid(), SLOTS_MAX as u32).expect_err("no such slot");
    assert!(refused.to_string().contains("1024"), "{refused}");
}

#[test]
fn without_the_option_there_is_no_page_and_no_tracker() {
    let test = "without_the_option_there_is_no_page_and_no_tracker";
    let Some(mut bpf) = start_or_skip(test, &BpfOptions::default()) else { return };
    assert!(bpf.page().is_none() && bpf.tracker().is_none() && bpf.take_blocks().is_none());
}
