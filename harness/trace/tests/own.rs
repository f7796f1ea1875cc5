//! A trace of this process: what the kernel's tracepoints say against what the test did.

#[path = "../../tests/probes_support/start.rs"]
mod start;

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, squeue, types};
use iowq_contract::trace::{Account, TraceLine, TraceOp, TraceProcess, trace_json_schema};
use iowq_harness::probes::BpfOptions;
use iowq_trace::{Target, Tracer};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use start::{skip, start_or_skip};

/// Requests in flight.
const DEPTH: u32 = 16;
/// Opens in flight: as many bounded workers may be alive on one processor.
const OPENS: usize = 4;
/// Long enough for anything that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// One test at a time: a trace sees all rings of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A trace of this process, and a ring that was opened after its start. If the machine has none the
/// test is skipped, with the reason printed.
fn begin(test: &str) -> Option<(Tracer, IoUring)> {
    // Says why there are no probes, if so.
    drop(start_or_skip(test, &BpfOptions::default())?);
    let tracer = Tracer::start(Target::Pid(std::process::id()), false).expect("probes work here");
    match IoUring::new(DEPTH) {
        Ok(ring) => Some((tracer, ring)),
        Err(reason)
            if [io::ErrorKind::PermissionDenied, io::ErrorKind::Unsupported]
                .contains(&reason.kind()) =>
        {
            skip(test, &format!("io_uring is not allowed here ({reason})"));
            None
        }
        Err(error) => panic!("no ring: {error}"),
    }
}

/// Submits an entry as often as the ring has room, and waits until all are done.
fn round(ring: &mut IoUring, entry: &squeue::Entry) {
    for _ in 0..DEPTH {
        // SAFETY: what the entry points to outlives this call, which waits for its completion.
        unsafe { ring.submission().push(entry) }.expect("room in the ring");
    }
    ring.submit_and_wait(DEPTH as usize).expect("to submit");
    assert!(ring.completion().all(|completion| completion.result() >= 0));
}

/// What a trace says of this process.
fn figures(tracer: &mut Tracer) -> TraceProcess {
    tracer.lives();
    let snapshot = tracer.snapshot().expect("the tables can be read");
    assert!(snapshot.lost.is_empty(), "{:?}", snapshot.lost);
    let own = std::process::id();
    snapshot.processes.into_iter().find(|it| it.pid == own).expect("it has a ring")
}

fn op<'a>(process: &'a TraceProcess, name: &str) -> &'a TraceOp {
    process.ops.iter().find(|op| op.op == name).expect("such requests")
}

/// Workers of this process, as `/proc` has them.
fn workers_in_proc() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc");
    let tids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    let is_worker = |tid: &u32| {
        fs::read_to_string(format!("/proc/self/task/{tid}/comm"))
            .is_ok_and(|comm| comm.starts_with("iou-wrk-"))
    };
    tids.filter(is_worker).collect()
}

/// Takes births and exits until there is none that has no line yet.
fn lives_until(
    tracer: &mut Tracer,
    mut enough: impl FnMut(&[TraceLine]) -> bool,
) -> Vec<TraceLine> {
    let began = Instant::now();
    let mut lines = Vec::new();
    while !enough(&lines) {
        assert!(began.elapsed() < PATIENCE, "{} lines are too few", lines.len());
        lines.extend(tracer.lives());
    }
    lines
}

fn births(lines: &[TraceLine]) -> usize {
    lines.iter().filter(|line| matches!(line, TraceLine::Birth(_))).count()
}

fn exits(lines: &[TraceLine]) -> usize {
    lines.iter().filter(|line| matches!(line, TraceLine::Exit(_))).count()
}

