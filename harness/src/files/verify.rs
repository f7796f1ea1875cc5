//! The final check: what was promised to be on the device does not wait in the page cache, and every
//! block whose contents are known is read back from the device and compared.
//!
//! What it shows: an fsync that left dirty what it covers (on kernels that tell, see
//! `written_back`), and any block that the device gives back otherwise than it was written. What it
//! does not: which of the other blocks would have been there without it, because a direct read has
//! the kernel write dirty pages back first; nor whether the device keeps its data without power.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

use iowq_contract::Step;
use iowq_workloads::block::{Damage, read_number};
use iowq_workloads::{Expect, Ledger, Plan};
use rustix::io::Errno;

use super::reader::{Reader, Source};
use super::{Tell, written_back};
use crate::io::{self, Failure};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{spawn_scoped, thread};

/// Bytes read at once at most, or one block if it has more: as many as a disk takes in one
/// request.
const READ_BYTES: u32 = 1024 * 1024;

/// What was found to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Blocks that were compared.
    pub blocks: u64,
    /// Where all of them were read from, or the lesser source if they differ.
    pub from: Source,
    /// Bytes, in parts of files, that were promised to be on the device, and of which none waited in
    /// the page cache; none if this cannot be seen.
    pub written_back_bytes: Option<u64>,
}

impl Verified {
    /// Together with what was found of other files.
    #[must_use]
    pub fn and(self, other: Verified) -> Verified {
        Verified {
            blocks: self.blocks + other.blocks,
            // What nothing was read from says nothing.
            from: if other.from == Source::PageCache { other.from } else { self.from },
            written_back_bytes: self
                .written_back_bytes
                .zip(other.written_back_bytes)
                .map(|(one, other)| one + other),
        }
    }
}

/// The first block that is not as it must be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A file could not be opened again.
    #[error("verify: {}: cannot open it: {}", path.display(), Failure::Errno(*errno))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// What a completed fsync covers is not on the device.
    #[error(
        "verify: {}: {pages} pages of blocks {first} to {last} wait in the page cache, though all \
         that was written there is covered by an fsync that is done, or by O_DSYNC or O_SYNC",
        path.display()
    )]
    Waiting {
        /// The file.
        path: PathBuf,
        /// The first block of the part that was checked.
        first: u64,
        /// Its last block.
        last: u64,
        /// Pages of it that are dirty or being written back.
        pages: u64,
    },
    /// A block could not be read.
    #[error("verify: {}: cannot read block {block}: {failure}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Which block.
        block: u64,
        /// Why.
        failure: Failure,
    },
    /// A block holds something that no op wrote there.
    #[error("verify: {}: block {block} {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which block.
        block: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A block holds what another op wrote than the one that was last.
    #[error(
        "verify: {}: block {block} holds what op {found} wrote, and the last was op {first}{}",
        path.display(),
        or_up_to(*first, *last)
    )]
    WrongOp {
        /// The file.
        path: PathBuf,
        /// Which block.
        block: u64,
        /// The op whose data is there.
        found: u64,
        /// The first op that could have been the last to write it.
        first: u64,
        /// The last of those.
        last: u64,
    },
}

fn or_up_to(first: u64, last: u64) -> String {
    if first == last { String::new() } else { format!(" or one after it up to op {last}") }
}

/// Checks the files at those paths, in the plan's order.
pub(super) fn verify(
    paths: &[PathBuf],
    plan: &Plan,
    seed: u64,
    ledger: &Ledger,
    tell: Tell<'_>,
) -> Result<Verified, VerifyError> {
    let mut verified = Verified {
        blocks: 0,
        from: Source::Device,
        written_back_bytes: written_back(paths, plan, ledger)?,
    };
    let (next, done) = (AtomicU32::new(0), AtomicU64::new(0));
    let check = Check { paths, plan, seed, ledger, next, done_blocks: done };
    // The disk works for one while the other compares.
    let mut found = thread::scope(|scope| {
        let other =
            (plan.files > 1).then(|| spawn_scoped(scope, || check.files(&mut |_, _, _| {})));
        let mut found = check.files(tell);
        if let Some(Ok(other)) = other {
            found.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        found
    });
    found.sort_unstable_by_key(|(file, _)| *file);
    for (_, found) in found {
        let (blocks, from) = found?;
        verified.blocks += blocks;
        verified.from = verified.from.max(from);
    }
    Ok(verified)
}

/// Bytes of all files that were promised to be on the device and are. All files are checked before
/// the first is read, so that the kernel has less time to write back by itself.
fn written_back(
    paths: &[PathBuf],
    plan: &Plan,
    ledger: &Ledger,
) -> Result<Option<u64>, VerifyError> {
    let folder = paths.first().and_then(|path| path.parent());
    if !folder.is_some_and(written_back::can_tell) {
        return Ok(None);
    }
    let mut all = None;
    for (file, path) in (0..plan.files).zip(paths) {
        let open = open(path)?;
        let bytes = written_back::check(&open, plan, file, ledger).map_err(|waiting| {
            let written_back::Waiting { first_block, last_block, pages } = waiting;
            VerifyError::Waiting { path: path.clone(), first: first_block, last: last_block, pages }
        })?;
        all = bytes.map_or(all, |bytes| Some(all.unwrap_or(0) + bytes));
    }
    Ok(all)
}

fn open(path: &Path) -> Result<OwnedFd, VerifyError> {
    io::open_to_read(path).map_err(|errno| VerifyError::Open { path: path.to_owned(), errno })
}

/// What blocks are compared with, and how far that is.
struct Check<'a> {
    paths: &'a [PathBuf],
    plan: &'a Plan,
    seed: u64,
    ledger: &'a Ledger,
    /// The next file.
    next: AtomicU32,
    done_blocks: AtomicU64,
}

