//! Processes under test: started, listened to, and looked up in /proc.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{PATIENCE, Place};

/// A process whose lines on standard error can be waited for. It is killed where a test gives up.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it in a process group of its own, as a shell does.
    pub(crate) fn start(command: &mut Command) -> Running {
        let command = command.stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("a process");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // A test that has seen enough does not listen any more.
                let _ = sender.send(line);
            }
        });
        Running { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it says.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    /// What it said from now on until its end, and how it ended.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let deadline = deadline();
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline - Instant::now()) {
            lines.push(line);
        }
        (self.child.wait().expect("its end"), lines)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.id(), signal);
    }
}

/// Sends a signal to all processes of a group, as a terminal does.
pub(crate) fn send_to_group(leader: u32, signal: Signal) {
    let leader = Pid::from_raw(leader.cast_signed()).expect("a process");
    kill_process_group(leader, signal).expect("it is there");
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that is known to be there still.
pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process");
    kill_process(pid, signal).expect("it is there");
}

/// Processes that this one started and that have not ended.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("proc is mounted");
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| parent_of(pid) == Some(parent)).collect()
}

/// The parent of a process that has not ended.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, also spaces and brackets.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    if state == "Z" { None } else { fields.next()?.parse().ok() }
}

/// The process of a run of this workload, once its files are there.
pub(crate) fn wait_for_run(place: &Place, bench: &Running, workload: &str) -> u32 {
    let folder = place.dir().join(format!("iowq-{}-0", bench.id()));
    let name = workload.trim_end_matches(".toml");
    let is_it = |cell: &u32| {
        let arguments = fs::read_to_string(format!("/proc/{cell}/cmdline")).unwrap_or_default();
        arguments.split('\0').any(|argument| argument.starts_with(&format!("{name} ")))
            && folder.join(format!("iowq-{cell}-0/file-0")).exists()
    };
    wait_until(&format!("a run of {workload}"), || children(bench.id()).into_iter().find(is_it))
}

/// Whether a process has not ended.
pub(crate) fn is_alive(pid: u32) -> bool {
    parent_of(pid).is_some()
}

fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// Looks until there is something to see.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = deadline();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
    }
}
