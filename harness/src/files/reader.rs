//! Reading back: from the device where it can be, else through the page cache.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{BlockBuffers, cache};
use crate::io;

/// What direct reads begin and end at a multiple of, and their buffers too: no common device has
/// larger sectors.
const ALIGN_BYTES: u64 = 4096;

/// Where what was read came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The device, around the page cache.
    Device,
    /// The page cache, because the file system takes no direct reads or is nothing but memory.
    PageCache,
}

impl Source {
    /// The name, as in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Source::Device => "device",
            Source::PageCache => "page cache",
        }
    }
}

/// A file that is read back through a descriptor of its own.
pub(super) struct Reader {
    file: OwnedFd,
    from: Source,
    buffer: BlockBuffers,
}

impl Reader {
    /// Opens the file for reads of at most `bytes_max`. `cached` is the same file, through the page
    /// cache; its clean pages are dropped, because some file systems answer a direct read from there.
    pub(super) fn open(path: &Path, cached: OwnedFd, bytes_max: u32) -> Result<Reader, Errno> {
        let _ = cache::drop_clean(&cached);
        let (file, from) = match open_direct(path) {
            Ok(file) if !is_memory(&cached)? => (file, Source::Device),
            Ok(_) | Err(Errno::INVAL | Errno::OPNOTSUPP) => (cached, Source::PageCache),
            Err(errno) => return Err(errno),
        };
        // What lies around it up to the next multiples may be read as well.
        let room = bytes_max.saturating_add(2 * ALIGN_BYTES as u32);
        Ok(Reader { file, from, buffer: BlockBuffers::new(1, room) })
    }

    /// Where it reads from.
    pub(super) fn from(&self) -> Source {
        self.from
    }

    /// The bytes from there on, fewer if the file ends before.
    pub(super) fn read(&mut self, offset: u64, bytes: usize) -> Result<&[u8], Errno> {
        let start = offset / ALIGN_BYTES * ALIGN_BYTES;
        let end = (offset + bytes as u64).next_multiple_of(ALIGN_BYTES);
        let skipped = (offset - start) as usize;
        let buffer = self.buffer.get_mut(0).ok_or(Errno::NOMEM)?;
        let buffer = buffer.get_mut(..(end - start) as usize).ok_or(Errno::NOMEM)?;
        let mut done = 0;
        while done < skipped + bytes {
            let read = io::read_up_to(&self.file, &mut buffer[done..], start + done as u64)?;
            done += read;
            // A part of a sector is what the file ends with.
            if read == 0 || !(done as u64).is_multiple_of(ALIGN_BYTES) {
                break;
            }
        }
        Ok(buffer.get(skipped..done.min(skipped + bytes)).unwrap_or_default())
    }
}

fn open_direct(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECT | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
}

/// Whether a file is in memory alone. tmpfs takes direct reads, and answers them from there.
fn is_memory(file: &OwnedFd) -> Result<bool, Errno> {
    const RAMFS: u64 = 0x8584_58f6;
    let kind = rustix::fs::fstatfs(file)?.f_type as u64;
    Ok([libc::TMPFS_MAGIC as u64, RAMFS].contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_on_a_device_are_read_around_the_page_cache() {
        let file = tempfile::NamedTempFile::new_in(".").expect("a file");
        let cached = io::open_to_read(file.path()).expect("the file");
        let in_memory = is_memory(&cached).expect("a file system");
        let reader = Reader::open(file.path(), cached, 4096).expect("the file");
        let direct = rustix::fs::fcntl_getfl(&reader.file).expect("flags").contains(OFlags::DIRECT);
        assert_eq!(direct, reader.from() == Source::Device);
        assert_eq!(direct, !in_memory && open_direct(file.path()).is_ok());
    }

    #[test]
    fn what_begins_or_ends_within_a_sector_is_read_as_it_is() {
        let file = tempfile::NamedTempFile::new_in(".").expect("a file");
        let data: Vec<u8> = (0..10_000_u32).map(|number| number as u8).collect();
        std::fs::write(file.path(), &data).expect("room");
        let cached = io::open_to_read(file.path()).expect("the file");
        let mut reader = Reader::open(file.path(), cached, 8192).expect("the file");
        for (offset, bytes) in [(0, 512), (512, 4096), (3584, 1024), (4096, 5000), (9000, 8000)] {
            let wanted = &data[offset..data.len().min(offset + bytes)];
            assert_eq!(reader.read(offset as u64, bytes), Ok(wanted), "{bytes} from {offset}");
        }
        assert_eq!(reader.read(20_000, 512), Ok(&[][..]));
    }
}
