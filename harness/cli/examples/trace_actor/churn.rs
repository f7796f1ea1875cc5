//! As many rings and processes as the machine has time for.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use io_uring::{IoUring, opcode, squeue};
use serde_json::json;

use super::{Task, stay};

/// Forced requests of each ring, at one time.
const NOPS: u32 = 4;
/// Processes at one time.
const PROCESSES: u64 = 2;

/// Processes, two at a time, that open and close rings and end. Says how many of each there were.
pub(super) fn churn(task: &Task) -> anyhow::Result<()> {
    let (time, rings) = (Duration::from_secs(task.number(0)?), task.number(1)?);
    let began = Instant::now();
    let forks = forks()?;
    let (mut started, mut ended) = (0, 0);
    while began.elapsed() < time || ended < started {
        if began.elapsed() < time && started < ended + PROCESSES {
            start(rings)?;
            started += 1;
            continue;
        }
        let mut status = 0;
        // SAFETY: the status is an integer of this function.
        let pid = unsafe { libc::wait(&raw mut status) };
        ensure!(pid > 0 && status == 0, "a child fails: status {status:#x}");
        ended += 1;
    }
    let did = json!({
        "processes": ended,
        "rings": ended * rings,
        "nops": ended * rings * u64::from(NOPS),
        // All that the machine forked meanwhile: these processes, their workers, and others.
        "forks": self::forks()? - forks,
        "seconds": began.elapsed().as_secs_f64(),
    });
    fs::write(task.folder.join("report.json"), did.to_string())?;
    stay()
}

fn start(rings: u64) -> anyhow::Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { libc::fork() } {
        0 => {
            let failed = (0..rings).try_for_each(|_| ring()).is_err();
            // SAFETY: ends the child without what its parent would do at its end.
            unsafe { libc::_exit(failed.into()) }
        }
        pid => {
            ensure!(pid > 0, "cannot fork");
            Ok(())
        }
    }
}

fn ring() -> anyhow::Result<()> {
    let mut ring = IoUring::new(NOPS)?;
    let nop = opcode::Nop::new().build().flags(squeue::Flags::ASYNC);
    for _ in 0..NOPS {
        // SAFETY: it points to nothing.
        unsafe { ring.submission().push(&nop) }?;
    }
    ring.submit_and_wait(NOPS as usize)?;
    ensure!(ring.completion().count() == NOPS as usize, "a completion is missing");
    Ok(())
}

/// Threads and processes that were created since the machine started.
fn forks() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/stat")?;
    let count = text.lines().find_map(|line| line.strip_prefix("processes "));
    count.context("/proc/stat has no count of processes")?.trim().parse().context("a number")
}
