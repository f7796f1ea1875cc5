//! The tiers of a trace against each other and against `/proc`, for what this process does.

#[path = "../../tests/probes_support/skip.rs"]
mod says_skipped;

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, squeue, types};
use iowq_contract::trace::{TraceLine, TraceOp, TraceProcess, TraceStart};
use iowq_contract::{Code, Tier};
use iowq_trace::{Target, Tracer};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use says_skipped::skip;

/// Entries of the ring, and requests of a round.
const DEPTH: u32 = 64;
/// Opens in flight: as many bounded workers may be alive on one processor.
const OPENS: usize = 4;
/// Long enough for anything that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(20);
/// Set in a process of this test that is to see what it sees with less rights.
const INSIDE: &str = "IOWQ_TEST_INSIDE";

/// One test at a time: a trace sees all rings of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A ring; none, and the reason is printed, if there can be none.
fn ring(test: &str) -> Option<IoUring> {
    IoUring::new(DEPTH).inspect_err(|error| skip(test, &format!("no io_uring here: {error}"))).ok()
}

/// A trace by this tier; none, and the reason is printed, if this machine does not allow it.
fn tracer(test: &str, tier: Tier, target: Target) -> Option<Tracer> {
    let started = Tracer::start_by(Some(tier), target, false);
    started.inspect_err(|error| skip(test, &error.to_string())).ok()
}

fn own() -> Target {
    Target::Pid(std::process::id())
}

/// Submits an entry as often as the ring has room, and waits until all are done.
fn round(ring: &mut IoUring, entry: &squeue::Entry) {
    for _ in 0..DEPTH {
        // SAFETY: what the entry points to outlives this call, which waits for its completion.
        unsafe { ring.submission().push(entry) }.expect("room in the ring");
    }
    ring.submit_and_wait(DEPTH as usize).expect("to submit");
    assert_eq!(ring.completion().count(), DEPTH as usize);
}

fn start_of(tracer: &Tracer) -> TraceStart {
    match tracer.first_line(Duration::from_secs(1)) {
        TraceLine::Start(start) => *start,
        line => panic!("a trace begins with {line:?}"),
    }
}

fn figures(tracer: &mut Tracer) -> TraceProcess {
    let snapshot = tracer.snapshot().expect("the counts can be read");
    assert!(snapshot.lost.is_empty(), "{:?}", snapshot.lost);
    let own = std::process::id();
    snapshot.processes.into_iter().find(|it| it.pid == own).expect("it has a ring")
}

/// Takes births and exits until there are enough.
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

fn born(lines: &[TraceLine]) -> Vec<u32> {
    let tid = |line: &TraceLine| match line {
        TraceLine::Birth(birth) => Some(birth.tid),
        _ => None,
    };
    let mut born: Vec<_> = lines.iter().filter_map(tid).collect();
    born.sort_unstable();
    born
}

/// Workers of this thread, as `/proc` has them.
fn workers_in_proc() -> Vec<u32> {
    // In a PID namespace they are named by the machine's number of the thread, which none else has.
    let own = format!("iou-wrk-{}\n", rustix::thread::gettid());
    let inside = std::env::var_os(INSIDE).is_some();
    let tasks = fs::read_dir("/proc/self/task").expect("/proc");
    let tids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    let is_worker = |tid: &u32| {
        fs::read_to_string(format!("/proc/self/task/{tid}/comm"))
            .is_ok_and(|comm| comm == own || (inside && comm.starts_with("iou-wrk-")))
    };
    let mut tids: Vec<u32> = tids.filter(is_worker).collect();
    tids.sort_unstable();
    tids
}

/// Opens that hold a worker each, until somebody writes to the pipe.
fn hold_workers(ring: &mut IoUring, pipe: &Path) {
    mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe with a name");
    let name = CString::new(pipe.as_os_str().as_bytes()).expect("no zero in it");
    let open = opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), name.as_ptr());
    let open = open.build().flags(squeue::Flags::ASYNC);
    for _ in 0..OPENS {
        // SAFETY: the kernel copies the name when the requests are submitted, which is below.
        unsafe { ring.submission().push(&open) }.expect("room in the ring");
    }
    ring.submit().expect("to submit");
}

/// What both tiers with requests see of an op.
fn counts(op: &TraceOp) -> (String, [u64; 7]) {
    let (done, failed) = (op.done, op.failed);
    let all = [op.submitted, op.forced, op.queued, op.queued_forced, op.hashed, done, failed];
    (op.op.clone(), all)
}

/// What a tier saw of the program below.
struct Watched {
    start: TraceStart,
    process: TraceProcess,
    born: Vec<u32>,
    workers: Vec<u32>,
}

