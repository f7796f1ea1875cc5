//! Tasks: what one op of the benchmark does, alike for every contender.

use std::fs::OpenOptions;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;
use iowq_harness::io;
use serde::{Deserialize, Serialize};

/// Bytes of a write.
pub const BLOCK_BYTES: usize = 4096;
/// Blocks of a file.
const BLOCKS: u64 = 256;
/// Ops per fsync, in a mix.
const FSYNC_EVERY: u64 = 8;
/// Files of a mix.
const MIX_FILES: usize = 4;

static BLOCK: [u8; BLOCK_BYTES] = [0x5a; BLOCK_BYTES];

/// A stream of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
pub enum Work {
    /// No-ops: dispatch alone.
    Nop,
    /// Writes to one file: one hashed run after the other.
    Hashed,
    /// Writes to four files, one op in eight an fsync.
    Mix,
}

impl Work {
    /// The name, as in tables and records.
    pub fn name(self) -> &'static str {
        match self {
            Work::Nop => "nop",
            Work::Hashed => "hashed",
            Work::Mix => "mix",
        }
    }
}

/// What a worker carries out.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Nothing.
    Nop,
    /// A write of one block to this file at this offset.
    Write(RawFd, u64),
    /// fsync(2) of this file.
    Fsync(RawFd),
}

impl Task {
    /// Carries it out.
    pub fn run(self) {
        // SAFETY: the files of a `Stream` are open until its contender has ended.
        let file = |fd| unsafe { BorrowedFd::borrow_raw(fd) };
        let done = match self {
            Task::Nop => Ok(()),
            Task::Write(fd, at) => io::pwrite(file(fd), &BLOCK, at),
            Task::Fsync(fd) => io::fsync(file(fd)).map_err(Into::into),
        };
        if let Err(error) = done {
            panic!("{self:?} failed: {error:?}");
        }
    }

    /// The block that a write writes.
    pub fn block() -> &'static [u8] {
        &BLOCK
    }
}

/// The endless sequence of tasks, with the files that they work on.
pub struct Stream {
    work: Work,
    files: Vec<OwnedFd>,
    next: u64,
}

impl Stream {
    /// Makes the files, written once so that no write allocates, in a folder. They have no name
    /// any more, so that none is left behind.
    pub fn new(work: Work, dir: &Path) -> anyhow::Result<Stream> {
        let files = match work {
            Work::Nop => 0,
            Work::Hashed => 1,
            Work::Mix => MIX_FILES,
        };
        let files =
            (0..files).map(|number| laid_out(dir, number)).collect::<anyhow::Result<_>>()?;
        Ok(Stream { work, files, next: 0 })
    }

    /// The next task.
    pub fn next(&mut self) -> Task {
        let number = self.next;
        self.next += 1;
        if self.work == Work::Nop {
            return Task::Nop;
        }
        let files = self.files.len() as u64;
        let file = self.files[(number % files) as usize].as_raw_fd();
        if self.work == Work::Mix && (number / files).is_multiple_of(FSYNC_EVERY) {
            return Task::Fsync(file);
        }
        Task::Write(file, (number / files) % BLOCKS * BLOCK_BYTES as u64)
    }
}

fn laid_out(dir: &Path, number: usize) -> anyhow::Result<OwnedFd> {
    let path = dir.join(format!("peers-{}-{number}", std::process::id()));
    let open = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
    let file = OwnedFd::from(open.with_context(|| format!("cannot create {}", path.display()))?);
    std::fs::remove_file(&path)?;
    for block in 0..BLOCKS {
        io::pwrite(&file, &BLOCK, block * BLOCK_BYTES as u64)
            .map_err(|error| anyhow::anyhow!("cannot write {}: {error:?}", path.display()))?;
    }
    io::fsync(&file)?;
    Ok(file)
}
