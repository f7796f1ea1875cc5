//! The programs of a trace: those on bare trace points and those on events tell the same.

#[path = "probes_support/start.rs"]
mod start;

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, squeue, types};
use iowq_ebpf::trace::{
    BURST, CLASS_FORCED, CLASS_QUEUED, FOLLOWED, FileKey, LIFE_BORN, LifeEvent, OpCounts, OpKey,
};
use iowq_harness::probes::{BpfOptions, TraceOptions, TraceProbes};
use rustix::time::{ClockId, clock_gettime};
use start::start_or_skip;

/// Requests of each round.
const DEPTH: u32 = 16;
/// Requests that are submitted at once: many more than [`BURST`].
const FLOOD: u32 = 4096;
/// After this time a count that is still wrong stays so.
const SETTLED: Duration = Duration::from_secs(10);

/// One test at a time: a trace sees all rings of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a trace of this process counted, by opcode and class.
struct Counted {
    ops: Vec<(OpKey, OpCounts)>,
    files: Vec<(FileKey, u64)>,
    lives: Vec<LifeEvent>,
    lost: u64,
}

/// Starts to trace this process.
fn start_tracing(on_events: bool) -> TraceProbes {
    let options =
        TraceOptions { some: true, on_events, lives_ring_bytes: 1 << 16, requests_ring_bytes: 0 };
    let mut probes = TraceProbes::start(&options).expect("probes work here");
    probes.trace(std::process::id()).expect("room for one process");
    probes
}

/// Traces this process while it reads a file, forced to workers and not.
fn trace(on_events: bool) -> Counted {
    let mut probes = start_tracing(on_events);
    let file = File::open("/proc/self/exe").expect("it is always there");
    let mut ring = IoUring::new(DEPTH).expect("a ring");
    let mut bytes = [0; 64];
    let fd = types::Fd(file.as_raw_fd());
    let read = opcode::Read::new(fd, bytes.as_mut_ptr(), bytes.len() as u32).build();
    for flags in [squeue::Flags::ASYNC, squeue::Flags::empty()] {
        for _ in 0..DEPTH {
            // SAFETY: file and bytes outlive this loop, which waits for all completions.
            unsafe { ring.submission().push(&read.clone().flags(flags)) }.expect("room");
        }
        ring.submit_and_wait(DEPTH as usize).expect("to submit");
        assert_eq!(ring.completion().filter(|it| it.result() == 64).count(), DEPTH as usize);
    }
    let mut lives = Vec::new();
    assert_eq!(probes.take_lives(|event| lives.push(event)), 0, "all are understood");
    let lost = probes.lost().expect("counters").iter().sum();
    Counted { ops: probes.ops(), files: probes.files(), lives, lost }
}

#[test]
fn bare_trace_points_and_events_tell_the_same_of_ops_and_births() {
    let _alone = alone();
    let test = "bare_trace_points_and_events_tell_the_same_of_ops_and_births";
    if start_or_skip(test, &BpfOptions::default()).is_none() {
        return;
    }
    let classes = |counted: &Counted| {
        let class = |(op, counts): &(OpKey, OpCounts)| {
            (op.opcode, op.class & !iowq_ebpf::trace::CLASS_UNBOUNDED, counts.entered, counts.done)
        };
        let mut classes: Vec<_> = counted.ops.iter().map(class).collect();
        classes.sort_unstable();
        classes
    };
    let [bare, events] = [false, true].map(trace);
    let read = opcode::Read::CODE;
    let wanted = vec![
        (read, 0, DEPTH.into(), 0),
        (read, CLASS_FORCED, DEPTH.into(), 0),
        (read, CLASS_QUEUED | CLASS_FORCED, DEPTH.into(), DEPTH.into()),
    ];
    assert_eq!(classes(&bare), wanted);
    assert_eq!(classes(&events), wanted);
    for counted in [&bare, &events] {
        assert_eq!(counted.lost, 0);
        assert!(counted.lives.iter().any(|life| life.kind == LIFE_BORN && life.queued_ns > 0));
    }
    let wanted = if Path::new("/sys/kernel/btf/vmlinux").exists() { u64::from(DEPTH) } else { 0 };
    assert_eq!(bare.files.iter().map(|(_, count)| count).sum::<u64>(), wanted);
    assert!(events.files.is_empty(), "an event does not tell the file");
}

