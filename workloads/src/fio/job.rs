//! From a job's options to a plan: what each means here, and its limits.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::options::Sorted;
use super::value;
use crate::bucket::hash_ids;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{Arrival, FileState, Length, Life, Mix, Open, Order, Plan};

/// io-wq's idle timeout; `WORKER_IDLE_TIMEOUT` in io_uring/io-wq.c.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// fio's block size if none is given.
const BLOCK_BYTES_DEFAULT: u64 = 4096;

/// fio's share of reads in a mix if none is given, in percent.
const READ_PERCENT_DEFAULT: u64 = 50;

/// The plan of that name. `section` is the job's name and the line it starts at, which errors
/// about what is missing name.
pub(super) fn plan(
    name: &str,
    file: &str,
    section: (&str, usize),
    sorted: &Sorted,
) -> Result<Plan, SpecError> {
    let job = Job { file, line: section.1, sorted };
    job.engine()?;
    let (mix, reads_only) = job.mix()?;
    let block_bytes = job.block_bytes()?;
    let files = job.files()?;
    let (file_blocks, io_blocks) = job.blocks(files, block_bytes)?;
    let open = job.open(reads_only)?;
    let state = job.state(mix)?;
    // If it is not 0, fio drops from the page cache what laying out left there.
    let kept = job.switch("invalidate")? == Some(false);
    let plan = Plan {
        name: name.to_owned(),
        summary: String::new(),
        origin: format!("Job [{}] of the fio job file {file}.", section.0),
        files,
        file_blocks,
        block_bytes,
        open: vec![open; files as usize],
        state: vec![state; files as usize],
        cached: kept && state == FileState::Written && open != Open::Direct,
        hash_ids: hash_ids(files, false),
        mix,
        log: None,
        depth: job.depth(block_bytes)?,
        force_async: job.within("force_async", 0, 0..=1)? == 1,
        arrival: job.arrival(mix)?,
        life: Life { reopen_after_ops: 0, closed: Duration::ZERO, linger: Duration::ZERO },
        limits: [limits::WORKERS_DEFAULT; 2],
        kernel_limits: true,
        idle_timeout: IDLE_TIMEOUT,
        length: job.length(io_blocks, mix, files)?,
        warmup: job.time("ramp_time", limits::WARMUP_SECONDS)?.unwrap_or(Duration::ZERO),
        seed: job.within("randseed", 1, limits::SEED)?,
        verify: true,
        cpus: None,
    };
    Ok(Plan { summary: summary(section.0, &plan, sorted), ..plan })
}

/// What it is, what was ignored, and what is not quite as in fio.
fn summary(job: &str, plan: &Plan, sorted: &Sorted) -> String {
    let mut text = format!("fio job [{job}].");
    let ignored: Vec<&str> = sorted.ignored.iter().flat_map(|(_, names)| names.clone()).collect();
    if !ignored.is_empty() {
        text.push_str(&format!(" Ignored: {}.", ignored.join(", ")));
    }
    if sorted.taken.contains_key("filename") {
        text.push_str(" There is a file for each name in filename; the names are not used");
        let and_nrfiles = sorted.taken.contains_key("nrfiles");
        text.push_str(if and_nrfiles { ", nor is nrfiles, as in fio." } else { "." });
    }
    if plan.mix.writes_per_fsync > 0 && (plan.depth > 1 || plan.mix.read > 0) {
        text.push_str(
            " One fsync after so many writes; fio issues more of them at this depth or in this mix.",
        );
    }
    text
}

/// The options, with what their errors need.
struct Job<'a> {
    file: &'a str,
    line: usize,
    sorted: &'a Sorted,
}

