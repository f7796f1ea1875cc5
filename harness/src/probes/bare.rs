//! Attaching programs to bare trace points, whose arguments are the kernel's structs.

use aya::programs::{BtfTracePoint, Program};
use aya::{Btf, Ebpf};

use super::advice;
use super::error::ProbeError;

/// The kernel's types, by which it checks the programs.
///
/// # Errors
///
/// If it shows none.
pub(super) fn types() -> Result<Btf, ProbeError> {
    Btf::from_sys_fs().map_err(|error| advice::kernel("reading BTF", &error))
}

/// Loads a program and attaches it.
///
/// # Errors
///
/// What the kernel refuses.
pub(super) fn attach(
    programs: &mut Ebpf,
    name: &str,
    trace_point: &str,
    types: &Btf,
) -> Result<(), ProbeError> {
    let failed = |error| advice::of_program(name, error);
    let program: &mut BtfTracePoint = find(programs, name)?.try_into().map_err(failed)?;
    program.load(trace_point, types).map_err(failed)?;
    program.attach().map_err(failed)?;
    Ok(())
}

/// The program of this name.
///
/// # Errors
///
/// If the object has none.
pub(super) fn find<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut Program, ProbeError> {
    programs.program_mut(name).ok_or_else(|| advice::no_such("program", name))
}
