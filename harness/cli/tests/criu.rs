//! The try to dump a process that closed its ring: what criu is given, and what is left of it all.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use iowq_contract::guest::{ControlFailure, Criu, Dump};
use iowq_harness::engine::uring;
use iowq_harness::guest::criu::dump_of;
use iowq_workloads::builtin;
use tempfile::TempDir;

const IOWQ: &str = env!("CARGO_BIN_EXE_iowq-measure");

/// Stands for the kernel's idle timeout, so that the wait for workers to leave is soon over.
const IDLE_TIMEOUT: Duration = Duration::from_millis(8);

/// A folder for the files of a try, and one for what criu is and notes.
struct Place {
    files: TempDir,
    notes: TempDir,
}

impl Place {
    /// None, aloud, where this kernel has no io_uring for us.
    fn new_or_skip(test: &str) -> Option<Place> {
        let lacks = uring::check(&builtin("ring-close").expect("a workload")).err();
        if let Some(lacks) = lacks {
            skip(test, &lacks.to_string());
            return None;
        }
        let folder = || tempfile::tempdir().expect("a folder");
        Some(Place { files: folder(), notes: folder() })
    }

    fn note(&self, name: &str) -> PathBuf {
        self.notes.path().join(name)
    }

    /// Dumps with a criu that is this shell script; `$6` is the process. Its check finds nothing.
    fn dump(&self, script: &str, time_max_s: u32) -> Dump {
        self.dump_and_check(&format!("test $1 = dump || exit 1\n{script}"), time_max_s)
    }

    /// The same with a script that is told by `$1` whether it is to dump or to check.
    fn dump_and_check(&self, script: &str, time_max_s: u32) -> Dump {
        let path = self.note("criu");
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{script}\n", self.notes.path().display()))
            .expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("to be run");
        self.dump_with(&path, time_max_s)
    }

    fn dump_with(&self, criu: &Path, time_max_s: u32) -> Dump {
        let criu = Criu { path: criu.display().to_string(), time_max_s };
        let dump = dump_of(Path::new(IOWQ), &criu, self.files.path(), IDLE_TIMEOUT);
        let left = fs::read_dir(self.files.path()).expect("the folder").count();
        assert_eq!(left, 0, "files are left after {dump:?}");
        assert_eq!(dump.dumped, dump.reason.is_empty(), "{dump:?}");
        let control = dump.control.as_ref().expect("a control");
        assert_eq!(control.dumped, control.reason.is_empty(), "{dump:?}");
        let late = dump.after_timeout.as_ref().expect("a dump after the idle timeout");
        assert_eq!(late.dumped, late.reason.is_empty(), "{dump:?}");
        assert_eq!(late.idle_timeout_ms, 8);
        dump
    }
}

