//! bpftrace with a script that writes down of this process what the probes do.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// A line per birth, name and exit, and a histogram of requests.
pub const LIVES_AND_REQUESTS: &str = r#"
tracepoint:task:task_newtask /pid == $1/ { printf("%llu %d %s\n", nsecs, args->pid, args->comm); }
tracepoint:task:task_rename /pid == $1/ { printf("%llu %d %s\n", nsecs, args->pid, args->newcomm); }
tracepoint:sched:sched_process_exit /pid == $1/ { printf("%llu %d %s\n", nsecs, args->pid, args->comm); }
tracepoint:io_uring:io_uring_queue_async_work /pid == $1/ { @at[args->user_data] = nsecs; }
tracepoint:io_uring:io_uring_complete /pid == $1 && @at[args->user_data]/ {
    @time_ns = hist(nsecs - @at[args->user_data]);
    delete(@at[args->user_data]);
}
interval:ms:500 { printf("ready\n"); }
"#;

/// A count of switches by thread.
pub const SWITCHES: &str = r#"
tracepoint:sched:sched_switch /pid == $1/ { @outs[args->prev_pid] = count(); }
interval:ms:500 { printf("ready\n"); }
"#;

/// A script at work.
pub struct Script(Child);

impl Script {
    /// Whether bpftrace is installed; says so if not.
    pub fn is_here() -> bool {
        let is_here = Command::new("bpftrace").arg("--version").output().is_ok();
        if !is_here {
            println!("bpftrace is not installed, and is left out");
        }
        is_here
    }

    /// Starts it, and waits until it is at work.
    pub fn start(script: &str) -> anyhow::Result<Script> {
        let mut command = Command::new("bpftrace");
        command.args(["-e", script]).arg(std::process::id().to_string());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("bpftrace")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        anyhow::ensure!(ready, "bpftrace ended before it was ready; this takes root");
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Script(child))
    }

    /// Ends it as ^C does, and waits for its end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        // Again and again, as it may miss the first.
        while self.0.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.0), Signal::INT)?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}
