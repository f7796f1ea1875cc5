//! Each switch of a worker that the kernel counts is seen by the scheduler's probe.

#[path = "probes_support/start.rs"]
mod start;

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use iowq_contract::Switches;
use iowq_ebpf::{KEY_NONE, KEY_UNHASHED, LOST_SWITCHES};
use iowq_harness::io::thread_id;
use iowq_harness::probes::{BothCounts, Bpf, BpfOptions, SwitchCount};
use rustix::thread::{CpuSet, sched_setaffinity};
use start::{skip, start_or_skip};

/// Times that each of two workers waits for the other.
const PASSES: u64 = 10_000;

fn begin(test: &str, on_events: bool) -> Option<Bpf> {
    let options = BpfOptions { sched: true, on_events, ..BpfOptions::default() };
    start_or_skip(test, &options)
}

/// The calling thread runs on the first CPU alone.
fn stay_on_first_cpu() {
    let mut first = CpuSet::new();
    first.set(0);
    sched_setaffinity(None, &first).expect("there is a first CPU");
}

/// How often the calling thread was taken off its CPU against its will.
fn preemptions() -> u64 {
    let SwitchCount { outs, outs_asleep, .. } = SwitchCount::by_kernel();
    outs - outs_asleep
}

/// Two workers on one CPU pass a byte back and forth in their works, beside two threads that keep
/// that CPU busy: one that only turns, one that changes the map that the probe reads. Returns the
/// workers' switches, and how often one came to an end of its work marked as asleep.
fn two_workers(bpf: &Bpf) -> (Switches, u64) {
    let page = bpf.page().expect("a page");
    let over = Arc::new(AtomicBool::new(false));
    let busy = [false, true].map(|tracks| {
        let (over, tracker) = (Arc::clone(&over), bpf.tracker().expect("a tracker"));
        thread::spawn(move || {
            stay_on_first_cpu();
            while !over.load(Ordering::Relaxed) {
                if tracks {
                    tracker.track(thread_id(), 9).expect("room for one more");
                    tracker.untrack(thread_id());
                }
            }
        })
    });
    let ((here, to_there), (there, to_here)) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
    let worker = |slot: u32, serves: bool, mut from: PipeReader, mut to: PipeWriter| {
        let (page, tracker) = (Arc::clone(&page), bpf.tracker().expect("a tracker"));
        page.claim(slot, 0);
        page.running(0).fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            stay_on_first_cpu();
            let both = || BothCounts::now(|| page.switches(slot));
            tracker.track(thread_id(), slot).expect("to be tracked");
            let before = both();
            page.set_work(slot, KEY_UNHASHED);
            for _ in 0..PASSES {
                if serves {
                    to.write_all(&[0]).expect("a reader");
                }
                from.read_exact(&mut [0]).expect("a writer");
                if !serves {
                    to.write_all(&[0]).expect("a reader");
                }
            }
            while preemptions() < 3 {}
            page.set_work(slot, KEY_NONE);
            let after = both();
            tracker.untrack(thread_id());
            page.running(0).fetch_sub(1, Ordering::SeqCst);
            (after.since(before), u64::from(page.ins_repaired(slot)))
        })
    };
    let workers = [worker(1, true, here, to_here), worker(2, false, there, to_there)];
    let [first, second] = workers.map(|worker| worker.join().expect("its end"));
    over.store(true, Ordering::Relaxed);
    for busy in busy {
        busy.join().expect("its end");
    }
    assert_eq!(page.running(0).load(Ordering::SeqCst), 0, "each sleep has its return");
    let sum = |of: fn(&Switches) -> u64| of(&first.0) + of(&second.0);
    let switches = Switches {
        outs: sum(|it| it.outs),
        outs_asleep: sum(|it| it.outs_asleep),
        outs_missed: sum(|it| it.outs_missed),
        outs_asleep_missed: sum(|it| it.outs_asleep_missed),
        ins_missed: sum(|it| it.ins_missed),
        ins_missed_in_works: 0,
    };
    (switches, first.1 + second.1)
}

#[test]
fn the_probe_sees_every_switch_of_a_worker_beside_other_bpf_programs() {
    let test = "the_probe_sees_every_switch_of_a_worker_beside_other_bpf_programs";
    let Some(bpf) = begin(test, false) else { return };
    if let [reason] = bpf.unseen() {
        return skip(test, reason);
    }
    let (switches, repaired) = two_workers(&bpf);
    assert!(switches.outs_asleep >= PASSES, "{switches:?}");
    assert!(switches.outs > switches.outs_asleep, "{switches:?}");
    assert_eq!([switches.outs_missed, switches.outs_asleep_missed], [0, 0], "{switches:?}");
    // A return is missed if the thread before it on the CPU fires no event; all of them are
    // noticed, because there is nothing but one long work.
    let noticed = bpf.finish().expect("a census").lost[LOST_SWITCHES as usize] + repaired;
    assert!(noticed <= switches.ins_missed, "{switches:?}, {noticed} noticed");
}

#[test]
fn a_sleep_that_the_probe_does_not_see_is_counted_as_missed() {
    let test = "a_sleep_that_the_probe_does_not_see_is_counted_as_missed";
    let Some(bpf) = begin(test, true) else { return };
    let [reason] = bpf.unseen() else { panic!("{:?}", bpf.unseen()) };
    assert!(reason.starts_with("switches while other BPF work is under way"), "{reason}");
    let (page, tracker) = (bpf.page().expect("a page"), bpf.tracker().expect("a tracker"));
    page.claim(3, 0);
    let (tid, both) = (thread_id(), || BothCounts::now(|| page.switches(3)));
    // Nothing is ever sent, so that each wait is a sleep, but for one whose time is over at once.
    let (_sender, receiver) = mpsc::channel::<()>();
    let nap = || receiver.recv_timeout(Duration::from_millis(1)).is_err();
    let seen = [false, true].map(|tracked| {
        if tracked {
            tracker.track(tid, 3).expect("room for one more");
        }
        let before = both();
        assert!((0..20).all(|_| nap()));
        both().since(before)
    });
    tracker.untrack(tid);
    let [unseen, seen] = seen;
    assert!(unseen.outs_asleep > 0, "{unseen:?}");
    assert_eq!(unseen.outs_asleep_missed, unseen.outs_asleep, "{unseen:?}");
    assert_eq!((unseen.outs_missed, unseen.ins_missed), (unseen.outs, unseen.outs), "{unseen:?}");
    assert!(seen.outs_asleep_missed < seen.outs_asleep, "{seen:?}");
}
