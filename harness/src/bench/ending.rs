//! How a process of a run ended, in words.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use signal_hook::consts::{
    SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU,
};

/// What Rust's runtime says before it aborts a process that gets no memory.
const ALLOCATION_FAILED: &str = "memory allocation of ";

/// What a process said in the end, without the marks of an error message, and what ended it if that
/// was a signal.
pub(super) fn reason(status: ExitStatus, stderr: &[u8]) -> String {
    let said = String::from_utf8_lossy(stderr);
    let said = said.trim().trim_start_matches("error: ");
    match (status.signal(), said.is_empty()) {
        (Some(SIGABRT), false) if said.contains(ALLOCATION_FAILED) => {
            format!(
                "{said}: it may not have more memory; raise `ulimit -v`, or ask for less with \
                     files.count, files.size_mib or ring.depth"
            )
        }
        (Some(signal), true) => of_signal(signal),
        (Some(signal), false) => format!("{}; it said: {said}", of_signal(signal)),
        (None, true) => format!("it ended with {status} and said nothing"),
        (None, false) => said.to_owned(),
    }
}

/// What a signal that ended a process means.
fn of_signal(signal: i32) -> String {
    let name = signal_hook::low_level::signal_name(signal).unwrap_or("of no name");
    let meaning = match signal {
        SIGKILL => {
            ": most likely there was no memory left for it (see `dmesg | grep -i oom`, and oom_kill \
             in memory.events of its cgroup); raise the cgroup's memory.max, or ask for less with \
             files.count, files.size_mib or ring.depth"
        }
        SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGTRAP => {
            ": a fault of iowq, or of the machine (see `dmesg`); please report it"
        }
        SIGSYS => ": a seccomp filter forbids a system call that it needs",
        SIGXCPU => ": it used up its processor time; raise `ulimit -t`",
        _ => ", which another process sent",
    };
    format!("killed by signal {signal} ({name}){meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A status as wait(2) has it.
    fn exit(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    #[test]
    fn an_ending_says_what_the_process_said_and_else_what_ended_it() {
        let rows = [
            (exit(2), "error: no room\n", "no room", ""),
            (exit(2), "", "it ended with exit status: 2 and said nothing", ""),
            (
                ExitStatus::from_raw(9),
                "",
                "killed by signal 9 (SIGKILL): most likely",
                "memory.max",
            ),
            (ExitStatus::from_raw(9), "half", "killed by signal 9 (SIGKILL)", "it said: half"),
            (
                ExitStatus::from_raw(6),
                "memory allocation of 8 bytes failed",
                "memory allocation of 8 bytes failed: it may not",
                "ulimit -v",
            ),
            (ExitStatus::from_raw(6), "x", "killed by signal 6 (SIGABRT): a fault", "said: x"),
            (ExitStatus::from_raw(11), "", "killed by signal 11 (SIGSEGV): a fault", "report it"),
            (ExitStatus::from_raw(31), "", "killed by signal 31 (SIGSYS): a seccomp filter", ""),
            (ExitStatus::from_raw(24), "", "killed by signal 24 (SIGXCPU)", "ulimit -t"),
            (ExitStatus::from_raw(15), "", "killed by signal 15 (SIGTERM), which another", ""),
            (ExitStatus::from_raw(40), "", "killed by signal 40 (of no name)", ""),
        ];
        for (status, said, begins, contains) in rows {
            let text = reason(status, said.as_bytes());
            assert!(text.starts_with(begins) && text.contains(contains), "{status}: {text}");
        }
    }
}
