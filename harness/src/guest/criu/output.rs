//! The output of criu: why there is no dump, and its version.

use std::process::ExitStatus;
use std::time::Duration;

use iowq_contract::guest::{NOT_DONE, WORKER_IN_THE_WAY};

/// How waiting for a process ended.
#[derive(Clone, Copy)]
pub(super) enum WaitEnd {
    Exited(ExitStatus),
    /// What was waited for came first.
    Not,
    Hung,
}

/// Errors of a log that are quoted at most.
const ERRORS_MAX: usize = 3;

/// Why there is no dump, in criu's words if there are any.
pub(super) fn why_not(ended: WaitEnd, time_max: Duration, log: &str, said: &str) -> String {
    let last = |text: &str| text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(bare);
    let error = match (errors(log), beside(said)) {
        (Some(error), Some(beside)) if !error.contains(WORKER_IN_THE_WAY) => {
            Some(format!("{error} ({beside})"))
        }
        (error, _) => error.or_else(|| errors(said)).or_else(|| last(said)),
    };
    match ended {
        WaitEnd::Exited(status) => error.unwrap_or_else(|| format!("criu ended with {status}")),
        WaitEnd::Not | WaitEnd::Hung => {
            let where_it_was = error.or_else(|| last(log)).unwrap_or_default();
            let line = format!("{NOT_DONE}{} s: {where_it_was}", time_max.as_secs());
            line.trim_end_matches([':', ' ']).to_owned()
        }
    }
}

/// What a log says of a thread that cannot be stopped, as workers cannot; else its last errors, of
/// which the cause is the first: the last only say that something failed.
fn errors(log: &str) -> Option<String> {
    let errors: Vec<String> =
        log.lines().filter(|line| line.contains("Error (")).map(bare).collect();
    if let Some(worker) = errors.iter().find(|error| error.contains(WORKER_IN_THE_WAY)) {
        return Some(worker.clone());
    }
    let last = &errors[errors.len().saturating_sub(ERRORS_MAX)..];
    (!last.is_empty()).then(|| last.join("; "))
}

/// The last that a library of criu's said, which goes past criu's log. There criu says what failed,
/// and the library why.
fn beside(said: &str) -> Option<String> {
    let is_of_criu = |line: &str| line.contains(".c:") && line.contains('(');
    let beside = said.lines().map(str::trim).rfind(|line| !line.is_empty() && !is_of_criu(line));
    beside.map(str::to_owned)
}

/// A line of criu's without its time and its place in criu's source:
/// `(00.012345) Error (compel/src/lib/infect.c:1): What it says`.
fn bare(line: &str) -> String {
    let after = |line: &str, start: &str, end: &str| {
        let at = line.strip_prefix(start)?.find(end)?;
        Some(line[start.len() + at + end.len()..].trim().to_owned())
    };
    let line = after(line, "(", ")").unwrap_or_else(|| line.to_owned());
    let line = after(&line, "Error (", "):").unwrap_or(line);
    line.trim().trim_end_matches('.').to_owned()
}

/// The version in `Version: 3.17.1`.
pub(super) fn version(said: &str) -> Option<String> {
    let version = said.lines().find_map(|line| line.trim().strip_prefix("Version:"))?.trim();
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    const LOG: &str = "\
(00.000100) Dumping processes (pid: 7 comm: iowq)
(00.010100) Error (criu/tun.c:85): tun: Unable to create tun: No such file or directory
(00.020100) Error (compel/src/lib/infect.c:525): Can't block signals for 9: Operation not permitted
(00.020110) Error (compel/src/lib/infect.c:1675): Parasite exited with -1
(00.020120) Error (criu/cr-dump.c:923): Can't dump thread for pid 9
(00.020130) ----------------------------------------
(00.020140) Error (criu/cr-dump.c:1602): Can't dump threads
(00.020200) net: Unlock network
(00.020300) Error (criu/cr-dump.c:1781): Dumping FAILED.
";

    fn failed() -> WaitEnd {
        WaitEnd::Exited(ExitStatus::from_raw(1 << 8))
    }

    fn reason(ended: WaitEnd, log: &str, said: &str) -> String {
        why_not(ended, Duration::from_secs(20), log, said)
    }

    #[test]
    fn a_worker_that_cannot_be_stopped_is_the_reason_whatever_else_failed() {
        let expected = "Can't block signals for 9: Operation not permitted";
        assert_eq!(reason(failed(), LOG, ""), expected);
    }

    #[test]
    fn else_the_reason_is_the_last_errors_with_their_cause() {
        let log = "\
(00.083317) Error (criu/tun.c:85): tun: Unable to create tun: No such file or directory
(00.365903) Error (criu/kerndat.c:637): Unable to bind a socket: Cannot assign requested address
(00.366203) Error (criu/kerndat.c:1570): kerndat_tcp_repair failed when initializing kerndat.
(00.366747) files stat: fs/nr_open 1048576
(00.366782) Error (criu/crtools.c:260): Could not initialize kernel features detection.
";
        let expected = "Unable to bind a socket: Cannot assign requested address; \
                        kerndat_tcp_repair failed when initializing kerndat; \
                        Could not initialize kernel features detection";
        assert_eq!(reason(failed(), log, ""), expected);
    }

    #[test]
    fn output_of_a_library_is_added_to_crius_unless_a_worker_is_the_reason() {
        let log = "(00.1) Error (criu/kerndat.c:1): kerndat_has_nftables_concat failed\n";
        let said = "Warn  (criu/net.c:1): older\nUnable to open a socket: Protocol not supported\n";
        let expected =
            "kerndat_has_nftables_concat failed (Unable to open a socket: Protocol not supported)";
        assert_eq!(reason(failed(), log, said), expected);
        assert_eq!(
            reason(failed(), log, "Warn  (criu/net.c:1): older"),
            "kerndat_has_nftables_concat failed"
        );
        assert!(!reason(failed(), LOG, said).contains("socket"));
    }

    #[test]
    fn without_a_log_the_reason_is_crius_output_or_its_exit_status() {
        let said = "criu: error while loading shared libraries: libnet.so.1: cannot open\n\n";
        assert_eq!(reason(failed(), "", said), said.trim());
        assert_eq!(reason(failed(), "", ""), "criu ended with exit status: 1");
    }

    #[test]
    fn after_a_timeout_the_reason_says_how_far_criu_was() {
        let hung = "(00.1) Dumping processes\n(00.2) Waiting for 9 to stop\n";
        assert_eq!(reason(WaitEnd::Hung, hung, ""), "not done after 20 s: Waiting for 9 to stop");
        assert_eq!(reason(WaitEnd::Hung, "", ""), "not done after 20 s");
    }

    #[test]
    fn the_version_is_what_criu_says_it_is() {
        assert_eq!(version("Version: 4.2\nGitID: v4.2-1\n"), Some("4.2".to_owned()));
        assert_eq!(version("Version: 3.17.1"), Some("3.17.1".to_owned()));
        assert_eq!(version("Version:\n"), None);
        assert_eq!(version("criu: cannot open libnet.so.1"), None);
    }
}
