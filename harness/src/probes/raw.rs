//! Programs on bare trace points, and what to say if only the events made from these are to be had.
//!
//! The kernel runs programs on an event only if no other BPF program and no system call on a BPF
//! map is under way on that CPU, even if what is under way was preempted and other threads come and
//! go meanwhile. A program on the bare trace point is only kept from running inside itself.

use aya::programs::{BtfTracePoint, ProgramError, RawTracePoint};
use aya::{Btf, Ebpf};

use super::advice;
use super::error::ProbeError;

/// A program, as the object names it, and its trace point.
type Bare = (&'static str, &'static str);

/// That of the scheduler.
const SWITCH: Bare = ("thread_switched_raw", "sched_switch");
/// Those of requests: first the one that does no harm if the same is done on the event, too.
const REQUESTS: [Bare; 2] = [
    ("request_completed_raw", "io_uring_complete"),
    ("request_queued_raw", "io_uring_queue_async_work"),
];

/// Attaches the scheduler's program, if what it needs of the kernel's structs is `known`. If that fails,
/// returns why.
pub(super) fn attach_switches<T>(
    programs: &mut Ebpf,
    known: &Result<T, String>,
) -> Result<(), String> {
    known.as_ref().map_err(String::clone)?;
    let (name, trace_point) = SWITCH;
    let attached = (|| {
        let failed = |error: ProgramError| advice::of_program(name, error);
        let missing = || advice::no_such("program", name);
        let program = programs.program_mut(name).ok_or_else(missing)?;
        let program: &mut RawTracePoint = program.try_into().map_err(failed)?;
        program.load().map_err(failed)?;
        program.attach(trace_point).map_err(failed)
    })();
    attached.map(drop).map_err(|error: ProbeError| error.to_string())
}

/// Attaches those of requests, likewise.
pub(super) fn attach_requests<T>(
    programs: &mut Ebpf,
    known: &Result<T, String>,
) -> Result<(), String> {
    known.as_ref().map_err(String::clone)?;
    let types = Btf::from_sys_fs().map_err(|error| error.to_string())?;
    let mut all = REQUESTS.iter().map(|bare| on_types(programs, *bare, &types));
    all.try_for_each(|attached| attached).map_err(|error| error.to_string())
}

/// Loads a program that reads structs of the kernel by itself, and attaches it.
pub(super) fn on_types(
    programs: &mut Ebpf,
    (name, trace_point): (&str, &str),
    types: &Btf,
) -> Result<(), ProbeError> {
    let failed = |error| advice::of_program(name, error);
    let missing = || advice::no_such("program", name);
    let program = programs.program_mut(name).ok_or_else(missing)?;
    let program: &mut BtfTracePoint = program.try_into().map_err(failed)?;
    program.load(trace_point, types).map_err(failed)?;
    program.attach().map_err(failed)?;
    Ok(())
}

/// What stays unseen on the event.
pub(super) fn unseen(what: &str, reason: &str) -> String {
    format!("{what} while other BPF work is under way on the same processor: {reason}")
}