/// Inline, forced, fsyncs and failures, five rounds of each, on a thread of its own: it has its own
/// workers. None, and the reason is printed, if that cannot be watched.
fn watch(test: &str, tier: Tier) -> Option<Watched> {
    let mut tracer = tracer(test, tier, own())?;
    let mut ring = ring(test)?;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let bytes = [7_u8; 512];
    let fd = types::Fd(file.as_file().as_raw_fd());
    let write = opcode::Write::new(fd, bytes.as_ptr(), 512).build();
    let bad = opcode::Read::new(types::Fd(-1), std::ptr::null_mut(), 0).build();
    let entries = [
        opcode::Nop::new().build(),
        write.flags(squeue::Flags::ASYNC),
        opcode::Fsync::new(fd).build(),
        bad.flags(squeue::Flags::ASYNC),
    ];
    entries.iter().for_each(|entry| (0..5).for_each(|_| round(&mut ring, entry)));
    let snapshot = tracer.snapshot().expect("the counts can be read");
    if snapshot.lost.keys().any(|cause| cause.contains("BPF program")) {
        skip(test, "another program watches the same events by BPF, which withholds them");
        return None;
    }
    let workers = workers_in_proc();
    let born = born(&lives_until(&mut tracer, |lines| born(lines).len() >= workers.len()));
    Some(Watched { start: start_of(&tracer), process: figures(&mut tracer), born, workers })
}

#[test]
fn tracepoints_without_bpf_count_what_bpf_programs_count() {
    let _alone = alone();
    let test = "tracepoints_without_bpf_count_what_bpf_programs_count";
    let watch = |tier| thread::spawn(move || watch(test, tier)).join().expect("it is watched");
    // One after the other, because BPF programs may withhold events from tracepoints.
    let (Some(bpf), Some(tracefs)) = (watch(Tier::Bpf), watch(Tier::Tracefs)) else { return };
    let all = |it: &Watched| it.process.ops.iter().map(counts).collect::<Vec<_>>();
    assert_eq!(all(&tracefs), all(&bpf));
    assert!(tracefs.process.ops.iter().all(|op| op.time.count == op.done));
    // If others flood the same processors, not each request is followed.
    let is_timed = |op: &TraceOp| op.time.count <= op.done && (op.done == 0 || op.time.count > 0);
    assert!(bpf.process.ops.iter().all(is_timed));
    let queued: u64 = tracefs.process.ops.iter().map(|op| op.queued).sum();
    assert!(queued >= 10 * u64::from(DEPTH), "{queued} requests in io-wq");
    for it in [&bpf, &tracefs] {
        assert!(!it.workers.is_empty() && it.born == it.workers, "{:?} {:?}", it.born, it.workers);
        let process = &it.process;
        assert_eq!((process.in_flight, process.rings_opened), (0, 1));
        assert_eq!((process.born, process.limits_set), (it.born.len() as u64, Some(false)));
        let causes: u64 = process.causes.iter().map(|cause| cause.born).sum();
        assert!(causes == process.born && process.causes.iter().any(|it| it.op.is_some()));
        assert!(process.ops.iter().all(|op| op.time.count == 0 || op.time.p50_ns > 0));
    }
    let TraceStart { tier, caveats, unseen, .. } = tracefs.start;
    assert_eq!((tier, caveats[0].code.clone()), (Tier::Tracefs, Code::NoBpf));
    assert!(unseen.iter().any(|it| it.contains("account")), "{unseen:?}");
}

#[test]
fn records_that_find_no_room_are_counted_by_event() {
    let _alone = alone();
    let test = "records_that_find_no_room_are_counted_by_event";
    let Some(mut tracer) = tracer(test, Tier::Tracefs, Target::All) else { return };
    let Some(mut ring) = ring(test) else { return };
    let nop = opcode::Nop::new().build();
    // Nobody reads meanwhile: some 80 MB of records, for which there are 32 at most.
    let rounds = 400_000 / u64::from(DEPTH);
    (0..rounds).for_each(|_| round(&mut ring, &nop));
    let snapshot = tracer.snapshot().expect("the counts can be read");
    if snapshot.lost.keys().any(|cause| cause.contains("BPF program")) {
        return skip(test, "another program watches the same events by BPF, which withholds them");
    }
    let own = snapshot.processes.iter().find(|it| it.pid == std::process::id());
    let submitted: u64 = own.iter().flat_map(|it| &it.ops).map(|op| op.submitted).sum();
    let cause = |name: &str| snapshot.lost.iter().find(|(cause, _)| cause.contains(name));
    let lost = cause("io_uring_submit_").map_or(0, |(_, lost)| *lost);
    let all = rounds * u64::from(DEPTH);
    assert!(lost > 0 && submitted > 0 && submitted + lost >= all, "{submitted}, lost {lost}");
    // A loss has no process.
    if snapshot.processes.len() == 1 {
        assert_eq!(submitted + lost, all);
    }
    assert_eq!(cause("births"), None, "they have a ring of their own");
    // And what comes later is counted again.
    round(&mut ring, &nop);
    let later = tracer.snapshot().expect("the counts can be read");
    let own = later.processes.iter().find(|it| it.pid == std::process::id());
    let more = own.iter().flat_map(|it| &it.ops).map(|op| op.submitted).sum::<u64>() - submitted;
    if later.processes.len() == 1 {
        assert_eq!((later.lost, more), (snapshot.lost, u64::from(DEPTH)));
    }
}

