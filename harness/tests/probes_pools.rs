//! Several pools under one scheduler probe: each has counts, slots and events of its own.

mod probes_support;

use std::io::{PipeWriter, Read as _, Write as _, pipe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use iowq_ebpf::{BlockEvent, KEY_NONE, KEY_UNHASHED};
use iowq_harness::clock;
use iowq_harness::probes::{Bpf, BpfOptions, SchedPart};
use probes_support::{PATIENCE, own_tid, start_or_skip};

/// What two pools share with the probe, which is kept for them.
fn two_or_skip(test: &str) -> Option<(Bpf, [SchedPart; 2])> {
    let mut bpf = start_or_skip(test, &BpfOptions { sched: true, ..BpfOptions::default() })?;
    let parts = bpf.take_parts(2).expect("the scheduler's probe is on").expect("descriptors");
    Some((bpf, parts.try_into().unwrap_or_else(|_| panic!("two parts"))))
}

/// A worker of a pool that sleeps in its work until the pipe says something.
fn sleeper(part: &SchedPart, slot: u32) -> (PipeWriter, JoinHandle<()>) {
    let (mut reader, writer) = pipe().expect("a pipe");
    let (page, tracker) = (Arc::clone(&part.page), part.tracker.clone());
    page.claim(slot, 0);
    page.running(0).fetch_add(1, Ordering::SeqCst);
    let worker = thread::spawn(move || {
        tracker.track(own_tid(), slot).expect("to be tracked");
        page.set_work(slot, KEY_UNHASHED);
        reader.read_exact(&mut [0]).expect("a writer");
        page.set_work(slot, KEY_NONE);
        tracker.untrack(own_tid());
    });
    (writer, worker)
}

fn taken(part: &mut SchedPart) -> Vec<BlockEvent> {
    let mut events = Vec::new();
    part.blocks.drain(|event| events.push(event));
    events
}

#[test]
fn a_sleeper_of_one_pool_changes_no_count_of_another() {
    let test = "a_sleeper_of_one_pool_changes_no_count_of_another";
    let Some((_bpf, [first, second])) = two_or_skip(test) else { return };
    first.page.running(0).fetch_add(1, Ordering::SeqCst);
    let (mut writer, worker) = sleeper(&second, 3);
    let deadline = clock::now().after(PATIENCE);
    while !second.page.blocked(3) {
        assert!(clock::now() < deadline, "it never slept");
        thread::yield_now();
    }
    assert_eq!(second.page.running(0).load(Ordering::SeqCst), 0);
    assert_eq!(first.page.running(0).load(Ordering::SeqCst), 1);
    assert!(!first.page.blocked(3), "the same slot of another pool is another worker");
    writer.write_all(&[1]).expect("a reader");
    worker.join().expect("its end");
}

#[test]
fn the_reader_that_comes_first_hands_over_what_is_another_pools_and_wakes_it() {
    let test = "the_reader_that_comes_first_hands_over_what_is_another_pools_and_wakes_it";
    let Some((_bpf, [mut first, mut second])) = two_or_skip(test) else { return };
    second.page.set_head(0, KEY_UNHASHED);
    let (mut writer, worker) = sleeper(&second, 7);
    // The first reader is woken by the event of the second pool, and has nothing to take itself.
    let deadline = clock::now().after(PATIENCE);
    while !second.page.request_pending(7) {
        assert!(clock::now() < deadline, "it never asked");
        first.blocks.wait(Some(deadline.until(clock::now()))).expect("to wait");
    }
    assert!(taken(&mut first).is_empty());
    second.blocks.wait(Some(PATIENCE)).expect("to wait");
    assert!(clock::now() < deadline, "its call ended the wait");
    let events = taken(&mut second);
    let [event] = events[..] else { panic!("one event: {}", events.len()) };
    assert_eq!((event.slot, event.generation), (7, second.page.generation(7)));
    assert!(taken(&mut second).is_empty(), "once");
    writer.write_all(&[1]).expect("a reader");
    worker.join().expect("its end");
}
