//! The programs on bare trace points: they read the kernel's structs, at offsets from its BTF.

use std::fmt::Display;

use aya::programs::{FEntry, Program, ProgramError};
use aya::{Btf as Types, Ebpf};

use crate::probes::btf::Btf;
use crate::probes::error::ProbeError;
use crate::probes::events::Offset;
use crate::probes::{advice, layout, raw};

/// Programs, and the trace points that they attach to.
const LIVES: [(&str, &str); 5] = [
    ("bare_born", "task_newtask"),
    ("bare_named", "task_rename"),
    ("bare_exited", "sched_process_exit"),
    ("bare_ring", "io_uring_create"),
    ("bare_registered", "io_uring_register"),
];
/// Those of requests in io-wq, in this order: one whose completion was not seen would be there for ever.
const QUEUED: [(&str, &str); 2] =
    [("bare_completed", "io_uring_complete"), ("bare_queued", "io_uring_queue_async_work")];

/// The program for requests that are submitted, and the names that its trace point has had: the
/// second until Linux 6.4.
const SUBMITTED: &str = "bare_submitted";
const SUBMITS: [&str; 2] = ["io_uring_submit_req", "io_uring_submit_sqe"];

/// The program that sees a worker take a request up, and the function that the worker calls.
const STARTED: (&str, &str) = ("bare_started", "io_wq_submit_work");

/// Where the programs find what they read.
///
/// # Errors
///
/// What is missing.
pub(super) fn offsets() -> Result<Vec<Offset>, String> {
    let btf = Btf::of_kernel().map_err(|error| format!("the kernel shows no BTF: {error}"))?;
    let member = |structure: &str, member: &str| {
        let missing = || format!("the kernel's BTF has no {member} in {structure}");
        btf.offset(structure, member).ok_or_else(missing)
    };
    let no_argument = "the kernel's BTF does not have io_uring_complete";
    let by_address = layout::completes_by_address(&btf).ok_or(no_argument)?;
    let mut offsets = vec![
        ("BARE_TASK_PID", member("task_struct", "pid")?),
        ("BARE_REQ_OPCODE", member("io_kiocb", "opcode")?),
        ("BARE_REQ_FLAGS", member("io_kiocb", "flags")?),
        ("BARE_REQ_WORK", member("io_kiocb", "work")?),
        ("BARE_REQ_WORK_FLAGS", member("io_kiocb", "work")? + member("io_wq_work", "flags")?),
        // A completion's last member is there, and until a request completes, its descriptor is.
        ("BARE_REQ_FD", member("io_kiocb", "cqe")? + member("io_cqe", "fd")?),
        ("BARE_CQE_RES", if by_address { member("io_uring_cqe", "res")? } else { 0 }),
        ("BARE_TASK_SIGNAL", member("task_struct", "signal")?),
        ("BARE_SIGNAL_LIVE", member("signal_struct", "live")?),
    ];
    let account = layout::account(&btf).zip(layout::limit(&btf));
    let (account, limit) = account.ok_or("the kernel's BTF does not have a worker's account")?;
    offsets.extend(account.into_iter().chain(limit));
    Ok(offsets)
}

/// Loads and attaches the programs. Returns what stays unseen, with the reason.
///
/// # Errors
///
/// What the kernel refuses.
pub(super) fn attach(programs: &mut Ebpf) -> Result<Vec<String>, ProbeError> {
    let types = Types::from_sys_fs().map_err(|error| advice::kernel("reading BTF", &error))?;
    let mut all = |bare: &[(&str, &str)]| {
        bare.iter().try_for_each(|bare| raw::on_types(programs, *bare, &types))
    };
    all(&LIVES)?;
    // Before those that are queued, or else more would be queued than were submitted.
    all(&[(SUBMITTED, SUBMITS[0])]).or_else(|_| all(&[(SUBMITTED, SUBMITS[1])]))?;
    all(&QUEUED)?;
    Ok(load_started(programs, &types).err().into_iter().collect())
}

/// The one program on a function, which not every kernel takes. Returns what stays unseen without it.
fn load_started(programs: &mut Ebpf, types: &Types) -> Result<(), String> {
    let (name, function) = STARTED;
    let refused = |error: &dyn Display| {
        format!(
            "how long requests wait for a worker: the kernel takes no program on {function}: {error}"
        )
    };
    let program = find(programs, name).map_err(|error| refused(&error))?;
    let program: &mut FEntry = program.try_into().map_err(|error| refused(&error))?;
    program.load(function, types).map_err(|error| match error {
        ProgramError::LoadError { io_error, .. } => refused(&io_error),
        other => refused(&other),
    })?;
    program.attach().map_err(|error| refused(&error))?;
    Ok(())
}

/// The program of this name.
///
/// # Errors
///
/// If the object has none.
fn find<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut Program, ProbeError> {
    programs.program_mut(name).ok_or_else(|| advice::no_such("program", name))
}
