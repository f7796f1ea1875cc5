//! What watches a load: nothing, `iowq trace`, or bpftrace.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// A script that counts what a trace counts: submissions and queueings by process and opcode, and
/// times by both. It has no events of workers, no files and no accounts.
const SCRIPT: &str = r#"
BEGIN { printf("ready\n"); }
tracepoint:io_uring:io_uring_submit_req { @submitted[pid, args->opcode] = count(); }
tracepoint:io_uring:io_uring_queue_async_work {
    @queued[pid, args->opcode, args->rw] = count();
    @at[args->req] = nsecs;
    @op[args->req] = args->opcode;
}
tracepoint:io_uring:io_uring_complete /@at[args->req]/ {
    @time[@op[args->req]] = hist(nsecs - @at[args->req]);
    delete(@at[args->req]);
    delete(@op[args->req]);
}
"#;

/// A watch.
pub struct Watch {
    pub name: &'static str,
    program: Option<&'static str>,
    arguments: &'static [&'static str],
    /// How the line begins that it prints when it is at work.
    ready: &'static str,
}

/// All of them. The first is what the others are held against.
pub const ALL: [Watch; 3] = [
    Watch { name: "none", program: None, arguments: &[], ready: "" },
    Watch {
        name: "iowq trace",
        program: Some(env!("CARGO_BIN_EXE_iowq")),
        arguments: &["trace", "--format", "json"],
        ready: "{",
    },
    Watch {
        name: "bpftrace",
        program: Some("bpftrace"),
        arguments: &["-e", SCRIPT],
        ready: "ready",
    },
];

/// A watch at work.
pub struct Watching(Option<Child>);

impl Watch {
    /// Whether it is installed; says so if not.
    pub fn is_here(&self) -> bool {
        let Some(program) = self.program else { return true };
        let here = Command::new(program).arg("--version").output().is_ok();
        if !here {
            println!("skipped: {}: {program} is not installed", self.name);
        }
        here
    }

    /// Starts it, and waits until it is at work.
    pub fn start(&self) -> anyhow::Result<Watching> {
        let Some(program) = self.program else { return Ok(Watching(None)) };
        let mut command = Command::new(program);
        command.args(self.arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().context(program)?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.starts_with(self.ready));
        anyhow::ensure!(ready, "{program} ended before it was ready; this takes root");
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Watching(Some(child)))
    }
}

impl Watching {
    /// Ends it as ^C does, and waits for its end.
    pub fn stop(self) -> anyhow::Result<()> {
        let Some(mut child) = self.0 else { return Ok(()) };
        // Again and again, as bpftrace may miss the first.
        while child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&child), Signal::INT)?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}
