//! Processors: which there are, and which threads and workers may use.

use rustix::io::Errno;

/// Confines the calling thread, and all that it starts from now on, to the first `cpus` of the
/// processors that it may use.
///
/// # Errors
///
/// What sched_setaffinity(2) says; `EINVAL` if it may use fewer.
pub fn confine(cpus: u32) -> Result<(), Errno> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let mut set = CpuSet::new();
    let all = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
    all.take(cpus as usize).for_each(|cpu| set.set(cpu));
    if set.count() < cpus {
        return Err(Errno::INVAL);
    }
    sched_setaffinity(None, &set)
}

/// Processors that the machine has, in use or not.
#[must_use]
pub fn configured_cpus() -> u32 {
    // SAFETY: the call has no preconditions.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    u32::try_from(count).unwrap_or(1)
}

/// These processors, as io_uring takes them for its workers.
///
/// # Errors
///
/// If there can be no such processor.
pub fn set_of_cpus(cpus: &[u32]) -> std::io::Result<libc::cpu_set_t> {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &cpu in cpus {
        if libc::CPU_SETSIZE as u32 <= cpu {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the set has room for this processor.
        unsafe { libc::CPU_SET(cpu as usize, &mut set) };
    }
    Ok(set)
}

/// The processors that the calling thread may use, as io_uring takes them for its workers.
///
/// # Errors
///
/// What sched_getaffinity(2) says.
pub fn allowed_cpus() -> std::io::Result<libc::cpu_set_t> {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is as long as is said, and lives until the call returns.
    let got = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    if got == 0 { Ok(set) } else { Err(std::io::Error::last_os_error()) }
}
