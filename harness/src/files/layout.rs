//! Laying out: what is in a file before the first op.

use std::os::fd::AsFd;

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

/// Brings a new file into the state that the plan has for it, and that to the device.
pub(super) fn lay_out(
    new: impl AsFd,
    plan: &Plan,
    file: u32,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let bytes = plan.file_blocks * u64::from(plan.block_bytes);
    let before = bytes * u64::from(file);
    let all = bytes * u64::from(plan.files);
    let mut tell = |done| tell(Step::Laying, before + done, all);
    match plan.state.get(file as usize).copied().unwrap_or(FileState::Allocated) {
        // A read beyond the end of a file reads nothing.
        FileState::Fresh if plan.kinds().any(|kind| kind == OpKind::Read) => {
            io::truncate(&new, bytes)?;
        }
        FileState::Fresh => {}
        FileState::Allocated => reserve(&new, bytes, &mut tell)?,
        FileState::Written => {
            write(&new, bytes, &mut tell, |chunk, data| block::fill(data, SEED, file, chunk, 0))?;
        }
    }
    io::fsync(&new)?;
    if !plan.cached {
        // What was just written would be read from memory. If that is refused, as on tmpfs,
        // memory is all there is.
        let _ = cache::drop_clean(&new);
    }
    tell(bytes);
    Ok(())
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
    let mut data = vec![0; HEADER_BYTES + CHUNK_BYTES];
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
