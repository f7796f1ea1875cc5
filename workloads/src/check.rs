//! From spec to plan: every limit checked, every default filled in.

mod meta;
mod only;
mod sizes;
mod sockets;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::bucket::hash_ids;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{Arrival, FileState, Length, Life, Log, Mix, OpSize, Open, Order, Plan, Sockets};
use crate::spec::{self, Pattern, Spec};
pub(crate) use sizes::divisor;

/// Seconds of a run whose spec names neither seconds nor ops.
pub(crate) const RUN_SECONDS_DEFAULT: f64 = 3.0;

/// Checks a spec and turns it into a plan of that name; `file` is what errors name.
pub(crate) fn plan(spec: &Spec, name: &str, file: &str) -> Result<Plan, SpecError> {
    let check = Check { file };
    let on = match &spec.sockets {
        Some(sockets) => sockets::targets(&check, spec, sockets)?,
        None => check.targets(spec)?,
    };
    let depth = check.depth(&spec.ring, on.block_bytes * op_blocks_max(&on.sizes))?;
    let mix = check.mix(spec)?;
    sockets::check_mix(&check, &mix, on.sockets.map(|sockets| sockets.kind))?;
    check.order(mix.order, &on.sizes)?;
    Ok(Plan {
        name: name.to_owned(),
        summary: spec.summary.trim().to_owned(),
        origin: spec.origin.trim().to_owned(),
        files: on.files,
        file_blocks: on.file_blocks,
        block_bytes: on.block_bytes,
        sizes: on.sizes,
        align_blocks: 0,
        is_cut: false,
        open: on.open,
        state: on.state,
        cached: on.cached,
        hash_ids: hash_ids(on.files, spec.files.collide),
        sockets: on.sockets,
        mix,
        log: spec.log.as_ref().map(|log| check.log(log)).transpose()?,
        depth: check.linked(spec, depth)?,
        force_async: spec.ring.force_async,
        only: only::of(&check, spec)?,
        arrival: check.arrival(&spec.arrival, depth)?,
        life: check.life(&spec.ring)?,
        limits: [
            check.limit("workers.bounded", spec.workers.bounded, &spec.workers)?,
            check.limit("workers.unbounded", spec.workers.unbounded, &spec.workers)?,
        ],
        later: only::later(&check, &spec.workers)?,
        kernel_limits: spec.workers.kernel_limits,
        idle_timeout: check.milliseconds(
            "workers.idle_timeout_ms",
            spec.workers.idle_timeout_ms,
            limits::IDLE_TIMEOUT_MS,
        )?,
        length: check.length(&spec.run)?,
        io_blocks: 0,
        warmup: Duration::from_secs_f64(check.range(
            "run.warmup_seconds",
            spec.run.warmup_seconds,
            limits::WARMUP_SECONDS,
        )?),
        seed: check.range("run.seed", spec.run.seed, limits::SEED)? as u64,
        verify: spec.run.verify,
        cpus: check.cpus(&spec.run)?,
        begins_after: Duration::ZERO,
        group: 0,
        ends_groups: 0,
        tasks: Vec::new(),
    })
}

impl Plan {
    /// The same plan with this length in seconds; for `--seconds`.
    ///
    /// # Errors
    ///
    /// If that is outside [`limits::RUN_SECONDS`].
    pub fn with_seconds(mut self, seconds: f64) -> Result<Plan, SpecError> {
        let check = Check { file: "command line" };
        let seconds = check.range("--seconds", seconds, limits::RUN_SECONDS)?;
        let length = Length::Time(Duration::from_secs_f64(seconds));
        self.change_all(|plan| (plan.length, plan.io_blocks) = (length, 0));
        Ok(self)
    }

    /// The same plan with another idle timeout, in milliseconds; for `--idle-timeout-ms`.
    ///
    /// # Errors
    ///
    /// If that is outside [`limits::IDLE_TIMEOUT_MS`].
    pub fn with_idle_timeout_ms(mut self, idle_timeout_ms: f64) -> Result<Plan, SpecError> {
        let check = Check { file: "command line" };
        let range = limits::IDLE_TIMEOUT_MS;
        let idle_timeout = check.milliseconds("--idle-timeout-ms", idle_timeout_ms, range)?;
        self.change_all(|plan| plan.idle_timeout = idle_timeout);
        Ok(self)
    }
}