/// The blocks of a file that were compared, and where they were read from.
type OfFile = Result<(u64, Source), VerifyError>;

impl Check<'_> {
    /// Compares one file after the other that no thread has begun, until one is not as it must be.
    fn files(&self, tell: Tell<'_>) -> Vec<(u32, OfFile)> {
        let mut found = Vec::new();
        loop {
            let file = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.paths.get(file as usize).filter(|_| file < self.plan.files);
            let Some(path) = path else { return found };
            let of_file = self.file(file, path, tell);
            let is_right = of_file.is_ok();
            found.push((file, of_file));
            if !is_right {
                return found;
            }
        }
    }

    /// Compares the blocks of a file.
    fn file(&self, file: u32, path: &Path, tell: Tell<'_>) -> OfFile {
        let Plan { file_blocks, block_bytes, files, .. } = *self.plan;
        let at_once = u64::from((READ_BYTES / block_bytes).max(1));
        let cannot_open = |errno| VerifyError::Open { path: path.to_owned(), errno };
        let mut reader =
            Reader::open(path, open(path)?, block_bytes.max(READ_BYTES)).map_err(cannot_open)?;
        let all = u64::from(files) * file_blocks * u64::from(block_bytes);
        let (mut compared, mut start) = (0, 0);
        while let Some(first) = (start..file_blocks).find(|&block| self.known(file, block)) {
            let from = start;
            start = (first + at_once).min(file_blocks);
            compared += self.blocks(&mut reader, file, path, first..start)?;
            let done = self.done_blocks.fetch_add(start - from, Ordering::Relaxed) + start - from;
            tell(Step::Verifying, done * u64::from(block_bytes), all);
        }
        self.done_blocks.fetch_add(file_blocks - start, Ordering::Relaxed);
        Ok((compared, reader.from()))
    }

    fn known(&self, file: u32, block: u64) -> bool {
        matches!(self.ledger.expect(file, block), Expect::Exactly(_) | Expect::OneOf(..))
    }

    /// Reads these blocks at once and compares those that are known.
    fn blocks(
        &self,
        reader: &mut Reader,
        file: u32,
        path: &Path,
        blocks: Range<u64>,
    ) -> Result<u64, VerifyError> {
        let block_bytes = self.plan.block_bytes as usize;
        let known: Vec<u64> = blocks.filter(|&block| self.known(file, block)).collect();
        let (Some(&first), Some(&last)) = (known.first(), known.last()) else { return Ok(0) };
        let bytes = (last + 1 - first) as usize * block_bytes;
        let data = match reader.read(first * block_bytes as u64, bytes) {
            Ok(data) => data,
            // One by one, to find the unreadable block.
            Err(_) if first < last => {
                let each = known.into_iter();
                return each.map(|block| self.blocks(reader, file, path, block..block + 1)).sum();
            }
            Err(errno) => return Err(unreadable(path, first, errno.into())),
        };
        for &block in &known {
            let start = (block - first) as usize * block_bytes;
            let Some(bytes) = data.get(start..start + block_bytes) else {
                let done_bytes = data.len().saturating_sub(start);
                let failure = Failure::Short { done_bytes, wanted_bytes: block_bytes };
                return Err(unreadable(path, block, failure));
            };
            self.compare(bytes, file, path, block)?;
        }
        Ok(known.len() as u64)
    }

    fn compare(&self, bytes: &[u8], file: u32, path: &Path, block: u64) -> Result<(), VerifyError> {
        let (first, last) = match self.ledger.expect(file, block) {
            Expect::Untouched | Expect::Unknown => return Ok(()),
            Expect::Exactly(number) => (number, number),
            Expect::OneOf(first, last) => (first, last),
        };
        let path = || path.to_owned();
        let found = read_number(bytes, self.seed, file, block)
            .map_err(|damage| VerifyError::Damaged { path: path(), block, damage })?;
        if found < first || found > last {
            return Err(VerifyError::WrongOp { path: path(), block, found, first, last });
        }
        Ok(())
    }
}

fn unreadable(path: &Path, block: u64, failure: Failure) -> VerifyError {
    VerifyError::Read { path: path.to_owned(), block, failure }
}
