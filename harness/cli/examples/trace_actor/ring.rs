//! A ring whose requests are written down as they are submitted.

use std::ffi::CString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use io_uring::{IoUring, opcode, squeue, types};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::report::Done;

/// Long enough for anything that is going to happen at all.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A ring.
pub(super) struct Ring(pub(super) IoUring);

impl Ring {
    pub(super) fn open(entries: u32, done: &mut Done) -> anyhow::Result<Ring> {
        let ring = IoUring::new(entries).context("io_uring_setup")?;
        done.rings += 1;
        Ok(Ring(ring))
    }

    /// Submits a request that is forced to a worker. What it points to has to outlive it.
    pub(super) fn force(
        &mut self,
        done: &mut Done,
        name: &str,
        entry: squeue::Entry,
    ) -> anyhow::Result<()> {
        let entry = entry.flags(squeue::Flags::ASYNC);
        // SAFETY: callers wait for completions before they release what is pointed to, or end.
        unsafe { self.0.submission().push(&entry) }.context("the ring is full")?;
        self.0.submit().context("io_uring_enter")?;
        let op = done.ops.entry(name.to_owned()).or_default();
        (op.submitted, op.forced) = (op.submitted + 1, op.forced + 1);
        Ok(())
    }

    /// Waits for this many completions, and returns all results there are.
    pub(super) fn wait(&mut self, count: usize) -> anyhow::Result<Vec<i32>> {
        self.0.submit_and_wait(count).context("io_uring_enter")?;
        Ok(self.0.completion().map(|completion| completion.result()).collect())
    }

    /// Forced requests that do nothing, one after the other.
    pub(super) fn nops(&mut self, done: &mut Done, count: u64) -> anyhow::Result<()> {
        for _ in 0..count {
            self.force(done, "NOP", opcode::Nop::new().build())?;
            ensure!(self.wait(1)? == [0], "a NOP fails");
        }
        Ok(())
    }
}

/// A FIFO: opening it for reading blocks until it is opened for writing.
pub(super) struct Gate {
    path: PathBuf,
    name: CString,
}

impl Gate {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Gate> {
        let path = folder.join(format!("gate-{}", std::process::id()));
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        let name = CString::new(path.as_os_str().as_bytes())?;
        Ok(Gate { path, name })
    }

    /// Forced opens, and returns when each holds a worker.
    pub(super) fn hold(&self, ring: &mut Ring, done: &mut Done, opens: u64) -> anyhow::Result<()> {
        for _ in 0..opens {
            let open = opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), self.name.as_ptr());
            ring.force(done, "OPENAT", open.build())?;
        }
        until("each open holds a worker", || done.look() as u64 >= opens)
    }

    /// Lets them go on.
    pub(super) fn open(&self) -> anyhow::Result<File> {
        File::options().write(true).open(&self.path).context("the other end")
    }
}

/// Returns when something is so.
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so() {
        ensure!(began.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::yield_now();
    }
    Ok(())
}
