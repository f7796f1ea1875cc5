//! The loads: floods of forced no-ops, which do nothing but go to io-wq and back, and `fsync-mix`.

use std::io::{Seek as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use io_uring::{IoUring, opcode, squeue};
use iowq_contract::{RunMessage, RunRequest, Variant, WantProbes};
use iowq_harness::workload;
use iowq_workloads::Length;
use rustix::thread::{CpuSet, sched_setaffinity};

/// No-ops in flight.
const DEPTH: u32 = 32;
/// Completions between two looks at the clock, at least.
const LOOK: u64 = 1024;

/// A load.
pub struct Load {
    pub name: &'static str,
    /// Processors that a flood may run on, 0 for all; none for `fsync-mix`.
    flood: Option<u32>,
}

/// All of them.
pub const ALL: [Load; 3] = [
    Load { name: "no-ops", flood: Some(0) },
    Load { name: "no-ops on one processor", flood: Some(1) },
    Load { name: "fsync-mix", flood: None },
];

impl Load {
    /// Carries it out in a process of its own. Returns ops per second.
    pub fn run(&self, seconds: u32, seed: u64) -> anyhow::Result<f64> {
        let Some(processors) = self.flood else { return fsync_mix(seconds, seed) };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--carry-out", &processors.to_string(), "--seconds", &seconds.to_string()]);
        let output = command.output().with_context(|| format!("{command:?}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().with_context(|| format!("{command:?}: {text}"))
    }
}

/// Forced no-ops from this thread for some seconds, each time as many as are done. Returns ops per
/// second.
pub fn flood(processors: u32, seconds: u32) -> anyhow::Result<f64> {
    if processors > 0 {
        let mut set = CpuSet::new();
        (0..processors as usize).for_each(|cpu| set.set(cpu));
        sched_setaffinity(None, &set)?;
    }
    let mut ring = IoUring::new(DEPTH)?;
    // One worker on one processor: more would take turns there and measure the scheduler.
    let mut limits = [processors, 0];
    ring.submitter().register_iowq_max_workers(&mut limits)?;
    let nop = opcode::Nop::new().build().flags(squeue::Flags::ASYNC);
    let (start, time) = (Instant::now(), Duration::from_secs(seconds.into()));
    let (mut done, mut in_flight, mut look) = (0, 0, 0);
    loop {
        for _ in in_flight..DEPTH {
            // SAFETY: the entry points to nothing.
            unsafe { ring.submission().push(&nop) }?;
        }
        ring.submit_and_wait(1)?;
        let completed = ring.completion().count() as u32;
        in_flight = DEPTH - completed;
        done += u64::from(completed);
        if done >= look {
            look = done + LOOK;
            let took = start.elapsed();
            if took >= time {
                return Ok(done as f64 / took.as_secs_f64());
            }
        }
    }
}

fn fsync_mix(seconds: u32, seed: u64) -> anyhow::Result<f64> {
    let mut plan = workload::load("fsync-mix")?;
    plan.length = Length::Time(Duration::from_secs(seconds.into()));
    let request =
        RunRequest { seed, probes: WantProbes::Off, ..RunRequest::new(plan, Variant::kernel()) };
    let mut file = tempfile::tempfile()?;
    file.write_all(&serde_json::to_vec(&request)?)?;
    file.rewind()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_iowq-measure"));
    let output = command.arg("run").stdin(file).output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut last = None;
    for line in lines {
        if let RunMessage::Record { record } = serde_json::from_slice(line)? {
            last = Some(record);
        }
    }
    let record = last.context("no record")?;
    Ok(record.ops.per_s)
}
