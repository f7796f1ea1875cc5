//! What the kernel's refusals mean to people.

use std::error::Error;
use std::fs::File;
use std::io;

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use rustix::io::Errno;

use super::error::ProbeError;
use crate::machine::rights::{Capabilities, Rights};

/// Lines of the verifier's log that are shown: the refusal is at the end.
const LOG_LINES_MAX: usize = 4;

/// From this value of `kernel.perf_event_paranoid` on, which only some distributions have, even
/// `CAP_PERFMON` may not be enough.
const PARANOID_OF_DISTRIBUTIONS: i64 = 3;

/// Fails if this process may not load BPF programs, or they would see none of its threads.
pub(super) fn check_permission() -> Result<(), ProbeError> {
    permission(&Rights::here(), "loading BPF programs", Rights::TO_LOAD)
}

/// Fails if this process may not load BPF programs, wherever they attach.
pub(super) fn check_permission_to_load() -> Result<(), ProbeError> {
    permission(&Rights::here().without_events(), "loading BPF programs", Rights::TO_LOAD)
}

/// Fails if this process may not sample tracepoints of all processes.
pub(super) fn check_sampling() -> Result<(), ProbeError> {
    let rights = Rights::here();
    permission(&rights, "reading tracepoints", rights.to_sample())
}

fn permission(rights: &Rights, what: &'static str, needed: Capabilities) -> Result<(), ProbeError> {
    if rights.user_namespace {
        return Err(denied(what, Errno::PERM.into(), Why::UserNamespace));
    }
    let missing = rights.effective.missing(rights.with_tracefs(needed));
    if missing != Capabilities::NONE {
        let (missing, advice) = (missing.in_words(), rights.advice_for(needed));
        return Err(ProbeError::NotPermitted { what, missing, advice });
    }
    Ok(())
}

/// What a failure to open a perf event means.
pub(super) fn of_perf(what: &str, error: io::Error) -> ProbeError {
    refused(what, Place::Attach, error, &Rights::here())
}

/// What a failure to map the ring of a perf event means.
pub(super) fn of_ring(what: &str, error: io::Error) -> ProbeError {
    if Errno::from_io_error(&error) == Some(Errno::PERM) {
        return denied(what, error, Why::LockedRing);
    }
    refused(what, Place::Other, error, &Rights::here())
}

/// What the kernel was asked for.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// To create a map.
    Map,
    /// To load a program of this name; the verifier's log is empty if it was not even asked.
    Program(&'a str, &'a str),
    /// To attach a program, which takes perf_event_open(2).
    Attach,
    /// Anything else.
    Other,
}

/// What a failure to create the maps means.
pub(super) fn of_load(error: EbpfError) -> ProbeError {
    match error {
        EbpfError::MapError(MapError::CreateError { name, io_error }) => {
            let what = format!("creating the map {name}");
            refused(&what, Place::Map, io_error, &Rights::here())
        }
        other => kernel("loading the probes", &other),
    }
}

/// What a failure to load or attach a program means.
pub(super) fn of_program(program: &str, error: ProgramError) -> ProbeError {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            let log = last_lines(&verifier_log.to_string());
            let what = format!("loading the program {program}");
            refused(&what, Place::Program(program, &log), io_error, &Rights::here())
        }
        other => of_chain(&format!("attaching the program {program}"), Place::Attach, &other),
    }
}

/// The object and this package do not belong together.
pub(super) fn no_such(kind: &str, name: &str) -> ProbeError {
    ProbeError::Kernel {
        what: "reading ebpf/probes.bpf.o".into(),
        cause: format!("it has no {kind} {name}; rebuild it with: cargo xtask probes"),
    }
}

/// Any other failure, with all its causes.
pub(super) fn kernel(what: &str, error: &(dyn Error + 'static)) -> ProbeError {
    of_chain(what, Place::Other, error)
}

/// A failure by what the system said, which is somewhere among its causes.
fn of_chain(what: &str, place: Place<'_>, error: &(dyn Error + 'static)) -> ProbeError {
    let mut cause = error.to_string();
    let mut system = error.downcast_ref::<io::Error>();
    let mut next = error.source();
    while let Some(source) = next {
        cause = format!("{cause}: {source}");
        system = system.or_else(|| source.downcast_ref());
        next = source.source();
    }
    let errno = system.and_then(io::Error::raw_os_error);
    let errno = errno.or_else(|| matches!(place, Place::Attach).then(cannot_open).flatten());
    match errno {
        Some(errno) => refused(what, place, io::Error::from_raw_os_error(errno), &Rights::here()),
        None => ProbeError::Kernel { what: what.into(), cause },
    }
}

