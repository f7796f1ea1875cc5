//! The scheduler's bare trace point, and what to say if only the event made from it is to be had.
//!
//! The kernel runs programs on an event only if no other BPF program and no system call on a BPF
//! map is under way on that CPU, even if what is under way was preempted and other threads come and
//! go meanwhile. A program on the bare trace point is only kept from running inside itself.

use std::fmt::Display;

use aya::Ebpf;
use aya::programs::{ProgramError, RawTracePoint};

use super::advice;
use super::error::ProbeError;

/// The program, as the object names it.
const PROGRAM: &str = "thread_switched_raw";

/// Attaches the program. If that fails, returns what stays unseen, and why.
pub(super) fn attach(programs: &mut Ebpf, task_pid: &Result<u32, String>) -> Result<(), String> {
    task_pid.as_ref().map_err(unseen)?;
    try_to(programs).map_err(unseen)
}

fn unseen(reason: impl Display) -> String {
    format!("switches while other BPF work is under way on the same processor: {reason}")
}

fn try_to(programs: &mut Ebpf) -> Result<(), ProbeError> {
    let failed = |error: ProgramError| advice::of_program(PROGRAM, error);
    let Some(program) = programs.program_mut(PROGRAM) else {
        return Err(advice::no_such("program", PROGRAM));
    };
    let program: &mut RawTracePoint = program.try_into().map_err(failed)?;
    program.load().map_err(failed)?;
    program.attach("sched_switch").map_err(failed)?;
    Ok(())
}
