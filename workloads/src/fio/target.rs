//! The files of a job: how many, how large, what is in them before, and how they are opened.

use std::collections::BTreeSet;

use super::blocks::Blocks;
use super::job::Job;
use super::value;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{FileState, Mix, Open, Order};

/// The folder of devices, and the one in it that has none.
const DEVICES: &str = "/dev/";
const MEMORY: &str = "/dev/shm/";

/// How much of files there is, and how much of it is read and written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Blocks in each file.
    pub(super) file_blocks: u64,
    /// Blocks that are read or written if no time ends the run.
    pub(super) io_blocks: u64,
}

/// The files of a job.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) count: usize,
    /// What jobs that share files have in common: names, or the name of the job if it gives none.
    pub(super) names: Vec<String>,
}

impl Job<'_> {
    /// The files: as many as `filename` names, whatever `nrfiles` says.
    pub(super) fn files(&self) -> Result<Files, SpecError> {
        let (count, names) = match self.text("filename") {
            Some(text) => self.named_files(text).map(|names| (names.len(), names))?,
            None => {
                let count = self.within("nrfiles", 1, limits::FILES)? as usize;
                (count, vec![format!("[{}]", self.section.name)])
            }
        };
        let service = self.text("file_service_type");
        if count > 1 && !matches!(service, None | Some("roundrobin" | "roundrobin:1")) {
            let allowed = "roundrobin: of several files, each is visited in turn";
            return Err(self.refuse("file_service_type", allowed));
        }
        let directory = self.text("directory").unwrap_or_default();
        let names = names.into_iter().map(|name| format!("{directory}/{name}")).collect();
        Ok(Files { count, names })
    }

    fn named_files(&self, text: &str) -> Result<Vec<String>, SpecError> {
        let names = value::names(text);
        let is_device = |name: &&String| name.starts_with(DEVICES) && !name.starts_with(MEMORY);
        if let Some(name) = names.iter().find(is_device) {
            let allowed = format!(
                "names of ordinary files: a run makes the files that it reads and writes, and \
                 touches no device, whose data would be lost; remove it and start the bench with \
                 --dir FOLDER, in a file system on {name}"
            );
            return Err(self.refuse("filename", allowed));
        }
        let different: BTreeSet<&String> = names.iter().collect();
        let most = *limits::FILES.end() as usize;
        let fits = (1..=most).contains(&names.len()) && different.len() == names.len();
        if !fits || names.iter().any(|name| name == "-") {
            let allowed = format!("1 to {most} names with colons between, each once, and none `-`");
            return Err(self.refuse("filename", allowed));
        }
        Ok(names)
    }

    /// How much is read and written of that many files. `left_bytes` is in each if an earlier job of
    /// the file has left them.
    pub(super) fn size(
        &self,
        files: u32,
        blocks: &Blocks,
        order: Order,
        left_bytes: Option<u64>,
    ) -> Result<Size, SpecError> {
        let (files, block_bytes) = (u64::from(files), u64::from(blocks.bytes));
        let percent = self.text("size").and_then(value::percent);
        let size = if percent.is_some() { None } else { self.int("size")? };
        let each = self.filesize()?;
        let option = if each.is_some() { "filesize" } else { "size" };
        let Some(whole) = each.or(size.map(|size| size / files)).or(left_bytes) else {
            let allowed = "the bytes of all files together, such as 64m: files are made for the \
                           run, so that none is there to have a size";
            return Err(self.refuse("size", allowed));
        };
        let file_bytes = share(whole, percent.unwrap_or(100));
        let file_blocks = file_bytes / block_bytes;
        let most = *limits::FILE_SIZE_MIB.end() as u64 * 1024 * 1024;
        let least = blocks.bytes_max();
        if file_bytes < least || file_bytes > most {
            let allowed = format!("{least} to {most} bytes for each of {files} files");
            return Err(self.refuse(option, allowed));
        }
        if file_blocks.saturating_mul(files) > limits::BLOCKS_MAX {
            let allowed = format!(
                "{} blocks of all files together: fewer, smaller ones or larger blocks",
                limits::BLOCKS_MAX
            );
            return Err(self.refuse(option, allowed));
        }
        if matches!(order, Order::Step { blocks } if blocks < 0 && blocks.unsigned_abs() >= file_blocks)
        {
            return Err(self.refuse("rw", "gaps of less than the file"));
        }
        if blocks.sizes.len() > 1 && self.int("number_ios")?.is_some_and(|most| most > 0) {
            let allowed = "0 beside several sizes of blocks; or io_size, in bytes";
            return Err(self.refuse("number_ios", allowed));
        }
        let all = file_blocks * files;
        let to_the_end = visits_to_the_end(order, file_blocks).map_or(all, |visits| visits * files);
        // Without io_size no file is gone through twice.
        let io_blocks = match (self.io_bytes(all * block_bytes)?, each.and(size)) {
            (Some(io_bytes), _) => io_bytes / block_bytes,
            (None, Some(size)) => (size / block_bytes).min(to_the_end),
            (None, None) => to_the_end,
        };
        Ok(Size {
            file_blocks,
            io_blocks: self.repeated(io_blocks.max(1), blocks.bytes_max() / block_bytes)?,
        })
    }

    /// The bytes in each file, if that is given.
    fn filesize(&self) -> Result<Option<u64>, SpecError> {
        let Some(text) = self.text("filesize") else { return Ok(None) };
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        let (least, most) = (self.int_of("filesize", least)?, self.int_of("filesize", most)?);
        if least != most {
            return Err(self.refuse("filesize", "one size, which all files have"));
        }
        Ok(Some(least))
    }

    /// `io_size` in bytes; a share is of all files.
    fn io_bytes(&self, all_bytes: u64) -> Result<Option<u64>, SpecError> {
        if let Some(percent) = self.text("io_size").and_then(value::percent) {
            return Ok(Some(share(all_bytes, percent)));
        }
        Ok(self.int("io_size")?.filter(|io_size| *io_size > 0))
    }

    /// Blocks in all loops, or as many as `number_ios` lets through.
    fn repeated(&self, blocks: u64, each: u64) -> Result<u64, SpecError> {
        let loops = self.int("loops")?.unwrap_or(1).max(1);
        let most = self.int("number_ios")?.filter(|most| *most > 0);
        let most = most.map_or(u64::MAX, |most| most.saturating_mul(each));
        Ok(blocks.min(most).saturating_mul(loops))
    }

    pub(super) fn open(&self, is_written: bool) -> Result<Open, SpecError> {
        let direct = self.is_direct()?;
        let otherwise = if direct { Open::Direct } else { Open::Buffered };
        match self.text("sync") {
            None | Some("none" | "0") => Ok(otherwise),
            Some("dsync" | "sync" | "1") if !is_written => Ok(otherwise),
            Some("dsync" | "sync" | "1") if direct => {
                Err(self.refuse("sync", "none beside direct=1, or direct=0"))
            }
            Some("dsync") => Ok(Open::Dsync),
            Some("sync" | "1") => Ok(Open::Sync),
            Some(_) => Err(self.refuse("sync", "none, 0, dsync, sync or 1")),
        }
    }

    /// Whether files are opened around the page cache: the later of two options says so.
    pub(super) fn is_direct(&self) -> Result<bool, SpecError> {
        let direct = match self.options.later("direct", "buffered") {
            Some("buffered") => self.switch("buffered")?.map(|buffered| !buffered),
            _ => self.switch("direct")?,
        };
        Ok(direct.unwrap_or(false))
    }

    /// What is in the files before. fio writes those that are read or that `overwrite` selects, and
    /// reserves the others by default. A file that has no length yet is extended by each write, which
    /// io_uring leaves to its workers.
    pub(super) fn state(&self, mix: Mix) -> Result<FileState, SpecError> {
        let overwrite = self.is_on("overwrite")?;
        let reserved = match self.text("fallocate") {
            None | Some("native" | "posix" | "1") => FileState::Allocated,
            // Space beyond the end: in sequence each write extends the file, at random only the first
            // ones do.
            Some("keep")
                if !matches!(mix.order, Order::Sequential | Order::Step { blocks: 1.. }) =>
            {
                FileState::Allocated
            }
            Some("none" | "0" | "keep" | "truncate") => FileState::Fresh,
            Some(_) => {
                let allowed = "none, native, posix, keep, truncate, 0 or 1";
                return Err(self.refuse("fallocate", allowed));
            }
        };
        Ok(match () {
            () if overwrite || mix.read > 0 => FileState::Written,
            () if self.is_on("create_on_open")? => FileState::Fresh,
            () => reserved,
        })
    }

    /// Whether the page cache has the data of files that were written before: fio drops it unless
    /// it is told not to.
    pub(super) fn is_cached(&self) -> Result<bool, SpecError> {
        Ok(self.switch("invalidate")? == Some(false) || self.is_on("pre_read")?)
    }
}

/// Visits to a file until one has its last block, which ends a job of fio unless more io_size is asked
/// for; none if no step comes to it.
fn visits_to_the_end(order: Order, file_blocks: u64) -> Option<u64> {
    let Order::Step { blocks } = order else { return None };
    let step = u64::try_from(blocks).ok().filter(|step| *step > 0)?;
    let last = file_blocks - 1;
    last.is_multiple_of(step).then(|| last / step + 1)
}

/// That many percent of a number of bytes.
fn share(bytes: u64, percent: u64) -> u64 {
    bytes / 100 * percent + bytes % 100 * percent / 100
}
