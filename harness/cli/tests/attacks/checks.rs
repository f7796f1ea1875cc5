//! What must hold whatever happened: of a process that ended, and of what it left.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use iowq_reports::render::page::PAGE_BYTES_MAX;

use crate::campaign::{FIGURES, count};
use crate::support::{PATIENCE, names};

/// The longest that is said on standard error.
const SAID_BYTES_MAX: usize = 8 << 10;

/// The name of the variable that all processes of a place inherit.
pub(crate) const MARK: &str = "IOWQ_ATTACK_PLACE";

/// Whether a character steers a terminal or turns the direction of what follows.
fn steers(letter: char) -> bool {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}');
    let isolates = matches!(letter, '\u{2066}'..='\u{2069}' | '\u{61c}');
    turns || isolates || (letter.is_control() && !matches!(letter, '\n' | '\t'))
}

/// Nothing in a text steers a terminal.
pub(crate) fn is_plain(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found: Vec<char> = text.chars().filter(|letter| steers(*letter)).collect();
    count(&FIGURES.control_bytes, found.len());
    assert!(found.is_empty(), "{what} has {found:?}");
}

/// A process ended as commands do: by itself, with a known code, and with messages that can be read.
pub(crate) fn ended_well(what: &str, output: &Output) {
    count(&FIGURES.calls, 1);
    let said = String::from_utf8_lossy(&output.stderr);
    let panicked = said.contains("panicked at");
    count(&FIGURES.panics, usize::from(panicked));
    assert!(!panicked, "{what}: {said}");
    let code = output.status.code();
    assert!(code.is_some_and(|code| (0..=3).contains(&code)), "{what}: {}", output.status);
    is_plain(&format!("{what}: standard output"), &output.stdout);
    is_plain(&format!("{what}: standard error"), &output.stderr);
    assert!(said.len() < SAID_BYTES_MAX, "{what}: {} bytes were said", said.len());
    let silent = said.trim().is_empty() && output.stdout.is_empty();
    assert!(code != Some(2) || !silent, "{what}: trouble without a word");
}

/// Files that were written for people are plain, and pages are not too large.
pub(crate) fn files_are_well(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let bytes = fs::read(&path).expect("a file");
        let name = path.display().to_string();
        is_plain(&name, &bytes);
        assert!(bytes.len() <= PAGE_BYTES_MAX || !name.ends_with(".html"), "{name} is too large");
    }
    no_temporaries(folder);
}

/// Nothing that is not finished is in a folder.
pub(crate) fn no_temporaries(folder: &Path) {
    let left = names(folder);
    let left: Vec<_> = left.iter().filter(|name| name.starts_with(".iowq-")).collect();
    count(&FIGURES.files_left, left.len());
    assert!(left.is_empty(), "{} has {left:?}", folder.display());
}

/// A folder has nothing in it.
pub(crate) fn is_empty(what: &str, folder: &Path) {
    let left = names(folder);
    count(&FIGURES.files_left, left.len());
    assert!(left.is_empty(), "{what}: {} has {left:?}", folder.display());
}

/// Processes that were started in a place and have not ended.
fn processes(home: &Path) -> Vec<u32> {
    let mark = [MARK.as_bytes(), b"=", home.as_os_str().as_bytes()].concat();
    let entries = fs::read_dir("/proc").expect("proc is mounted");
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_of_home = |pid: &u32| {
        let variables = fs::read(PathBuf::from(format!("/proc/{pid}/environ")));
        variables.is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == mark))
    };
    pids.filter(is_of_home).collect()
}

/// All processes of a place end. A second is enough on a machine that has nothing else to do.
pub(crate) fn processes_end(home: &Path) {
    let start = Instant::now();
    loop {
        let left = processes(home);
        let waited = start.elapsed();
        if left.is_empty() {
            count(&FIGURES.processes_late, usize::from(waited > Duration::from_secs(1)));
            return;
        }
        if waited > PATIENCE / 6 {
            count(&FIGURES.processes_left, left.len());
            panic!("processes {left:?} are left");
        }
        std::thread::yield_now();
    }
}