impl Job<'_> {
    fn refuse(&self, option: &'static str, allowed: impl Display) -> SpecError {
        let written = self.sorted.taken.get(option);
        SpecError::Option {
            file: self.file.to_owned(),
            line: written.map_or(self.line, |written| written.line),
            option: written.map_or(option, |written| &written.name).to_owned(),
            found: match written.map(|written| &written.value) {
                Some(Some(value)) => format!("`{value}`"),
                Some(None) => "no value".to_owned(),
                None => "nothing".to_owned(),
            },
            allowed: allowed.to_string(),
        }
    }

    fn given(&self, option: &'static str) -> bool {
        self.sorted.taken.contains_key(option)
    }

    /// The text of an option that was given; empty if it has no value.
    fn text(&self, option: &'static str) -> Option<&str> {
        self.sorted.taken.get(option).map(|written| written.value.as_deref().unwrap_or(""))
    }

    fn int(&self, option: &'static str) -> Result<Option<u64>, SpecError> {
        let parse = |text| value::int(text).ok_or_else(|| self.refuse(option, value::INT));
        self.text(option).map(parse).transpose()
    }

    fn within(
        &self,
        option: &'static str,
        default: u64,
        allowed: RangeInclusive<i64>,
    ) -> Result<u64, SpecError> {
        let found = self.int(option)?.unwrap_or(default);
        if i64::try_from(found).is_ok_and(|found| allowed.contains(&found)) {
            return Ok(found);
        }
        Err(self.refuse(option, format!("{} to {}", allowed.start(), allowed.end())))
    }

    fn switch(&self, option: &'static str) -> Result<Option<bool>, SpecError> {
        let Some(written) = self.sorted.taken.get(option) else { return Ok(None) };
        let on = value::switch(written.value.as_deref());
        on.map(Some).ok_or_else(|| self.refuse(option, value::SWITCH))
    }

    fn time(
        &self,
        option: &'static str,
        allowed: RangeInclusive<f64>,
    ) -> Result<Option<Duration>, SpecError> {
        let Some(text) = self.text(option) else { return Ok(None) };
        let time = value::time(text).ok_or_else(|| self.refuse(option, value::TIME))?;
        if allowed.contains(&time.as_secs_f64()) {
            return Ok(Some(time));
        }
        let allowed = format!("{} to {} seconds", allowed.start(), allowed.end());
        Err(self.refuse(option, allowed))
    }

    /// Which of two options that were both given comes last in the file.
    fn later(&self, one: &'static str, other: &'static str) -> Option<&'static str> {
        self.sorted.order.iter().rev().copied().find(|name| *name == one || *name == other)
    }

    fn engine(&self) -> Result<(), SpecError> {
        match self.text("ioengine") {
            Some("io_uring") => Ok(()),
            _ => Err(self.refuse("ioengine", "io_uring, whose workers are measured")),
        }
    }

    /// What is done to the files, and whether that is no more than reading them.
    fn mix(&self) -> Result<(Mix, bool), SpecError> {
        let (order, read) = match self.text("rw") {
            Some("write") => (Order::Sequential, Some(0)),
            Some("randwrite") => (Order::Random, Some(0)),
            Some("read") | None => (Order::Sequential, Some(100)),
            Some("randread") => (Order::Random, Some(100)),
            Some("rw" | "readwrite") => (Order::Sequential, None),
            Some("randrw") => (Order::Random, None),
            Some(_) => {
                let allowed = "write, randwrite, read, randread, rw, readwrite or randrw";
                return Err(self.refuse("rw", allowed));
            }
        };
        let read_percent = match self.later("rwmixread", "rwmixwrite") {
            Some("rwmixwrite") => 100 - self.within("rwmixwrite", 0, 0..=100)?,
            _ => self.within("rwmixread", READ_PERCENT_DEFAULT, 0..=100)?,
        };
        let read = read.unwrap_or(read_percent as u32);
        let fsync = self.within("fsync", 0, limits::WRITES_PER_FSYNC)? as u32;
        let fdatasync = self.within("fdatasync", 0, limits::WRITES_PER_FSYNC)? as u32;
        if fsync > 0 && fdatasync > 0 {
            return Err(self.refuse("fdatasync", "0 beside fsync, or fsync=0"));
        }
        let reads_only = read == 100;
        let mix = Mix {
            write: 100 - read,
            read,
            fallocate: 0,
            nop: 0,
            writes_per_fsync: if reads_only { 0 } else { fsync.max(fdatasync) },
            data_only: fdatasync > 0,
            linked: false,
            order,
        };
        Ok((mix, reads_only))
    }

    fn block_bytes(&self) -> Result<u32, SpecError> {
        let bytes = self.int("bs")?.unwrap_or(BLOCK_BYTES_DEFAULT);
        let (least, most) =
            (*limits::BLOCK_BYTES.start() as u64, *limits::BLOCK_BYTES.end() as u64);
        if !(least..=most).contains(&bytes) || !bytes.is_power_of_two() {
            let allowed = format!("one power of two from {least} to {most}, for reads and writes");
            return Err(self.refuse("bs", allowed));
        }
        Ok(bytes as u32)
    }

    /// How many files: as many as `filename` names, whatever `nrfiles` says.
    fn files(&self) -> Result<u32, SpecError> {
        let Some(text) = self.text("filename") else {
            return Ok(self.within("nrfiles", 1, limits::FILES)? as u32);
        };
        let names = value::names(text);
        if names.iter().any(|name| name == "-" || name.starts_with("/dev/")) {
            let allowed = "names of ordinary files, which are made for the run in a folder of its \
                           own: no device, pipe or terminal is written to";
            return Err(self.refuse("filename", allowed));
        }
        let different: BTreeSet<&String> = names.iter().collect();
        let most = *limits::FILES.end() as usize;
        if names.is_empty() || names.len() > most || different.len() < names.len() {
            let allowed = format!("1 to {most} names with colons between, each once");
            return Err(self.refuse("filename", allowed));
        }
        Ok(names.len() as u32)
    }

    /// Blocks in a file, and blocks that are read or written if no time ends the run.
    fn blocks(&self, files: u32, block_bytes: u32) -> Result<(u64, u64), SpecError> {
        let (size, each) = (self.int("size")?, self.int("filesize")?);
        let option = if each.is_some() { "filesize" } else { "size" };
        let Some(file_bytes) = each.or(size.map(|size| size / u64::from(files))) else {
            return Err(self.refuse("size", "the bytes of all files together, such as 64m"));
        };
        let file_blocks = file_bytes / u64::from(block_bytes);
        let most = *limits::FILE_SIZE_MIB.end() as u64 * 1024 * 1024;
        if file_blocks == 0 || file_bytes > most {
            let allowed = format!("{block_bytes} to {most} bytes for each of {files} files");
            return Err(self.refuse(option, allowed));
        }
        if file_blocks * u64::from(files) > limits::BLOCKS_MAX {
            let allowed = format!(
                "{} blocks of all files together: fewer, smaller ones or larger blocks",
                limits::BLOCKS_MAX
            );
            return Err(self.refuse(option, allowed));
        }
        let all = file_blocks * u64::from(files);
        let io_size = self.int("io_size")?.filter(|io_size| *io_size > 0);
        let blocks = |bytes| bytes / u64::from(block_bytes);
        // Without io_size no file is gone through twice.
        let io_blocks = match (io_size, each, size) {
            (Some(io_size), _, _) => blocks(io_size),
            (None, Some(_), Some(size)) => blocks(size).min(all),
            (None, _, _) => all,
        };
        Ok((file_blocks, io_blocks.max(1)))
    }

    fn open(&self, reads_only: bool) -> Result<Open, SpecError> {
        let direct = match self.later("direct", "buffered") {
            Some("buffered") => self.switch("buffered")?.map(|buffered| !buffered),
            _ => self.switch("direct")?,
        };
        let direct = direct.unwrap_or(false);
        match self.text("sync") {
            None | Some("none" | "0") => {}
            Some("dsync" | "sync" | "1") if reads_only => {}
            Some("dsync" | "sync" | "1") if direct => {
                return Err(self.refuse("sync", "none beside direct=1, or direct=0"));
            }
            Some("dsync") => return Ok(Open::Dsync),
            Some("sync" | "1") => return Ok(Open::Sync),
            Some(_) => return Err(self.refuse("sync", "none, 0, dsync, sync or 1")),
        }
        Ok(if direct { Open::Direct } else { Open::Buffered })
    }

    /// What is in the files before. fio writes those that are read or that `overwrite` selects, and
    /// reserves the others by default.
    fn state(&self, mix: Mix) -> Result<FileState, SpecError> {
        let overwrite = self.switch("overwrite")?.unwrap_or(false);
        let reserved = match self.text("fallocate") {
            None | Some("native" | "posix" | "1" | "keep") => FileState::Allocated,
            Some("none" | "0" | "truncate") => FileState::Fresh,
            Some(_) => {
                let allowed = "none, native, posix, keep, truncate, 0 or 1";
                return Err(self.refuse("fallocate", allowed));
            }
        };
        Ok(if overwrite || mix.read > 0 { FileState::Written } else { reserved })
    }

    fn depth(&self, block_bytes: u32) -> Result<u32, SpecError> {
        let depth = self.within("iodepth", 1, limits::DEPTH)?;
        let most = limits::BUFFER_BYTES_MAX / u64::from(block_bytes);
        if depth > most {
            let allowed = format!("{most} at most with blocks of {block_bytes} bytes");
            return Err(self.refuse("iodepth", allowed));
        }
        Ok(depth as u32)
    }

    /// When ops come. fio holds writes to the rate and lets fsyncs come on top of it; here the rate
    /// is that of all ops, so it is raised by their share.
    fn arrival(&self, mix: Mix) -> Result<Arrival, SpecError> {
        let rate = self.int("rate_iops")?.filter(|rate| *rate > 0);
        let poisson = match self.text("rate_process") {
            None | Some("linear") => false,
            Some("poisson") => true,
            Some(_) => return Err(self.refuse("rate_process", "linear or poisson")),
        };
        let Some(rate) = rate else {
            return Ok(Arrival::Closed { pause: Duration::ZERO, min_complete: 1 });
        };
        if mix.read > 0 && mix.write > 0 {
            let allowed = "nothing in a mix, because fio holds reads and writes to a rate each";
            return Err(self.refuse("rate_iops", allowed));
        }
        let fsyncs_per_write = match mix.writes_per_fsync {
            0 => 0.0,
            writes => 1.0 / f64::from(writes),
        };
        let per_s = rate as f64 * (1.0 + fsyncs_per_write);
        if !limits::RATE_PER_S.contains(&per_s) {
            let allowed = format!("1 to {}, the fsyncs among them", limits::RATE_PER_S.end());
            return Err(self.refuse("rate_iops", allowed));
        }
        Ok(if poisson { Arrival::Poisson { per_s } } else { Arrival::Rate { per_s } })
    }

    /// When the run ends: by time if it is `time_based`, else by size, and by time as well if
    /// one is given.
    fn length(&self, io_blocks: u64, mix: Mix, files: u32) -> Result<Length, SpecError> {
        let time_based = self.switch("time_based")?.unwrap_or(false);
        let runtime = self.time("runtime", 0.0..=*limits::RUN_SECONDS.end())?;
        let runtime = runtime.filter(|runtime| !runtime.is_zero());
        if runtime.is_some_and(|time| time.as_secs_f64() < *limits::RUN_SECONDS.start()) {
            let allowed = format!("{} seconds or more", limits::RUN_SECONDS.start());
            return Err(self.refuse("runtime", allowed));
        }
        match (runtime, time_based) {
            (Some(time), true) => return Ok(Length::Time(time)),
            (None, true) => {
                let allowed = "nothing without a runtime; add one, such as 30s";
                return Err(self.refuse("time_based", allowed));
            }
            (_, false) => {}
        }
        let ops = io_blocks.saturating_add(fsyncs(io_blocks, mix, files));
        if !i64::try_from(ops).is_ok_and(|ops| limits::RUN_OPS.contains(&ops)) {
            let option = if self.given("io_size") { "io_size" } else { "size" };
            return Err(self.refuse(option, format!("{} ops at most", limits::RUN_OPS.end())));
        }
        Ok(runtime.map_or(Length::Ops(ops), |time| Length::Either { ops, time }))
    }
}

/// The fsyncs among N reads and writes: one per `writes_per_fsync` writes, exact if there is
/// nothing but writes.
fn fsyncs(io_blocks: u64, mix: Mix, files: u32) -> u64 {
    let per_fsync = u64::from(mix.writes_per_fsync);
    if per_fsync == 0 {
        return 0;
    }
    if mix.read > 0 {
        return io_blocks / 100 * u64::from(mix.write) / per_fsync;
    }
    let files = u64::from(files);
    let of_file = |file: u64| {
        let writes = io_blocks / files + u64::from(file < io_blocks % files);
        // Files start that many writes apart, see `Stream`.
        (file % per_fsync + writes) / per_fsync
    };
    (0..files).map(of_file).sum()
}