/// Why this process can open nothing at all, if it cannot: aya says then that there is no tracefs.
fn cannot_open() -> Option<i32> {
    File::open("/").err()?.raw_os_error()
}

/// What a refusal means, by what was asked for, by the error, and by what this process may do.
fn refused(what: &str, place: Place<'_>, cause: io::Error, rights: &Rights) -> ProbeError {
    let errno = Errno::from_io_error(&cause);
    let forbidden = matches!(errno, Some(Errno::PERM | Errno::ACCESS));
    match (errno, place) {
        (Some(Errno::MFILE), _) => {
            let limit = rights.files_max.map_or_else(String::new, |max| format!(" of {max}"));
            denied(what, cause, Why::OpenFiles { limit })
        }
        (Some(Errno::NFILE), _) => denied(what, cause, Why::OpenFilesOfAll),
        (Some(Errno::NOSYS), _) => denied(what, cause, Why::NoSuchCall),
        (_, Place::Program(..) | Place::Attach) if rights.is_confidential() => {
            denied(what, cause, Why::Lockdown)
        }
        // The verifier does not know the calls that read memory then, and says so in its way.
        (_, Place::Program(_, log)) if cannot_read_memory(log) => {
            denied(what, cause, Why::Lockdown)
        }
        (_, Place::Program(program, log)) if !log.is_empty() => {
            ProbeError::Refused { program: program.into(), cause, log: log.into() }
        }
        (Some(Errno::NOMEM), Place::Map | Place::Program(..)) => denied(what, cause, Why::Memory),
        (_, Place::Map) if forbidden && rights.memlock_bytes.is_some() => {
            denied(what, cause, Why::Memlock { bytes: rights.memlock_bytes.unwrap_or_default() })
        }
        (_, Place::Attach)
            if forbidden && rights.perf_event_paranoid >= Some(PARANOID_OF_DISTRIBUTIONS) =>
        {
            let paranoid = rights.perf_event_paranoid.unwrap_or_default();
            denied(what, cause, Why::Paranoid { paranoid })
        }
        _ if forbidden && rights.seccomp => denied(what, cause, Why::Seccomp),
        _ if forbidden => denied(what, cause, Why::SecurityModule),
        _ => ProbeError::Kernel { what: what.into(), cause: cause.to_string() },
    }
}

/// Whether the verifier refused the calls that read the kernel's memory, as it does under lockdown.
fn cannot_read_memory(log: &str) -> bool {
    ["unknown func bpf_probe_read", "cannot use helper bpf_probe_read"]
        .iter()
        .any(|refusal| log.contains(refusal))
}

/// What is in the way.
enum Why {
    UserNamespace,
    OpenFiles { limit: String },
    OpenFilesOfAll,
    NoSuchCall,
    Lockdown,
    Memory,
    Memlock { bytes: u64 },
    LockedRing,
    Paranoid { paranoid: i64 },
    Seccomp,
    SecurityModule,
}

