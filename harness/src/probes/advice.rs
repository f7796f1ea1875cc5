//! What the kernel's refusals mean to people.

use std::fs;
use std::io;
use std::path::PathBuf;

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use rustix::thread::{CapabilitySet, capabilities};

use super::error::ProbeError;

/// Lines of the verifier's log that are shown: the refusal is at the end.
const LOG_LINES_MAX: usize = 4;

/// Fails if this process may not load BPF programs.
pub(super) fn check_permission() -> Result<(), ProbeError> {
    // If the sets cannot be read, loading will tell.
    let Ok(sets) = capabilities(None) else { return Ok(()) };
    match missing(sets.effective) {
        Some(missing) => Err(not_permitted(missing)),
        None => Ok(()),
    }
}

/// The error for lacking some capabilities.
pub(super) fn not_permitted(missing: &'static str) -> ProbeError {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("iowq"));
    ProbeError::NotPermitted { program, missing }
}

/// What is missing to load tracepoint programs. `CAP_SYS_ADMIN` stands for both.
fn missing(effective: CapabilitySet) -> Option<&'static str> {
    let has = |capability| effective.intersects(capability | CapabilitySet::SYS_ADMIN);
    match (has(CapabilitySet::BPF), has(CapabilitySet::PERFMON)) {
        (true, true) => None,
        (false, true) => Some("CAP_BPF"),
        (true, false) => Some("CAP_PERFMON"),
        (false, false) => Some("CAP_BPF and CAP_PERFMON"),
    }
}

/// What a failure to create the maps means.
pub(super) fn of_load(error: EbpfError) -> ProbeError {
    match error {
        EbpfError::MapError(MapError::CreateError { name, io_error: cause }) => {
            match cause.kind() {
                // Old kernels say "not permitted" for more than may be locked in memory.
                io::ErrorKind::OutOfMemory | io::ErrorKind::PermissionDenied => {
                    ProbeError::NoMemory { map: name, cause }
                }
                _ => ProbeError::Kernel {
                    what: format!("creating the map {name}"),
                    cause: cause.to_string(),
                },
            }
        }
        other => kernel("loading the probes", &other),
    }
}

/// What a failure to load or attach a program means.
pub(super) fn of_program(program: &str, error: ProgramError) -> ProbeError {
    match error {
        ProgramError::LoadError { io_error: cause, verifier_log } => {
            match lockdown(&fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default())
            {
                Some(mode) if cause.kind() == io::ErrorKind::PermissionDenied => {
                    ProbeError::LockedDown { mode }
                }
                _ => ProbeError::Refused {
                    program: program.into(),
                    cause,
                    log: last_lines(&verifier_log.to_string()),
                },
            }
        }
        other => kernel(&format!("attaching the program {program}"), &other),
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
pub(super) fn kernel(what: &str, error: &dyn std::error::Error) -> ProbeError {
    let mut cause = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        cause = format!("{cause}: {source}");
        next = source.source();
    }
    ProbeError::Kernel { what: what.into(), cause }
}

/// The mode, if it is the one that keeps BPF from reading memory; `[…]` marks the mode in force.
fn lockdown(modes: &str) -> Option<String> {
    modes.contains("[confidentiality]").then(|| "confidentiality".into())
}

/// The end of the verifier's log, without its statistics.
fn last_lines(log: &str) -> String {
    let statistics = |line: &&str| {
        ["processed ", "verification time", "stack depth"].iter().any(|it| line.starts_with(it))
    };
    let lines: Vec<&str> =
        log.lines().map(str::trim).filter(|line| !line.is_empty() && !statistics(line)).collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES_MAX)..];
    if last.is_empty() { "none".into() } else { last.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_that_is_missing_is_named() {
        assert_eq!(missing(CapabilitySet::empty()), Some("CAP_BPF and CAP_PERFMON"));
        assert_eq!(missing(CapabilitySet::BPF), Some("CAP_PERFMON"));
        assert_eq!(missing(CapabilitySet::BPF | CapabilitySet::PERFMON), None);
        assert_eq!(missing(CapabilitySet::SYS_ADMIN), None);
        let text = not_permitted("CAP_BPF").to_string();
        assert!(text.contains("CAP_BPF") && text.contains("sudo setcap"), "{text}");
    }

    #[test]
    fn only_the_strictest_lockdown_is_in_the_way() {
        assert_eq!(lockdown("none [integrity] confidentiality"), None);
        assert_eq!(lockdown(""), None);
        assert!(lockdown("none integrity [confidentiality]").is_some());
    }

    #[test]
    fn a_map_without_memory_says_which() {
        let io_error = io::Error::from_raw_os_error(rustix::io::Errno::NOMEM.raw_os_error());
        let error = of_load(EbpfError::MapError(MapError::CreateError {
            name: "THREADS".into(),
            io_error,
        }));
        assert!(matches!(&error, ProbeError::NoMemory { map, .. } if map == "THREADS"), "{error}");
    }

    #[test]
    fn a_refusal_ends_with_the_verifiers_last_words() {
        let log = "0: R1=ctx\n1: call 113\n2: r9 = *(u32 *)(r8 +4)\nR8 invalid mem access\n\n\
                   verification time 12 usec\nstack depth 0\nprocessed 7 insns\n";
        assert_eq!(last_lines(log).split(" | ").last(), Some("R8 invalid mem access"));
        assert_eq!(last_lines("").as_str(), "none");
    }
}
