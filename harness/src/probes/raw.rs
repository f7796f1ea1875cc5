//! Programs on bare trace points, and what to say if only the events made from these are to be had.
//!
//! The kernel runs programs on an event only if no other BPF program and no system call on a BPF
//! map is under way on that CPU, even if what is under way was preempted and other threads come and
//! go meanwhile. A program on the bare trace point is only kept from running inside itself.

use aya::Ebpf;
use aya::programs::{ProgramError, RawTracePoint};

use super::advice;
use super::error::ProbeError;

/// A program, as the object names it, and its trace point.
pub(super) type Bare = (&'static str, &'static str);

/// That of the scheduler.
pub(super) const SWITCH: Bare = ("thread_switched_raw", "sched_switch");
/// Those of requests: first the one that does no harm if the same is done on the event, too.
pub(super) const REQUESTS: [Bare; 2] = [
    ("request_completed_raw", "io_uring_complete"),
    ("request_queued_raw", "io_uring_queue_async_work"),
];

/// Attaches programs, if what they need of the kernel's structs is known. If that fails, returns why.
pub(super) fn attach<T>(
    programs: &mut Ebpf,
    bare: &[Bare],
    known: &Result<T, String>,
) -> Result<(), String> {
    known.as_ref().map_err(String::clone)?;
    bare.iter().try_for_each(|it| try_to(programs, *it)).map_err(|error| error.to_string())
}

/// What stays unseen on the event.
pub(super) fn unseen(what: &str, reason: &str) -> String {
    format!("{what} while other BPF work is under way on the same processor: {reason}")
}

fn try_to(programs: &mut Ebpf, (name, trace_point): Bare) -> Result<(), ProbeError> {
    let failed = |error: ProgramError| advice::of_program(name, error);
    let Some(program) = programs.program_mut(name) else {
        return Err(advice::no_such("program", name));
    };
    let program: &mut RawTracePoint = program.try_into().map_err(failed)?;
    program.load().map_err(failed)?;
    program.attach(trace_point).map_err(failed)?;
    Ok(())
}