/// Births, exits and rings by `/proc` alone. Returns how the trace began.
fn poll(test: &str, tier: Option<Tier>) -> Option<TraceStart> {
    let mut tracer = Tracer::start_by(tier, own(), false).expect("/proc is always there");
    let mut ring = ring(test)?;
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    hold_workers(&mut ring, &pipe);
    let lines = lives_until(&mut tracer, |lines| born(lines).len() >= OPENS);
    assert_eq!(born(&lines), workers_in_proc());
    let process = figures(&mut tracer);
    assert_eq!((process.born, process.alive.total(), process.peak), (4, 4, 4));
    assert_eq!((process.rings.len(), process.rings_opened, process.limits_set), (1, 1, None));
    assert_eq!(process.rings[0].entries, Some(DEPTH));
    assert!(process.ops.is_empty() && process.causes.is_empty());
    let _writer = File::options().write(true).open(&pipe).expect("the other end");
    ring.submit_and_wait(OPENS).expect("all are done");
    drop(ring);
    // Where idle workers stay after the close, they stay until this process ends.
    let gone = |lines: &[TraceLine]| {
        let exits = lines.iter().filter(|line| matches!(line, TraceLine::Exit(_))).count();
        exits + workers_in_proc().len() >= OPENS
    };
    lives_until(&mut tracer, gone);
    Some(start_of(&tracer))
}

#[test]
fn polling_finds_workers_and_rings_that_stay_a_while() {
    let _alone = alone();
    let test = "polling_finds_workers_and_rings_that_stay_a_while";
    let Some(start) = poll(test, Some(Tier::Proc)) else { return };
    let codes: Vec<_> = start.caveats.into_iter().map(|caveat| caveat.code).collect();
    assert_eq!((start.tier, codes), (Tier::Proc, vec![Code::ProcMissed, Code::NoBpf]));
}

/// Runs the test `seen_from_inside` of this program in a process that this command starts; none, and
/// the reason is printed, if it cannot be started.
fn inside(test: &str, mut command: Command) -> Option<String> {
    let started = command
        .args(["--exact", "seen_from_inside", "--nocapture"])
        .env(INSIDE, "1")
        .current_dir("/")
        .output();
    let Output { status, stdout, stderr } =
        started.inspect_err(|error| skip(test, &format!("cannot start it: {error}"))).ok()?;
    let said = [stdout, stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if !status.success() && said.contains("unshare failed") {
        skip(test, said.trim());
        return None;
    }
    assert!(status.success(), "{said}");
    if said.contains("skipped:") {
        skip(test, said.trim());
        return None;
    }
    Some(said)
}

#[test]
fn seen_from_inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    if let Some(start) = poll("seen_from_inside", None) {
        println!("tier {:?}: {}", start.tier, start.reason);
    }
}

#[test]
fn an_ordinary_user_sees_processes_of_its_own_and_what_would_show_more() {
    let _alone = alone();
    let test = "an_ordinary_user_sees_processes_of_its_own_and_what_would_show_more";
    if !rustix::process::geteuid().is_root() {
        return skip(test, "only root can become another user");
    }
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.uid(65534).gid(65534);
    let Some(said) = inside(test, command) else { return };
    assert!(said.contains("tier Proc: loading BPF programs needs root"), "{said}");
    assert!(said.contains("CAP_BPF and CAP_PERFMON"), "{said}");
}

#[test]
fn a_pid_namespace_has_the_last_tier_and_the_reason() {
    let _alone = alone();
    let test = "a_pid_namespace_has_the_last_tier_and_the_reason";
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc"]);
    command.arg(std::env::current_exe().expect("this test"));
    let Some(said) = inside(test, command) else { return };
    assert!(said.contains("tier Proc: ") && said.contains("PID namespace"), "{said}");
}