fn denied(what: &str, cause: io::Error, why: Why) -> ProbeError {
    let text = |why: &str, advice: &str| (why.to_owned(), advice.to_owned());
    let (why, advice) = match why {
        Why::UserNamespace => text(
            "this process is in a user namespace, whose capabilities do not count for BPF and events",
            "run it outside (docker: without userns-remap; podman: as root; no unshare --user)",
        ),
        Why::OpenFiles { limit } => (
            format!("too many open files, with a limit{limit} for this process"),
            "raise it, as with: ulimit -n 1024".to_owned(),
        ),
        Why::OpenFilesOfAll => text(
            "too many open files on this machine",
            "raise the limit: sudo sysctl fs.file-max=1000000",
        ),
        Why::NoSuchCall => text(
            "the kernel has no such call, or a seccomp filter hides it",
            "take a kernel with CONFIG_BPF_SYSCALL and CONFIG_PERF_EVENTS, or in a container: \
             docker run --security-opt seccomp=unconfined",
        ),
        Why::Lockdown => text(
            "the kernel is locked down (confidentiality), and BPF programs may not read its memory",
            "boot with lockdown=integrity or without secure boot",
        ),
        Why::Memory => text("no memory", "raise the memory limit of the cgroup, or free some"),
        Why::Memlock { bytes } => (
            format!(
                "before Linux 5.11 maps count as locked memory, of which {bytes} bytes are allowed"
            ),
            "raise it with: ulimit -l unlimited".to_owned(),
        ),
        Why::LockedRing => text(
            "rings count as locked memory of this user, which has kernel.perf_event_mlock_kb for \
             each processor and ulimit -l for all",
            "raise one of them, give it CAP_IPC_LOCK, or end other programs of this user that read \
             events",
        ),
        Why::Paranoid { paranoid } => (
            format!(
                "kernel.perf_event_paranoid is {paranoid}, with which some kernels want CAP_SYS_ADMIN"
            ),
            "run it with sudo, or: sudo sysctl kernel.perf_event_paranoid=2".to_owned(),
        ),
        Why::Seccomp => text(
            "the capabilities are there, and a seccomp filter decides on this process's calls",
            "have it allow bpf and perf_event_open, as: docker run --security-opt \
             seccomp=unconfined",
        ),
        Why::SecurityModule => text(
            "the capabilities are there, so most likely a security module (SELinux, AppArmor) is \
             in the way",
            "see `sudo dmesg` for what it denied",
        ),
    };
    ProbeError::Denied { what: what.into(), cause, why, advice }
}

