//! The moment a worker takes a request up: a kprobe, and what to say if kprobes are refused.

use std::fmt::Display;
use std::path::Path;

use aya::Ebpf;
use aya::programs::{KProbe, ProgramError};

use super::advice;
use super::error::ProbeError;

/// The program, as the object names it.
const PROGRAM: &str = "work_started";

/// The global of the programs that has by how much a request's user data is before its work.
pub(super) const DISTANCE: &str = "WORK_BEHIND_USER_DATA";

/// What the kernel shows if it takes kprobes.
const KPROBES: &str = "/sys/bus/event_source/devices/kprobe";

/// The kernel's function that runs a work, in its worker.
const FUNCTION: &str = "io_wq_submit_work";

/// Offset of a function's first argument among the saved registers, in bytes; none if this
/// project does not know it.
const FIRST_ARGUMENT: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(112)
} else if cfg!(target_arch = "aarch64") {
    Some(0)
} else {
    None
};

/// The offset for the programs. If it is unknown they are not attached.
pub(super) fn first_argument() -> u32 {
    FIRST_ARGUMENT.unwrap_or_default()
}

/// Whether starts can be seen, as far as that is known before it is tried.
pub(super) fn may_be_seen() -> bool {
    FIRST_ARGUMENT.is_some() && Path::new(KPROBES).exists()
}

/// What to say if starts stay unseen.
pub(super) fn unseen(reason: impl Display) -> String {
    format!("time in the queue: no kprobe on {FUNCTION} ({reason})")
}

/// Attaches the kprobe. If that fails, returns what stays unseen, and why.
pub(super) fn attach(programs: &mut Ebpf) -> Result<(), String> {
    if FIRST_ARGUMENT.is_none() {
        return Err(unseen("where a function's argument is, is not known for this processor"));
    }
    try_to(programs).map_err(|error| {
        if Path::new(KPROBES).exists() {
            unseen(error)
        } else {
            unseen("the kernel was built without CONFIG_KPROBE_EVENTS")
        }
    })
}

fn try_to(programs: &mut Ebpf) -> Result<(), ProbeError> {
    let failed = |error: ProgramError| advice::of_program(PROGRAM, error);
    let Some(program) = programs.program_mut(PROGRAM) else {
        return Err(advice::no_such("program", PROGRAM));
    };
    let program: &mut KProbe = program.try_into().map_err(failed)?;
    program.load().map_err(failed)?;
    program.attach(FUNCTION, 0).map_err(failed)?;
    Ok(())
}
