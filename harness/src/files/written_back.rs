//! Whether what was promised to be on the device waits in the page cache.
//!
//! Reading cannot show it: a direct read has the kernel write back what is dirty first. So dirty pages
//! are counted before anything is read. A page that a completed fsync covers and that is dirty
//! shows an fsync that did not do its work. None dirty is no proof of the contrary: the kernel
//! writes back by itself, and whether a device kept what it was given shows only when
//! its power fails.

use std::os::fd::AsFd;
use std::path::Path;

use iowq_workloads::{Ledger, Open, Plan};

use super::cache;
use crate::machine::mounts;

/// The page size for which a part of [`PART_BYTES`] is known to hold whole folios.
const PAGE_BYTES: usize = 4096;

/// Bytes checked at once. A folio, which is dirty as a whole, has no more with pages of 4 KiB,
/// and lies at a multiple of its size; so pages in other parts do not count here.
const PART_BYTES: u64 = 2 << 20;

/// Magic number of Btrfs in statfs(2).
const BTRFS: u64 = 0x9123_683e;

/// Promised data that is not on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The first block of the part.
    pub(super) first_block: u64,
    /// The last one.
    pub(super) last_block: u64,
    /// Pages of it that are dirty or on their way.
    pub(super) pages: u64,
}

/// Bytes of a file in which all that was written was promised to be on the device, and waits
/// nowhere; none if this kernel cannot tell. To be called before anything else is done to the
/// file, and only if [`can_tell`] says so.
pub(super) fn check(
    open: impl AsFd,
    plan: &Plan,
    file: u32,
    ledger: &Ledger,
) -> Result<Option<u64>, Waiting> {
    if plan.open.get(file as usize) == Some(&Open::Direct) {
        return Ok(None);
    }
    let block_bytes = u64::from(plan.block_bytes);
    let file_bytes = plan.file_blocks * block_bytes;
    let mut looked_at_bytes = 0;
    for start in (0..file_bytes).step_by(PART_BYTES as usize) {
        let end = (start + PART_BYTES).min(file_bytes);
        // Those that begin or end in the part as well: they share its pages.
        let (first_block, last_block) = (start / block_bytes, (end - 1) / block_bytes);
        if !promised(ledger, file, first_block, last_block) {
            continue;
        }
        let Ok(pages) = cache::pages(&open, start, end - start) else {
            return Ok(None);
        };
        let waiting = pages.dirty + pages.written_back;
        if waiting > 0 {
            return Err(Waiting { first_block, last_block, pages: waiting });
        }
        looked_at_bytes += end - start;
    }
    Ok(Some(looked_at_bytes))
}

/// Whether something was written between these blocks, and all of it was promised to be on the
/// device.
fn promised(ledger: &Ledger, file: u32, first_block: u64, last_block: u64) -> bool {
    let mut blocks = (first_block..=last_block).filter_map(|block| ledger.promised(file, block));
    blocks.next().is_some_and(|first| first && blocks.all(|promised| promised))
}

/// Whether the pages of files in a folder are what their data waits in, and are clean once it is on
/// the device. So it is on ext4, XFS and Btrfs, but not if ext4 journals data: pages are then
/// dirty again once they are in the journal.
pub(super) fn can_tell(folder: &Path) -> bool {
    let kind = rustix::fs::statfs(folder).map(|status| status.f_type as u64);
    let known = [libc::EXT4_SUPER_MAGIC as u64, libc::XFS_SUPER_MAGIC as u64, BTRFS];
    let journals = |options: &str| options.split(',').any(|option| option == "data=journal");
    kind.is_ok_and(|kind| known.contains(&kind))
        && mounts::under(folder).is_some_and(|mount| !journals(&mount.options))
        && rustix::param::page_size() == PAGE_BYTES
}