/// What ops are on: files, or what stands where they would.
struct Targets {
    files: u32,
    file_blocks: u64,
    block_bytes: u32,
    sizes: Vec<OpSize>,
    open: Vec<Open>,
    state: Vec<FileState>,
    cached: bool,
    sockets: Option<Sockets>,
}

fn op_blocks_max(sizes: &[OpSize]) -> u32 {
    sizes.iter().map(|size| size.blocks).fold(1, u32::max)
}

/// The checks, with the name of the file for their errors.
pub(crate) struct Check<'a> {
    pub(crate) file: &'a str,
}

impl Check<'_> {
    pub(crate) fn refuse(
        &self,
        field: &'static str,
        found: impl Display,
        allowed: &str,
    ) -> SpecError {
        SpecError::Field {
            file: self.file.to_owned(),
            field,
            found: found.to_string(),
            allowed: allowed.to_owned(),
        }
    }

    pub(crate) fn range<T: PartialOrd + Display + Copy>(
        &self,
        field: &'static str,
        found: T,
        allowed: RangeInclusive<T>,
    ) -> Result<T, SpecError> {
        if allowed.contains(&found) {
            return Ok(found);
        }
        let allowed = format!("{} to {}", allowed.start(), allowed.end());
        Err(self.refuse(field, found, &allowed))
    }

    fn limit(
        &self,
        field: &'static str,
        found: Option<i64>,
        workers: &spec::Workers,
    ) -> Result<u32, SpecError> {
        match found {
            Some(found) if workers.kernel_limits => {
                let allowed = "nothing beside `kernel_limits = true`, which sets both limits";
                Err(self.refuse(field, found, allowed))
            }
            Some(found) => Ok(self.range(field, found, limits::WORKERS)? as u32),
            None => Ok(limits::WORKERS_DEFAULT),
        }
    }

    fn milliseconds(
        &self,
        field: &'static str,
        found: f64,
        allowed: RangeInclusive<f64>,
    ) -> Result<Duration, SpecError> {
        Ok(Duration::from_secs_f64(self.range(field, found, allowed)? / 1000.0))
    }

    fn targets(&self, spec: &Spec) -> Result<Targets, SpecError> {
        let files = self.files(spec)?;
        let (block_bytes, sizes) = sizes::of(self, spec)?;
        let size_mib = self.range("files.size_mib", spec.files.size_mib, limits::FILE_SIZE_MIB)?;
        let file_blocks = self.file_blocks(size_mib, block_bytes, op_blocks_max(&sizes))?;
        self.total("files.size_mib", u64::from(files), file_blocks)?;
        let reads = spec.mix.read > 0;
        Ok(Targets {
            files,
            file_blocks,
            block_bytes,
            sizes,
            open: self.open(spec)?,
            state: states(spec, reads),
            cached: self.cached(spec, reads)?,
            sockets: None,
        })
    }

    fn files(&self, spec: &Spec) -> Result<u32, SpecError> {
        let others = self.range("files.count", spec.files.count, limits::FILES)?;
        if spec.log.is_some() && others == *limits::FILES.end() {
            let allowed = format!("{} beside a log", others - 1);
            return Err(self.refuse("files.count", others, &allowed));
        }
        Ok(others as u32 + u32::from(spec.log.is_some()))
    }

    /// Whole blocks in a file, of which it has at least as many as the largest op.
    fn file_blocks(
        &self,
        size_mib: f64,
        block_bytes: u32,
        op_blocks_max: u32,
    ) -> Result<u64, SpecError> {
        let blocks = (size_mib * 1024.0 * 1024.0) as u64 / u64::from(block_bytes);
        if u64::from(op_blocks_max) <= blocks {
            return Ok(blocks);
        }
        let bytes = u64::from(block_bytes) * u64::from(op_blocks_max);
        let mib = bytes as f64 / 1024.0 / 1024.0;
        let allowed = format!("{mib} or more, which is one block of {bytes} bytes");
        Err(self.refuse("files.size_mib", size_mib, &allowed))
    }

    fn total(&self, field: &'static str, files: u64, file_blocks: u64) -> Result<(), SpecError> {
        let blocks = files * file_blocks;
        if blocks <= limits::BLOCKS_MAX {
            return Ok(());
        }
        let found = format!("{files} files of {file_blocks} blocks, {blocks} together");
        let allowed = format!(
            "{} blocks at most: fewer files, smaller ones or larger blocks",
            limits::BLOCKS_MAX
        );
        Err(self.refuse(field, found, &allowed))
    }

    /// Whether all tasks together have no more than one plan may have.
    pub(crate) fn of_all_tasks(&self, plan: &Plan) -> Result<(), SpecError> {
        let sum = |of: fn(&Plan) -> u64| plan.streams().map(of).sum::<u64>();
        let blocks = sum(|it| u64::from(it.files) * it.file_blocks);
        let buffers = sum(|it| {
            u64::from(it.depth) * u64::from(it.block_bytes) * u64::from(it.op_blocks_max())
        });
        for (field, of, sum, max) in [
            ("files.count", "", sum(|it| it.files.into()), *limits::FILES.end() as u64),
            ("files.size_mib", " blocks", blocks, limits::BLOCKS_MAX),
            ("ring.depth", "", sum(|it| it.depth.into()), *limits::DEPTH.end() as u64),
            ("files.block_bytes", " bytes of buffers", buffers, limits::BUFFER_BYTES_MAX),
        ] {
            if sum > max {
                let allowed = format!("{max} at most");
                return Err(self.refuse(field, format!("{sum}{of} in all tasks"), &allowed));
            }
        }
        Ok(())
    }

    fn open(&self, spec: &Spec) -> Result<Vec<Open>, SpecError> {
        let files = spec.files.count as usize;
        let mut open = spec.files.open.0.clone();
        if open.len() == 1 {
            open.resize(files, open[0]);
        }
        if open.len() != files {
            let found = format!("a list of {}", open.len());
            let allowed = format!("one value, or a list of {files}, one for each file");
            return Err(self.refuse("files.open", found, &allowed));
        }
        if let Some(log) = &spec.log {
            open.insert(0, log.open);
        }
        Ok(open)
    }

    /// Whether written data stays in the page cache, which takes data and a use of that cache.
    fn cached(&self, spec: &Spec, reads: bool) -> Result<bool, SpecError> {
        if !spec.files.cached {
            return Ok(false);
        }
        if states(spec, reads).iter().all(|state| *state != FileState::Written) {
            let allowed = "false if no file is written before; add `files.state = \"written\"`";
            return Err(self.refuse("files.cached", true, allowed));
        }
        if spec.files.open.0.iter().all(|open| *open == Open::Direct) {
            let allowed = "false if all files are opened direct, around the page cache";
            return Err(self.refuse("files.cached", true, allowed));
        }
        Ok(true)
    }

    fn depth(&self, ring: &spec::Ring, block_bytes: u32) -> Result<u32, SpecError> {
        let depth = self.range("ring.depth", ring.depth, limits::DEPTH)? as u32;
        let buffers_max = limits::BUFFER_BYTES_MAX / u64::from(block_bytes);
        if u64::from(depth) > buffers_max {
            let allowed = format!("{buffers_max} at most with blocks of {block_bytes} bytes");
            return Err(self.refuse("ring.depth", depth, &allowed));
        }
        Ok(depth)
    }

    /// Whether a linked pair fits, which is submitted whole.
    fn linked(&self, spec: &Spec, depth: u32) -> Result<u32, SpecError> {
        if (spec.mix.linked || spec.log.is_some()) && depth < 2 {
            let allowed = "2 or more, because a linked write and fsync are submitted together";
            return Err(self.refuse("ring.depth", depth, allowed));
        }
        Ok(depth)
    }

    /// Whether the order goes with the sizes of ops.
    pub(crate) fn order(&self, order: Order, sizes: &[OpSize]) -> Result<(), SpecError> {
        if matches!(order, Order::Step { .. }) && !sizes.is_empty() {
            let allowed = "sequential or another beside several sizes of blocks";
            return Err(self.refuse("files.order", order, allowed));
        }
        Ok(())
    }

    fn mix(&self, spec: &Spec) -> Result<Mix, SpecError> {
        let mix = &spec.mix;
        let weight = |field, found| self.range(field, found, limits::WEIGHT).map(|w| w as u32);
        let checked = Mix {
            write: weight("mix.write", mix.write.unwrap_or(spec.sockets.is_none().into()))?,
            read: weight("mix.read", mix.read)?,
            fallocate: weight("mix.fallocate", mix.fallocate)?,
            nop: weight("mix.nop", mix.nop)?,
            receive: weight("mix.receive", mix.receive)?,
            send: weight("mix.send", mix.send)?,
            splice: weight("mix.splice", mix.splice)?,
            writes_per_fsync: self.range(
                "mix.writes_per_fsync",
                mix.writes_per_fsync,
                limits::WRITES_PER_FSYNC,
            )? as u32,
            data_only: mix.data_only,
            linked: mix.linked,
            order: spec.files.order,
            meta: meta::of(self, spec)?,
        };
        if checked.total() == 0 {
            let allowed = "at least one kind of op above 0, such as write, read or receive";
            return Err(self.refuse("mix", "no kind of op", allowed));
        }
        if checked.writes_per_fsync > 0 && checked.write == 0 {
            let allowed = "0 if mix.write is 0";
            return Err(self.refuse("mix.writes_per_fsync", checked.writes_per_fsync, allowed));
        }
        if checked.linked && checked.writes_per_fsync == 0 {
            let allowed = "false if mix.writes_per_fsync is 0, because there is nothing to link";
            return Err(self.refuse("mix.linked", true, allowed));
        }
        Ok(checked)
    }

    fn log(&self, log: &spec::Log) -> Result<Log, SpecError> {
        let weight = 1..=*limits::WEIGHT.end();
        let writes = 1..=*limits::WRITES_PER_FSYNC.end();
        Ok(Log {
            weight: self.range("log.weight", log.weight, weight)? as u32,
            writes_per_fsync: self.range("log.writes_per_fsync", log.writes_per_fsync, writes)?
                as u32,
        })
    }

    fn arrival(&self, arrival: &spec::Arrival, depth: u32) -> Result<Arrival, SpecError> {
        let pattern = arrival.pattern;
        self.only(pattern, "arrival.pause_ms", arrival.pause_ms, &[Pattern::Closed])?;
        self.only(pattern, "arrival.min_complete", arrival.min_complete, &[Pattern::Closed])?;
        self.only(pattern, "arrival.per_s", arrival.per_s, &[Pattern::Rate, Pattern::Poisson])?;
        self.only(pattern, "arrival.burst_ops", arrival.burst_ops, &[Pattern::Bursts])?;
        self.only(pattern, "arrival.gap_ms", arrival.gap_ms, &[Pattern::Bursts])?;
        let per_s = |range| {
            let per_s = self.needed(pattern, "arrival.per_s", arrival.per_s, "ops per second")?;
            self.range("arrival.per_s", per_s, range)
        };
        Ok(match pattern {
            Pattern::Closed => {
                let pause_ms = arrival.pause_ms.unwrap_or(0.0);
                let pause = self.milliseconds("arrival.pause_ms", pause_ms, limits::WAIT_MS)?;
                let min_complete = self.min_complete(arrival.min_complete.unwrap_or(1), depth)?;
                Arrival::Closed { pause, min_complete }
            }
            Pattern::Rate => Arrival::Rate { per_s: per_s(limits::RATE_PER_S)? },
            Pattern::Poisson => Arrival::Poisson { per_s: per_s(limits::RATE_PER_S)? },
            Pattern::Bursts => {
                let ops =
                    self.needed(pattern, "arrival.burst_ops", arrival.burst_ops, "ops in a burst")?;
                let gap_ms = self.needed(
                    pattern,
                    "arrival.gap_ms",
                    arrival.gap_ms,
                    "a time between bursts",
                )?;
                Arrival::Bursts {
                    ops: self.range("arrival.burst_ops", ops, limits::BURST_OPS)? as u32,
                    gap: self.milliseconds("arrival.gap_ms", gap_ms, limits::GAP_MS)?,
                }
            }
        })
    }

    /// Completions that a round waits for; more than there are ops would be waited for in vain.
    fn min_complete(&self, found: i64, depth: u32) -> Result<u32, SpecError> {
        match u32::try_from(found) {
            Ok(min_complete) if (1..=depth).contains(&min_complete) => Ok(min_complete),
            _ => {
                let allowed = format!("1 to {depth}, which is ring.depth");
                Err(self.refuse("arrival.min_complete", found, &allowed))
            }
        }
    }

    /// Refuses a field that has no meaning for the pattern.
    fn only<T: Display>(
        &self,
        pattern: Pattern,
        field: &'static str,
        found: Option<T>,
        allowed: &[Pattern],
    ) -> Result<(), SpecError> {
        match found {
            Some(found) if !allowed.contains(&pattern) => {
                let names: Vec<_> =
                    allowed.iter().map(|pattern| format!("\"{}\"", pattern.name())).collect();
                let allowed = format!(
                    "only with pattern = {}, and here it is \"{}\"",
                    names.join(" or "),
                    pattern.name()
                );
                Err(self.refuse(field, found, &allowed))
            }
            _ => Ok(()),
        }
    }

    /// Requires a field of the pattern.
    fn needed<T>(
        &self,
        pattern: Pattern,
        field: &'static str,
        found: Option<T>,
        what: &str,
    ) -> Result<T, SpecError> {
        found.ok_or_else(|| {
            let allowed = format!("{what}, which pattern = \"{}\" needs", pattern.name());
            self.refuse(field, "nothing", &allowed)
        })
    }

    fn life(&self, ring: &spec::Ring) -> Result<Life, SpecError> {
        let life = Life {
            reopen_after_ops: self.range(
                "ring.reopen_after_ops",
                ring.reopen_after_ops,
                limits::REOPEN_AFTER_OPS,
            )? as u64,
            closed: self.milliseconds("ring.closed_ms", ring.closed_ms, limits::WAIT_MS)?,
            linger: self.milliseconds("ring.linger_ms", ring.linger_ms, limits::WAIT_MS)?,
        };
        if life.reopen_after_ops == 0 && !life.closed.is_zero() {
            let allowed = "0 if ring.reopen_after_ops is 0, because the ring is never reopened";
            return Err(self.refuse("ring.closed_ms", ring.closed_ms, allowed));
        }
        Ok(life)
    }

    fn cpus(&self, run: &spec::Run) -> Result<Option<u32>, SpecError> {
        let cpus = run.cpus.map(|cpus| self.range("run.cpus", cpus, limits::CPUS)).transpose()?;
        Ok(cpus.map(|cpus| cpus as u32))
    }

    fn length(&self, run: &spec::Run) -> Result<Length, SpecError> {
        if let (Some(ops), Some(seconds)) = (run.ops, run.seconds) {
            let found = format!("ops = {ops} and seconds = {seconds}");
            return Err(self.refuse("run", found, "one of them"));
        }
        if let Some(ops) = run.ops {
            return Ok(Length::Ops(self.range("run.ops", ops, limits::RUN_OPS)? as u64));
        }
        let seconds = run.seconds.unwrap_or(RUN_SECONDS_DEFAULT);
        let seconds = self.range("run.seconds", seconds, limits::RUN_SECONDS)?;
        Ok(Length::Time(Duration::from_secs_f64(seconds)))
    }
}

/// What is in each file before, the log's first. Who reads has files with data in them; who writes
/// finds the same blocks in every run, whatever a run before left.
fn states(spec: &Spec, reads: bool) -> Vec<FileState> {
    let default = if reads { FileState::Written } else { FileState::Allocated };
    let others =
        std::iter::repeat_n(spec.files.state.unwrap_or(default), spec.files.count as usize);
    spec.log.as_ref().map(|log| log.state).into_iter().chain(others).collect()
}
