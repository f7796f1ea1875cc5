//! The sleep of workers as the scheduler probe sees it, on the running kernel.

mod probes_support;

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use iowq_ebpf::{BlockEvent, KEY_HASHED, KEY_NONE, KEY_UNHASHED, LOST_BLOCKS, SLOTS_MAX};
use iowq_harness::clock;
use iowq_harness::engine::blocking::{ProbeWait, SchedSwitch, SharedCounters};
use iowq_harness::probes::{BlockReader, Bpf, BpfOptions, Page, Tracker};
use iowq_pool::policy::Registry;
use iowq_pool::teardown;
use iowq_pool::work::{Account, Flags, WorkId};
use iowq_pool::{Config, Job, Pool, WorkOutcome};
use probes_support::{PATIENCE, own_tid, start_or_skip};

fn start(test: &str) -> Option<Bpf> {
    start_or_skip(test, &BpfOptions { sched: true, ..BpfOptions::default() })
}

/// A worker that is tracked, executes a work, and exits.
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
    let events = next(&mut blocks);
    let [event] = events[..] else { panic!("one event: {}", events.len()) };
    assert_eq!((event.slot, event.generation), (2, page.generation(2)));
    assert_eq!((event.work, event.head), (KEY_HASHED + 3, KEY_HASHED + 9));
    until("the second sleeps", || page.blocked(2));

    // The pool gives the reservation back.
    assert!(page.take_request(2));
    page.running(0).fetch_sub(1, Ordering::SeqCst);
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

/// What is reported next.
fn next(blocks: &mut BlockReader) -> Vec<BlockEvent> {
    let deadline = clock::now().after(PATIENCE);
    loop {
        let events = drain(blocks);
        let now = clock::now();
        if !events.is_empty() || now >= deadline {
            return events;
        }
        blocks.wait(Some(deadline.until(now))).expect("to wait");
    }
}

fn drain(blocks: &mut BlockReader) -> Vec<BlockEvent> {
    let mut events = Vec::new();
    blocks.drain(|event| events.push(event));
    events
}

#[test]
fn a_requested_worker_counts_as_running_before_the_request_is_read() {
    let test = "a_requested_worker_counts_as_running_before_the_request_is_read";
    let Some(mut bpf) = start(test) else { return };
    let page = bpf.page().expect("a page");
    let mut blocks = bpf.take_blocks().expect("a reader");
    page.set_head(0, KEY_UNHASHED);
    let (mut writer, worker) = sleeper(&bpf, 1, KEY_UNHASHED);
    // Nothing is read from the ring meanwhile.
    let counted = || page.running(0).load(Ordering::SeqCst) == 1;
    until("the one to come counts", || page.blocked(1) && page.request_pending(1) && counted());
    // So the next one that sleeps is not the last that runs, and requests no worker.
    let (mut other_writer, other) = sleeper(&bpf, 2, KEY_UNHASHED);
    until("the other sleeps", || page.blocked(2));
    assert!(!page.request_pending(2));
    assert_eq!(drain(&mut blocks).len(), 1);
    for writer in [&mut writer, &mut other_writer] {
        writer.write_all(&[1]).expect("a reader");
    }
    for worker in [worker, other] {
        worker.join().expect("its end");
    }
    assert_eq!(page.running(0).load(Ordering::SeqCst), 1, "until it is taken back");
    assert!(page.take_request(1));
}

#[test]
fn a_credit_for_which_the_ring_has_no_room_is_not_counted_and_the_loss_is() {
    let test = "a_credit_for_which_the_ring_has_no_room_is_not_counted_and_the_loss_is";
    let page_bytes = u32::try_from(rustix::param::page_size()).expect("a small page");
    let options =
        BpfOptions { sched: true, blocks_ring_bytes: page_bytes, ..BpfOptions::default() };
    let Some(mut bpf) = start_or_skip(test, &options) else { return };
    let page = bpf.page().expect("a page");
    let mut blocks = bpf.take_blocks().expect("a reader");
    page.set_head(0, KEY_UNHASHED);
    let (reader, mut writer) = pipe().expect("a pipe");
    let (inner, awake) = (Arc::clone(&page), Arc::new(AtomicU32::new(0)));
    let woke = Arc::clone(&awake);
    // More events than there is room for; each time the reservation is given back.
    let times = page_bytes / 16;
    let worker = worker(&bpf, 1, KEY_UNHASHED, move || {
        let mut reader = reader;
        for _ in 0..times {
            drop(reader.read_exact(&mut [0]));
            if inner.take_request(1) {
                inner.running(0).fetch_sub(1, Ordering::SeqCst);
            }
            woke.fetch_add(1, Ordering::SeqCst);
        }
    });
    for time in 1..=times {
        until("it sleeps", || page.blocked(1));
        writer.write_all(&[1]).expect("a reader");
        until("it woke", || awake.load(Ordering::SeqCst) == time);
    }
    worker.join().expect("its end");
    assert_eq!(page.running(0).load(Ordering::SeqCst), 0);
    let events = drain(&mut blocks).len() as u64;
    let sleeps = u64::from(page.sleeps(1));
    let lost = bpf.finish().expect("a census").lost[LOST_BLOCKS as usize];
    assert!(lost > 0);
    assert_eq!(events + lost, sleeps, "each sleep was events or lost");
}

