//! Laying out: what is in a file before the first op.

use std::os::fd::{AsFd, OwnedFd};

use iowq_contract::Step;
use iowq_workloads::{FileState, OpKind, Plan, block};
use rustix::io::Errno;

use super::{Tell, cache};
use crate::io::{self, Failure};

/// Bytes written at once: few calls, and requests of the size that disks like best.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Bytes after which what was written is brought to the device: a process that waits for that cannot
/// be ended, and a large memory may hold what takes minutes.
const SYNC_BYTES: u64 = 16 << 20;

/// Bytes at the start of a chunk that are not written: they would look like a block of a run.
const HEADER_BYTES: usize = 4096;

/// The seed of what is written, which is compared with nothing. Any bytes do that no device can
/// leave out or make smaller, as zeros.
const SEED: u64 = u64::MAX;

/// Files that are brought to the device one by one. Of more, each of which would wait for the journal
/// of the file system, as many as this go at once.
const BATCH_FILES: u32 = 512;

/// Bytes of many files that go at once.
const BATCH_BYTES: u64 = 256 << 20;

/// Files being laid out in a folder.
pub(super) struct Layout<'a> {
    plan: &'a Plan,
    folder: &'a OwnedFd,
    /// What is not on the device yet.
    waiting_files: u32,
    waiting_bytes: u64,
}

impl<'a> Layout<'a> {
    /// Of the files of a plan, in that folder.
    pub(super) fn new(plan: &'a Plan, folder: &'a OwnedFd) -> Layout<'a> {
        Layout { plan, folder, waiting_files: 0, waiting_bytes: 0 }
    }

    /// Brings a new file into the state that the plan has for it, and that to the device, at once or
    /// with the next ones.
    pub(super) fn lay_out(
        &mut self,
        new: &OwnedFd,
        file: u32,
        tell: Tell<'_>,
    ) -> Result<(), Failure> {
        let bytes = self.plan.file_blocks * u64::from(self.plan.block_bytes);
        let before = bytes * u64::from(file);
        let all = bytes * u64::from(self.plan.files);
        let mut tell = |done| tell(Step::Laying, before + done, all);
        fill(new, self.plan, file, bytes, &mut tell)?;
        if one_by_one(self.plan) {
            io::fsync(new)?;
            if !self.plan.cached {
                // What was just written would be read from memory. If that is refused, as on tmpfs,
                // memory is all there is.
                let _ = cache::drop_clean(new);
            }
        } else {
            self.waiting_files += 1;
            self.waiting_bytes += bytes;
            if self.waiting_files >= BATCH_FILES || self.waiting_bytes >= BATCH_BYTES {
                io::sync_file_system(self.folder)?;
                (self.waiting_files, self.waiting_bytes) = (0, 0);
            }
        }
        tell(bytes);
        Ok(())
    }

    /// Brings what is left to the device, the names among it.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if self.waiting_files > 0 {
            io::sync_file_system(self.folder)?;
        }
        Ok(io::fsync(self.folder)?)
    }
}

fn one_by_one(plan: &Plan) -> bool {
    plan.files <= BATCH_FILES
}

/// Drops what laying out many files left in the page cache, unless it is to be there.
pub(super) fn leave_cache(plan: &Plan, files: &[OwnedFd]) {
    if !one_by_one(plan) && !plan.cached {
        for file in files {
            let _ = cache::drop_clean(file);
        }
    }
}

/// Gives a new file the contents that it has before the first op.
fn fill(
    new: impl AsFd,
    plan: &Plan,
    file: u32,
    bytes: u64,
    tell: &mut dyn FnMut(u64),
) -> Result<(), Failure> {
    match plan.state.get(file as usize).copied().unwrap_or(FileState::Allocated) {
        // A read beyond the end of a file reads nothing.
        FileState::Fresh if plan.kinds().any(|kind| kind == OpKind::Read) => {
            Ok(io::truncate(&new, bytes)?)
        }
        FileState::Fresh => Ok(()),
        FileState::Allocated => reserve(&new, bytes, tell),
        FileState::Written => {
            write(&new, bytes, tell, |chunk, data| block::fill(data, SEED, file, chunk, 0))
        }
    }
}

/// Gives a new file its full size with space behind it, by writing zeros if the file system
/// cannot reserve.
fn reserve(file: impl AsFd, bytes: u64, tell: &mut dyn FnMut(u64)) -> Result<(), Failure> {
    if try_reserve(&file, bytes)? { Ok(()) } else { write(file, bytes, tell, |_, _| {}) }
}

/// The same, unless the file system cannot reserve: then the file stays empty, and the answer is no.
pub(super) fn try_reserve(file: impl AsFd, bytes: u64) -> Result<bool, Errno> {
    match io::fallocate(&file, 0, bytes) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Writes `bytes` bytes, made by `fill` from the number of each chunk.
fn write(
    file: impl AsFd,
    bytes: u64,
    tell: &mut dyn FnMut(u64),
    fill: impl Fn(u64, &mut [u8]),
) -> Result<(), Failure> {
    let chunk_bytes = usize::try_from(bytes).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
    let mut data = vec![0; HEADER_BYTES + chunk_bytes];
    let mut offset = 0;
    while offset < bytes {
        fill(offset / CHUNK_BYTES as u64, &mut data);
        let rest = usize::try_from(bytes - offset).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        io::pwrite(&file, &data[HEADER_BYTES..HEADER_BYTES + rest], offset)?;
        offset += rest as u64;
        if offset.is_multiple_of(SYNC_BYTES) {
            io::fdatasync(&file)?;
        }
        tell(offset);
    }
    Ok(())
}
