//! The census of threads, on the running kernel.
//!
//! Tests of one file share a process, whose threads are all seen; so each test looks only at
//! threads that it created itself.

mod probes_support;

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;

use iowq_ebpf::{LOST_THREADS, THREAD_BORN, THREAD_EXITED, THREAD_NAMED, ThreadEvent};
use iowq_harness::clock;
use iowq_harness::probes::{BpfOptions, Counts, ProbeError};
use probes_support::{PATIENCE, own_tid, start_or_skip};

/// The events of threads that one thread created.
fn created_by(creator: u32, events: &[ThreadEvent]) -> Vec<ThreadEvent> {
    let born = |event: &&ThreadEvent| event.kind == THREAD_BORN && event.by_tid == creator;
    let tids: Vec<u32> = events.iter().filter(born).map(|event| event.tid).collect();
    events.iter().copied().filter(|event| tids.contains(&event.tid)).collect()
}

/// Creates threads, up to 20 at a time, and returns their ids once all are joined.
fn create(count: usize) -> Vec<u32> {
    let mut tids = Vec::new();
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(20) {
        let threads: Vec<_> = numbers
            .iter()
            .map(|n| thread::Builder::new().name(format!("wq-test-{n}")).spawn(own_tid))
            .collect();
        for thread in threads {
            tids.push(thread.expect("a thread").join().expect("its id"));
        }
    }
    tids
}

fn name(event: &ThreadEvent) -> String {
    String::from_utf8_lossy(event.name()).into_owned()
}

#[test]
fn five_hundred_threads_are_as_many_births_names_and_exits() {
    let test = "five_hundred_threads_are_as_many_births_names_and_exits";
    let Some(bpf) = start_or_skip(test, &BpfOptions::default()) else { return };
    let mut tids = create(500);
    let me = own_tid();
    let all_gone = bpf.drain_until(clock::now().after(PATIENCE), |events| {
        Counts::of(&created_by(me, events)) == Counts { births: 500, exits: 500 }
    });
    assert!(all_gone, "saw {:?}", bpf.seen_so_far());
    let census = bpf.finish().expect("a census");
    assert_eq!(census.lost_total(), 0);

    let events = created_by(me, &census.events);
    let mut born: Vec<u32> =
        events.iter().filter(|event| event.kind == THREAD_BORN).map(|event| event.tid).collect();
    born.sort_unstable();
    tids.sort_unstable();
    assert_eq!(born, tids);
    for kind in [THREAD_NAMED, THREAD_EXITED] {
        let names = events.iter().filter(|event| event.kind == kind).map(name);
        let expected: BTreeSet<String> = (0..500).map(|n| format!("wq-test-{n}")).collect();
        assert_eq!(names.clone().count(), 500, "kind {kind}");
        assert_eq!(names.collect::<BTreeSet<_>>(), expected, "kind {kind}");
    }
}

#[test]
fn a_thread_is_born_then_named_then_gone() {
    let Some(bpf) = start_or_skip("a_thread_is_born_then_named_then_gone", &BpfOptions::default())
    else {
        return;
    };
    let before = clock::now().0;
    let tid = create(1)[0];
    let gone = |events: &[ThreadEvent]| {
        events.iter().any(|event| event.tid == tid && event.kind == THREAD_EXITED)
    };
    assert!(bpf.drain_until(clock::now().after(PATIENCE), gone));
    let after = clock::now().0;
    let census = bpf.finish().expect("a census");
    let events = created_by(own_tid(), &census.events);
    let kinds: Vec<u32> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [THREAD_BORN, THREAD_NAMED, THREAD_EXITED]);
    assert!(events.iter().all(|event| (before..after).contains(&event.time_ns)));
    assert!(events.is_sorted_by_key(|event| event.time_ns));
    assert_ne!(events[0].clone_flags & 0x10000, 0, "a thread, by its clone flags");
}

#[test]
fn the_threads_of_other_processes_are_not_recorded() {
    let test = "the_threads_of_other_processes_are_not_recorded";
    let Some(bpf) = start_or_skip(test, &BpfOptions::default()) else { return };
    let mut child = Command::new("true").spawn().expect("a child");
    let child_tid = child.id();
    assert!(child.wait().expect("its end").success());
    // What comes later in the ring than the child's end proves that the child is not in there.
    let tid = create(1)[0];
    let gone = |events: &[ThreadEvent]| {
        events.iter().any(|event| event.tid == tid && event.kind == THREAD_EXITED)
    };
    assert!(bpf.drain_until(clock::now().after(PATIENCE), gone));
    let census = bpf.finish().expect("a census");
    assert!(census.events.iter().all(|event| event.tid != child_tid && event.by_tid != child_tid));
}

#[test]
fn a_ring_too_small_for_the_rate_says_how_much_was_lost() {
    let test = "a_ring_too_small_for_the_rate_says_how_much_was_lost";
    let page_bytes = u32::try_from(rustix::param::page_size()).expect("a page");
    let options = BpfOptions { threads_ring_bytes: page_bytes, ..BpfOptions::default() };
    let Some(bpf) = start_or_skip(test, &options) else { return };
    let pause = bpf.pause();
    // Three events each: at 56 bytes they overflow a ring of 4096 many times over.
    let created = page_bytes / 16;
    create(created as usize);
    drop(pause);
    let census = bpf.finish().expect("a census");
    let lost = census.lost[LOST_THREADS as usize];
    assert!(lost > 0);
    let seen = created_by(own_tid(), &census.events).len() as u64;
    assert!(seen + lost >= 3 * u64::from(created) - 1, "{seen} seen, {lost} lost");
    assert_eq!(census.lost_total(), lost, "and for no other cause");
}

#[test]
fn a_ring_of_an_impossible_size_is_refused_before_anything_runs() {
    for threads_ring_bytes in [0, 1, 4095, 5000, 12288] {
        let options = BpfOptions { threads_ring_bytes, ..BpfOptions::default() };
        let error = iowq_harness::probes::Bpf::start(&options).err();
        let Some(ProbeError::RingSize { bytes, .. }) = error else { panic!("{error:?}") };
        assert_eq!(bytes, threads_ring_bytes);
    }
}

#[test]
fn probes_leave_no_mount_behind() {
    let mounts = || std::fs::read_to_string("/proc/self/mounts").expect("the mounts");
    let before = mounts();
    let Some(bpf) = start_or_skip("probes_leave_no_mount_behind", &BpfOptions::default()) else {
        return;
    };
    assert_eq!(mounts(), before);
    drop(bpf);
    assert_eq!(mounts(), before);
}

#[test]
fn without_the_capabilities_the_error_says_so_and_what_helps() {
    let refused = thread::spawn(|| {
        // Capabilities belong to a thread, and this one gives up its own.
        let none = rustix::thread::CapabilitySet::empty();
        let sets =
            rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
        rustix::thread::set_capabilities(None, sets).expect("to give up what one has");
        iowq_harness::probes::Bpf::start(&BpfOptions::default()).err()
    });
    let error = refused.join().expect("its end").expect("a refusal");
    assert!(matches!(error, ProbeError::NotPermitted { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("CAP_BPF and CAP_PERFMON") && text.contains("sudo"), "{text}");
}