#[test]
fn a_wait_for_requests_is_ended_by_a_call_also_by_one_that_came_first() {
    let test = "a_wait_for_requests_is_ended_by_a_call_also_by_one_that_came_first";
    let Some(mut bpf) = start(test) else { return };
    let mut blocks = bpf.take_blocks().expect("a reader");
    let waker = blocks.waker();
    // Each wait has no end of its own.
    waker.call();
    blocks.wait(None).expect("to wait");
    for _ in 0..1000 {
        let waker = Arc::clone(&waker);
        let caller = thread::spawn(move || waker.call());
        blocks.wait(None).expect("to wait");
        caller.join().expect("its end");
    }
}

#[test]
fn a_worker_that_must_not_request_changes_no_count() {
    let test = "a_worker_that_must_not_request_changes_no_count";
    let Some(mut bpf) = start(test) else { return };
    let page = bpf.page().expect("a page");
    let mut blocks = bpf.take_blocks().expect("a reader");
    let bucket = KEY_HASHED + 3;
    for (policy, held, head, asks) in [
        ("6.12", bucket, bucket, true),
        ("6.17", bucket, bucket, false),
        ("6.17", bucket, bucket + 1, true),
        ("6.17", KEY_UNHASHED, bucket, true),
        ("6.17", KEY_UNHASHED, KEY_UNHASHED, true),
        ("fixed:2", KEY_UNHASHED, bucket, false),
    ] {
        let spec = Registry::builtin().parse(policy).expect(policy);
        let _counters = SharedCounters::new(Arc::clone(&page), spec.build().probe_rule());
        page.set_head(0, head);
        let (mut writer, worker) = sleeper(&bpf, 1, held);
        let case = format!("{policy}: {held} over {head}");
        let counted = || page.running(0).load(Ordering::SeqCst) == i32::from(asks);
        until(&case, || page.blocked(1) && page.request_pending(1) == asks && counted());
        let events = if asks { next(&mut blocks) } else { drain(&mut blocks) };
        assert_eq!((events.len(), page.take_request(1)), (usize::from(asks), asks), "{case}");
        page.running(0).fetch_sub(i32::from(asks), Ordering::SeqCst);
        writer.write_all(&[1]).expect("a reader");
        worker.join().expect("its end");
        page.set_head(0, KEY_NONE);
        // It may have slept again while it exited.
        if page.take_request(1) {
            page.running(0).fetch_sub(1, Ordering::SeqCst);
            drain(&mut blocks);
        }
    }
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
    assert!(refused.to_string().contains(&SLOTS_MAX.to_string()), "{refused}");
}

#[test]
fn without_the_option_there_is_no_page_and_no_tracker() {
    let test = "without_the_option_there_is_no_page_and_no_tracker";
    let Some(mut bpf) = start_or_skip(test, &BpfOptions::default()) else { return };
    assert!(bpf.page().is_none() && bpf.tracker().is_none() && bpf.take_blocks().is_none());
}

/// Works of one pool.
const WORKS: u32 = 6;

/// Which works of the pool under way are done.
static DONE: Mutex<[bool; WORKS as usize]> = Mutex::new([false; WORKS as usize]);
static CHANGE: Condvar = Condvar::new();

/// A work that sleeps until the next one is done; the last one does not sleep.
#[derive(Clone, Copy)]
struct Sleeper(WorkId);

impl Job for Sleeper {
    type Seen = ();

    fn run(self) -> (WorkOutcome, ()) {
        let done = DONE.lock().expect("no work panics");
        let next = self.0.index() + 1;
        let sleeps = |done: &mut [bool; WORKS as usize]| done.get(next) == Some(&false);
        let (mut done, slept) =
            CHANGE.wait_timeout_while(done, PATIENCE, sleeps).expect("no work panics");
        done[self.0.index()] = true;
        CHANGE.notify_all();
        (if slept.timed_out() { WorkOutcome::Failed(libc::ETIME) } else { WorkOutcome::Done }, ())
    }

    fn may_block(&self) -> bool {
        true
    }
}

#[test]
fn each_worker_that_sleeps_over_queued_work_gets_another_and_all_credits_are_given_back() {
    let test =
        "each_worker_that_sleeps_over_queued_work_gets_another_and_all_credits_are_given_back";
    for name in ["6.12", "6.17", "6.12.0"] {
        let Some(mut bpf) = start(test) else { return };
        *DONE.lock().expect("no work panics") = Default::default();
        let page = bpf.page().expect("a page");
        let policy = Registry::builtin().parse(name).expect(name).build();
        let counters = SharedCounters::new(Arc::clone(&page), policy.probe_rule());
        let sleeps = SchedSwitch::new(Arc::clone(&page), bpf.tracker().expect("a tracker"));
        let waiter = ProbeWait(bpf.take_blocks().expect("a reader"));
        let config = Config {
            works: WORKS,
            slots: 16,
            limits: [16; 2],
            idle_timeout: PATIENCE,
            teardown: teardown::measured(),
        };
        let mut pool = Pool::new(policy, counters, &config, Arc::new(sleeps), Box::new(waiter));
        pool.open();
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        for work in (0..WORKS).map(WorkId) {
            pool.submit(work, Sleeper(work), flags, None);
        }
        let mut completions = Vec::new();
        pool.wait(WORKS as usize, None, &mut completions);
        assert!(completions.iter().all(|done| done.outcome == WorkOutcome::Done), "{name}");
        let tally = pool.exit().tally;
        assert_eq!(tally.created, tally.exited, "{name}");
        assert!(tally.created >= u64::from(WORKS), "{name}: {tally:?}");
        for account in Account::ALL {
            let running = page.running_add(account.index(), 0);
            assert_eq!(running, 0, "{name}: {account:?}");
        }
    }
}