fn skip(test: &str, reason: &str) {
    let line = format!("\nskipped: {test}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[test]
fn the_process_has_no_ring_pipe_or_terminal_when_criu_comes_and_is_gone_afterwards() {
    let Some(place) = Place::new_or_skip("the process has no ring") else { return };
    let script = "ls -l /proc/$6/fd >> files; cat /proc/$6/maps >> maps; echo $6 >> processes";
    let dump = place.dump(script, 60);
    assert!(dump.dumped && dump.took_ms > 0.0, "{dump:?}");
    let noted = |name| fs::read_to_string(place.note(name)).expect("a note");
    let (files, maps) = (noted("files"), noted("maps"));
    assert!(files.contains("/dev/null") && maps.contains("iowq"), "{files}\n{maps}");
    for keeps_criu_away in ["io_uring", "pipe:", "socket:", "/dev/pts", "/dev/tty"] {
        assert!(!files.contains(keeps_criu_away), "{files}");
        assert!(!maps.contains(keeps_criu_away), "{maps}");
    }
    let processes = noted("processes");
    assert_eq!(processes.lines().count(), 3, "{processes}");
    for process in processes.lines() {
        let process = PathBuf::from("/proc").join(process);
        assert!(!process.exists(), "{} outlived its dump", process.display());
    }
}

#[test]
fn a_process_without_a_ring_is_tried_before_two_that_are_the_same_otherwise() {
    let Some(place) = Place::new_or_skip("a process without a ring") else { return };
    let script = "tr '\\0' ' ' < /proc/$6/cmdline >> words; echo >> words\n\
                  ls -l /proc/$6/fd | wc -l >> files; test -e once || { touch once; exit 1; }";
    let dump = place.dump(script, 60);
    let control = dump.control.expect("a control");
    assert!(dump.dumped && !control.dumped, "{} and {control:?}", dump.reason);
    assert_eq!(control.reason, "criu ended with exit status: 1");
    let lines = |name| -> Vec<String> {
        let text = fs::read_to_string(place.note(name)).expect("a note");
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let (words, files) = (lines("words"), lines("files"));
    let rings: Vec<bool> = words.iter().map(|it| it.contains(r#""without_ring":false"#)).collect();
    assert_eq!(rings, [false, true, true], "{words:?}");
    assert_eq!((words.len(), files.len()), (3, 3), "{words:?} {files:?}");
    assert_eq!((&files[0], &files[0]), (&files[1], &files[2]), "open files");
}

#[test]
fn criu_looks_at_the_kernel_once_before_all_dumps_and_what_it_finds_does_not_matter() {
    let Some(place) = Place::new_or_skip("criu looks at the kernel") else { return };
    let dump = place.dump_and_check("echo $1 >> words; test $1 = dump", 60);
    assert!(dump.dumped && dump.control.as_ref().is_some_and(|control| control.dumped), "{dump:?}");
    let words = fs::read_to_string(place.note("words")).expect("a note");
    assert_eq!(words, "check\n--version\ndump\ndump\ndump\n");
}

#[test]
fn the_last_process_is_tried_when_its_workers_had_their_idle_timeout_and_the_others_before() {
    let Some(place) = Place::new_or_skip("the last process is tried late") else { return };
    // What is left of each by then: threads of the process, itself among them.
    let dump = place.dump("ls /proc/$6/task | wc -l >> threads", 60);
    let late = dump.after_timeout.expect("a dump after the idle timeout");
    let threads = fs::read_to_string(place.note("threads")).expect("a note");
    let threads: Vec<u32> = threads.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(threads.len(), 3, "{threads:?}");
    assert_eq!(threads[2], late.workers + 1, "{late:?}");
    // It says so itself, and cannot have waited for less than the margin.
    assert!(late.settled && late.dumped && late.waited_ms >= 500.0, "{late:?}");
    assert!(late.workers_at_close >= late.workers, "{late:?}");
}

#[test]
fn the_version_of_criu_is_kept_where_it_says_one() {
    let Some(place) = Place::new_or_skip("the version of criu") else { return };
    let dump = place.dump_and_check("test $1 = --version && echo 'Version: 4.2'; exit 0", 60);
    assert_eq!(dump.criu.as_deref(), Some("4.2"));
    assert_eq!(place.dump("exit 0", 60).criu, None);
}

#[test]
fn a_control_that_failed_says_whether_criu_had_its_chance() {
    let Some(place) = Place::new_or_skip("a control that failed") else { return };
    let failure = |dump: Dump| dump.control.expect("a control").failure();
    assert_eq!(failure(place.dump("exit 1", 60)), Some(ControlFailure::Criu));
    assert_eq!(failure(place.dump("exec sleep 1000", 0)), Some(ControlFailure::NotInTime));
    let never = place.dump_with(Path::new("/nowhere/criu"), 60);
    assert_eq!(failure(never), Some(ControlFailure::NotPrepared));
}

#[test]
fn a_criu_that_fails_is_quoted() {
    let Some(place) = Place::new_or_skip("a criu that fails") else { return };
    let dump = place.dump("echo '(00.1) Error (criu/x.c:1): No way' > \"$8/dump.log\"; exit 1", 60);
    assert_eq!(dump.reason, "No way");
}

#[test]
fn a_criu_that_does_not_end_is_given_up() {
    let Some(place) = Place::new_or_skip("a criu that does not end") else { return };
    let dump = place.dump("exec sleep 1000", 0);
    assert!(dump.reason.starts_with("not done after 0 s"), "{dump:?}");
}

#[test]
fn a_criu_that_is_not_there_is_named() {
    let Some(place) = Place::new_or_skip("a criu that is not there") else { return };
    let dump = place.dump_with(Path::new("/nowhere/criu"), 60);
    assert!(dump.reason.contains("cannot start /nowhere/criu"), "{dump:?}");
}

#[test]
fn a_process_that_fails_before_its_ring_is_closed_says_why() {
    let files = tempfile::tempdir().expect("a folder");
    let criu = Criu { path: "/nowhere/criu".to_owned(), time_max_s: 60 };
    let dump = dump_of(Path::new("/bin/false"), &criu, files.path(), IDLE_TIMEOUT);
    assert!(dump.reason.contains("ended with exit status: 1 before that"), "{dump:?}");
}

#[test]
fn the_real_criu_dumps_a_process_without_workers() {
    let test = "the real criu";
    let Some(place) = Place::new_or_skip(test) else { return };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let criu = std::env::split_paths(&path).map(|folder| folder.join("criu"));
    let Some(criu) = criu.into_iter().find(|criu| criu.is_file()) else {
        return skip(test, "there is no criu in PATH");
    };
    if !works(&criu) {
        return skip(test, "`criu check` says that criu does not work here");
    }
    let dump = place.dump_with(&criu, 120);
    let control = dump.control.clone().expect("a control");
    assert!(control.dumped, "{dump:?}");
    if dump.workers > 0 {
        return skip(test, &format!("this kernel keeps workers: {dump:?}"));
    }
    assert!(dump.dumped, "{dump:?}");
}

/// By criu's own check, which needs root.
fn works(criu: &Path) -> bool {
    let checked = std::process::Command::new(criu).arg("check").output();
    checked.is_ok_and(|output| output.status.success())
}