#[test]
fn a_process_that_is_forgotten_leaves_no_row() {
    let _alone = alone();
    let test = "a_process_that_is_forgotten_leaves_no_row";
    if start_or_skip(test, &BpfOptions::default()).is_none() {
        return;
    }
    let mut probes = start_tracing(false);
    let mut ring = IoUring::new(DEPTH).expect("a ring");
    let nop = opcode::Nop::new().build().flags(squeue::Flags::ASYNC);
    // SAFETY: the entry points to nothing.
    unsafe { ring.submission().push(&nop) }.expect("room");
    ring.submit_and_wait(1).expect("to submit");
    assert!(!probes.ops().is_empty());
    probes.forget(&[std::process::id()]);
    assert!(probes.ops().is_empty() && probes.files().is_empty());
}

/// Carries out forced no-ops, all at once.
fn flood(ring: &mut IoUring, count: u32) {
    let nop = opcode::Nop::new().build().flags(squeue::Flags::ASYNC);
    for _ in 0..count {
        // SAFETY: the entry points to nothing.
        unsafe { ring.submission().push(&nop) }.expect("room");
    }
    ring.submit_and_wait(count as usize).expect("to submit");
    assert_eq!(ring.completion().count(), count as usize);
}

/// What was counted of no-ops in io-wq, once as many are done as were queued, and how many of them have
/// a time.
fn counted(probes: &TraceProbes) -> (OpCounts, u64) {
    let deadline = Instant::now() + SETTLED;
    loop {
        let mut sum = OpCounts::ZERO;
        let ops = probes.ops();
        let is_wanted = |op: &OpKey| op.opcode == opcode::Nop::CODE && op.class & CLASS_QUEUED != 0;
        ops.iter().filter(|(op, _)| is_wanted(op)).for_each(|(_, counts)| sum.add(counts));
        if sum.done == sum.entered || Instant::now() > deadline {
            return (sum, sum.buckets.iter().map(|count| u64::from(*count)).sum());
        }
        std::thread::yield_now();
    }
}

/// Waits for the kernel's clock to tick twice, so that a burst is over.
fn wait_for_ticks() {
    let tick = || clock_gettime(ClockId::MonotonicCoarse);
    for _ in 0..2 {
        let before = tick();
        while tick() == before {
            std::thread::yield_now();
        }
    }
}

#[test]
fn requests_of_a_burst_are_all_done_in_the_end_and_one_after_it_stands_for_itself() {
    let _alone = alone();
    let test = "requests_of_a_burst_are_all_done_in_the_end_and_one_after_it_stands_for_itself";
    if start_or_skip(test, &BpfOptions::default()).is_none() {
        return;
    }
    let probes = start_tracing(false);
    let mut ring = IoUring::new(FLOOD).expect("a ring");
    let cpus = std::thread::available_parallelism().expect("processors").get() as u64;
    for nth in 1..=8 {
        let queued = nth * u64::from(FLOOD + 1);
        flood(&mut ring, FLOOD);
        let (burst, timed) = counted(&probes);
        assert_eq!((burst.entered, burst.done, burst.failed), (queued - 1, queued - 1, 0));
        assert_eq!(burst.silent, 0, "there is room for all");
        // Some may stand behind one that is still to come.
        assert!(timed <= burst.done && burst.done - timed < FOLLOWED * cpus, "{timed} {burst:?}");
        wait_for_ticks();
        flood(&mut ring, 1);
        let (after, timed_after) = counted(&probes);
        assert_eq!((after.entered, after.done), (queued, queued));
        assert_eq!(timed_after - timed, 1, "{} stood behind it", burst.done - timed);
    }
    const { assert!(FLOOD as u64 > 4 * BURST) };
}