/// The end of the verifier's log, without its statistics; empty if it has nothing else.
fn last_lines(log: &str) -> String {
    let statistics = |line: &&str| {
        ["processed ", "verification time", "stack depth"].iter().any(|it| line.starts_with(it))
    };
    let lines: Vec<&str> =
        log.lines().map(str::trim).filter(|line| !line.is_empty() && !statistics(line)).collect();
    lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::rights::Tracefs;

    const MAP: Place<'_> = Place::Map;
    const LOAD: Place<'_> = Place::Program("thread_born", "");
    const LOCKED: Place<'_> =
        Place::Program("thread_born", "program of this type cannot use helper bpf_probe_read#4");
    const VERIFIER: Place<'_> = Place::Program("thread_born", "R8 invalid mem access");

    fn loading(rights: &Rights) -> Result<(), ProbeError> {
        permission(rights, "loading BPF programs", Rights::TO_LOAD)
    }

    fn said(place: Place<'_>, errno: Errno, rights: &Rights) -> String {
        refused("doing so", place, errno.into(), rights).to_string()
    }

    #[test]
    fn what_the_kernel_refuses_is_explained_by_place_errno_and_rights() {
        let root = Rights::of_root;
        let seccomp = Rights { seccomp: true, ..root() };
        let old = Rights { memlock_bytes: Some(65_536), ..root() };
        let paranoid = Rights { perf_event_paranoid: Some(4), ..root() };
        let confidential = Rights { lockdown: Some("confidentiality".into()), ..root() };
        let integrity = Rights { lockdown: Some("integrity".into()), ..root() };
        let (perm, access) = (Errno::PERM, Errno::ACCESS);
        let rows = [
            (MAP, Errno::MFILE, &root(), "too many open files, with a limit of 1024", "ulimit -n"),
            (LOAD, Errno::MFILE, &root(), "too many open files", "ulimit -n"),
            (Place::Attach, Errno::MFILE, &root(), "too many open files", "ulimit -n"),
            (Place::Other, Errno::MFILE, &confidential, "too many open files", "ulimit -n"),
            (MAP, Errno::NFILE, &root(), "open files on this machine", "fs.file-max"),
            (MAP, Errno::NOSYS, &root(), "no such call", "CONFIG_BPF_SYSCALL"),
            (MAP, Errno::NOMEM, &root(), "no memory", "cgroup"),
            (LOAD, Errno::NOMEM, &root(), "no memory", "cgroup"),
            (MAP, perm, &old, "65536 bytes are allowed", "ulimit -l unlimited"),
            (MAP, perm, &seccomp, "a seccomp filter", "seccomp=unconfined"),
            (LOAD, perm, &seccomp, "a seccomp filter", "seccomp=unconfined"),
            (MAP, perm, &root(), "a security module", "dmesg"),
            (LOAD, access, &integrity, "a security module", "dmesg"),
            (LOAD, perm, &confidential, "locked down", "lockdown=integrity"),
            (LOCKED, Errno::INVAL, &root(), "locked down", "lockdown=integrity"),
            (VERIFIER, Errno::INVAL, &confidential, "locked down", "lockdown=integrity"),
            (Place::Attach, perm, &confidential, "locked down", "lockdown=integrity"),
            (Place::Attach, access, &paranoid, "perf_event_paranoid is 4", "paranoid=2"),
            (Place::Attach, access, &root(), "a security module", "dmesg"),
            (VERIFIER, access, &root(), "verifier refused", "R8 invalid mem access"),
            (VERIFIER, Errno::INVAL, &seccomp, "verifier refused", "R8 invalid mem access"),
            (Place::Other, Errno::IO, &root(), "doing so: ", "(os error 5)"),
        ];
        for (place, errno, rights, why, advice) in rows {
            let text = said(place, errno, rights);
            assert!(text.contains(why) && text.contains(advice), "{errno:?}: {text}");
            assert_eq!(text.contains("no memory"), why.contains("no memory"), "{text}");
            assert_eq!(text.contains("verifier"), why.contains("verifier"), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_said_before_anything_is_loaded() {
        let readable = Tracefs::Readable("/sys/kernel/tracing");
        let user = Rights::of_a_user(Capabilities::BPF, readable);
        let root = Rights::of_root;
        for (rights, why, advice) in [
            (user, "CAP_PERFMON that this process lacks", "sudo setcap cap_bpf,cap_perfmon+ep"),
            (Rights { user_namespace: true, ..root() }, "user namespace", "userns-remap"),
        ] {
            let text = loading(&rights).expect_err(why).to_string();
            assert!(text.contains(why) && text.contains(advice), "{text}");
        }
        assert!(loading(&root()).is_ok());
        assert!(loading(&Rights { pid_namespace: true, ..root() }).is_ok());
    }

    #[test]
    fn sampling_takes_no_bpf_and_names_what_it_takes() {
        let sampling = |rights: &Rights| permission(rights, "sampling", rights.to_sample());
        let closed = Tracefs::Closed("/sys/kernel/tracing");
        let user = Rights::of_a_user(Capabilities::PERFMON, closed);
        let text = sampling(&user).expect_err("the formats are closed").to_string();
        for part in [
            "CAP_DAC_READ_SEARCH that this process lacks",
            "setcap cap_perfmon,cap_dac_read_search+ep",
            "CAP_PERFMON alone suffices after",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let tracefs = Tracefs::Readable("/sys/kernel/tracing");
        assert!(sampling(&Rights { tracefs, ..user.clone() }).is_ok());
        let open = Rights { perf_event_paranoid: Some(-1), tracefs, ..user };
        assert!(sampling(&Rights { effective: Capabilities::NONE, ..open }).is_ok());
    }

    #[test]
    fn a_ring_that_may_not_be_locked_names_both_limits() {
        let text = of_ring("mapping", Errno::PERM.into()).to_string();
        assert!(text.contains("perf_event_mlock_kb") && text.contains("CAP_IPC_LOCK"), "{text}");
    }

    #[test]
    fn the_systems_error_is_found_among_the_causes() {
        let error =
            aya::sys::SyscallError { call: "bpf_link_create", io_error: Errno::MFILE.into() };
        let text = kernel("attaching", &error).to_string();
        assert!(text.contains("ulimit -n"), "{text}");
    }

    #[test]
    fn a_refusal_ends_with_the_verifiers_last_words() {
        let log = "0: R1=ctx\n1: call 113\n2: r9 = *(u32 *)(r8 +4)\nR8 invalid mem access\n\n\
                   verification time 12 usec\nstack depth 0\nprocessed 7 insns\n";
        assert_eq!(last_lines(log).split(" | ").last(), Some("R8 invalid mem access"));
        assert_eq!(last_lines("processed 0 insns\n").as_str(), "");
    }
}