#[test]
fn forced_writes_to_a_file_are_counted_named_and_timed() {
    let _alone = alone();
    let test = "forced_writes_to_a_file_are_counted_named_and_timed";
    let Some((mut tracer, mut ring)) = begin(test) else { return };
    let file = tempfile::NamedTempFile::new().expect("a file");
    let bytes = [7_u8; 512];
    let fd = types::Fd(file.as_file().as_raw_fd());
    let write = opcode::Write::new(fd, bytes.as_ptr(), 512).build().flags(squeue::Flags::ASYNC);
    (0..10).for_each(|_| round(&mut ring, &write));
    let process = figures(&mut tracer);
    let total = 10 * u64::from(DEPTH);
    let write = op(&process, "WRITE");
    assert_eq!((write.submitted, write.forced, write.queued), (total, total, total));
    // Where the kernel looks the file up before it queues, the write is hashed; where it does so in
    // the worker, as Linux 6.18.44, it is unbounded.
    assert_eq!(write.hashed + write.unbounded, total);
    assert_eq!((write.done, write.failed, write.time.count), (total, 0, total));
    assert!(write.time.p50_ns > 0 && write.time.p50_ns <= write.time.max_ns);
    let path = file.path().canonicalize().expect("it is there");
    let files: Vec<_> =
        process.files.iter().filter(|it| *it.file == *path.to_string_lossy()).collect();
    assert!(matches!(&files[..], [one] if one.queued == total && one.op == "WRITE"), "{files:?}");
    assert_eq!((process.in_flight, process.rings.len(), process.rings_opened), (0, 1, 1));
}

#[test]
fn what_needs_no_worker_is_submitted_and_nothing_else() {
    let _alone = alone();
    let test = "what_needs_no_worker_is_submitted_and_nothing_else";
    let Some((mut tracer, mut ring)) = begin(test) else { return };
    round(&mut ring, &opcode::Nop::new().build());
    let process = figures(&mut tracer);
    let nop = op(&process, "NOP");
    assert_eq!((nop.submitted, nop.forced, nop.queued), (u64::from(DEPTH), 0, 0));
    assert_eq!((process.born, process.files.len()), (0, 0));
}

#[test]
fn every_worker_is_born_and_gone_as_proc_has_it() {
    let _alone = alone();
    let test = "every_worker_is_born_and_gone_as_proc_has_it";
    let Some((mut tracer, mut ring)) = begin(test) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe with a name");
    let name = CString::new(path.as_os_str().as_bytes()).expect("no zero in it");
    let open = opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), name.as_ptr());
    let open = open.build().flags(squeue::Flags::ASYNC);
    for _ in 0..OPENS {
        // SAFETY: the name outlives the requests, which are waited for below.
        unsafe { ring.submission().push(&open) }.expect("room in the ring");
    }
    ring.submit().expect("to submit");
    // Opening it holds a worker until there is somebody to write.
    let mut lines = lives_until(&mut tracer, |lines| births(lines) >= OPENS);
    let mut alive = workers_in_proc();
    alive.sort_unstable();
    let mut born: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            TraceLine::Birth(birth) => Some(birth.tid),
            _ => None,
        })
        .collect();
    born.sort_unstable();
    assert_eq!(born, alive);
    let mut causes = 0;
    for line in &lines {
        let TraceLine::Birth(birth) = line else { continue };
        assert_ne!(birth.account, Some(Account::Unbounded));
        // One that is created when another goes to sleep has none.
        let Some(cause) = &birth.cause else { continue };
        causes += 1;
        assert!(cause.op == "OPENAT" && cause.way.forced && !cause.way.unbounded, "{cause:?}");
    }
    assert!(causes > 0, "the first finds no worker");
    let process = figures(&mut tracer);
    assert_eq!((process.born, process.in_flight), (OPENS as u64, OPENS as u64));
    let _writer = File::options().write(true).open(&path).expect("the other end");
    ring.submit_and_wait(OPENS).expect("all are done");
    drop(ring);
    // Where idle workers stay after the close, they stay until this process ends.
    lines.extend(lives_until(&mut tracer, |more| exits(more) + workers_in_proc().len() >= OPENS));
    let process = figures(&mut tracer);
    assert_eq!(process.exited, OPENS as u64 - workers_in_proc().len() as u64);
}

#[test]
fn the_lines_are_what_the_published_schema_says() {
    let _alone = alone();
    let test = "the_lines_are_what_the_published_schema_says";
    let Some((mut tracer, mut ring)) = begin(test) else { return };
    round(&mut ring, &opcode::Nop::new().build().flags(squeue::Flags::ASYNC));
    let mut lines = vec![tracer.first_line(Duration::from_secs(1))];
    lines.extend(lives_until(&mut tracer, |lines| births(lines) > 0));
    lines.push(TraceLine::Snapshot(tracer.snapshot().expect("the tables can be read")));
    let schema = jsonschema::validator_for(&trace_json_schema()).expect("a schema");
    for line in &lines {
        let json = serde_json::to_value(line).expect("JSON");
        assert!(schema.is_valid(&json), "{json}");
        let read: TraceLine = serde_json::from_value(json).expect("it can be read again");
        assert_eq!(read, *line);
    }
}
