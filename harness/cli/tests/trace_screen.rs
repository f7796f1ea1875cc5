//! The screen of `iowq trace` on a real terminal: tmux is the terminal and the reader.

#[path = "../../tests/probes_support/start.rs"]
mod start;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use iowq_harness::probes::BpfOptions;
use rustix::process::{Pid, Signal, kill_process};
use start::{skip, start_or_skip};

const IOWQ: &str = env!("CARGO_BIN_EXE_iowq");
/// Long enough for anything that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux of its own, which ends with this.
struct Tmux(String);

impl Tmux {
    /// A terminal in which this shell script runs; none, aloud, if there is no tmux or no probes.
    fn start_or_skip(test: &str, script: &str) -> Option<Tmux> {
        drop(start_or_skip(test, &BpfOptions::default())?);
        if Command::new("tmux").arg("-V").output().is_err() {
            skip(test, "there is no tmux");
            return None;
        }
        let tmux = Tmux(format!("iowq-test-{test}-{}", std::process::id()));
        // The terminal stays when the script is over.
        let script = format!("{script}; cat");
        let size = ["-x", "80", "-y", "24"];
        let made = tmux.call(&[&["new-session", "-d"], &size[..], &[script.as_str()]].concat());
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(tmux)
    }

    fn call(&self, words: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        tmux.env_remove("TMUX").args(["-u", "-f", "/dev/null", "-L", &self.0]).args(words);
        tmux.output().expect("tmux can be started")
    }

    fn resize(&self, columns: &str, lines: &str) {
        assert!(self.call(&["resize-window", "-x", columns, "-y", lines]).status.success());
    }

    fn press(&self, key: &str) {
        assert!(self.call(&["send-keys", key]).status.success());
    }

    /// What the terminal shows once this is on it.
    fn until(&self, text: &str) -> String {
        self.shows(|shown| shown.contains(text), &format!("no {text}"))
    }

    /// What the terminal shows once this is not on it.
    fn until_without(&self, text: &str) -> String {
        self.shows(|shown| !shown.contains(text), text)
    }

    fn shows(&self, is_it: impl Fn(&str) -> bool, complaint: &str) -> String {
        let began = Instant::now();
        loop {
            let shown = self.call(&["capture-pane", "-p"]).stdout;
            let shown = String::from_utf8_lossy(&shown).into_owned();
            if is_it(&shown) {
                return shown;
            }
            assert!(began.elapsed() < PATIENCE, "{complaint} in\n{shown}");
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.call(&["kill-server"]);
    }
}

#[test]
fn keys_lead_through_the_screen_and_q_leaves_a_summary_on_a_terminal_as_it_was() {
    let script = format!("{IOWQ} trace --pid 1; stty -a | grep -o ' icanon'; echo over");
    let Some(tmux) = Tmux::start_or_skip("keys", &script) else { return };
    let shown = tmux.until("? help");
    assert!(shown.starts_with("iowq trace  process 1  Linux "), "{shown}");
    tmux.press("?");
    tmux.until("columns, of the last interval");
    tmux.press("Escape");
    tmux.until("no process uses an io_uring");
    tmux.press("q");
    let shown = tmux.until("\nover");
    assert!(shown.starts_with("process 1 for "), "{shown}");
    assert!(shown.contains("\n icanon\n") && !shown.contains("q quit"), "{shown}");
}

#[test]
fn a_signal_ends_the_screen_as_q_does() {
    // The shell becomes the trace, so that its number is known.
    let script = format!("sh -c 'echo $$ >&3; exec {IOWQ} trace --pid 1'");
    let folder = tempfile::tempdir().expect("a folder");
    let number = folder.path().join("pid");
    let script = format!("{script} 3>{}; echo status $?", number.display());
    let Some(tmux) = Tmux::start_or_skip("signal", &script) else { return };
    tmux.until("? help");
    let pid = std::fs::read_to_string(number).expect("its number");
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a number");
    kill_process(pid, Signal::TERM).expect("it is there");
    let shown = tmux.until("status 0");
    assert!(shown.contains("process 1 for ") && !shown.contains("q quit"), "{shown}");
}

#[test]
fn the_screen_has_the_size_that_its_terminal_has_now_however_small() {
    let script = format!("{IOWQ} trace --pid 1; echo status $?");
    let Some(tmux) = Tmux::start_or_skip("resized", &script) else { return };
    tmux.until("? help");
    for (columns, lines) in [("20", "4"), ("2", "2")] {
        tmux.resize(columns, lines);
        tmux.until_without("? help");
    }
    tmux.resize("120", "30");
    tmux.until("? help");
    tmux.press("q");
    tmux.until("status 0");
}

#[test]
fn a_terminal_that_is_closed_ends_the_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let number = folder.path().join("pid");
    let script = format!("sh -c 'echo $$ >&3; exec {IOWQ} trace --pid 1' 3>{}", number.display());
    let Some(tmux) = Tmux::start_or_skip("closed", &script) else { return };
    tmux.until("? help");
    let pid = std::fs::read_to_string(number).expect("its number");
    drop(tmux);
    let began = Instant::now();
    while std::fs::exists(format!("/proc/{}", pid.trim())).expect("/proc") {
        assert!(began.elapsed() < PATIENCE, "it goes on");
    }
}

#[test]
fn plain_prints_no_screen_on_a_terminal() {
    let script = format!("{IOWQ} trace --plain -- true; echo over");
    let Some(tmux) = Tmux::start_or_skip("plain", &script) else { return };
    let shown = tmux.until("\nover");
    assert!(shown.starts_with("true for ") && !shown.contains("q quit"), "{shown}");
}
