//! From a job's options to a plan.

use std::time::Duration;

use super::engine::{Engine, EngineError, Engines};
use super::job::{Job, SECOND};
use super::refusals::Refusals;
use crate::bucket::hash_ids;
use crate::limits;
use crate::plan::{FileState, Length, Life, Only, Open, Order, Plan};

/// io-wq's idle timeout; `WORKER_IDLE_TIMEOUT` in io_uring/io-wq.c.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// A job as a plan, as if it were the only one of its file.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// What it has in common with jobs that share its files.
    pub(super) file_names: Vec<String>,
    /// Whether it names its files, so that copies of it share them.
    pub(super) is_named: bool,
    /// Whether data that is in its files before stays in the page cache.
    pub(super) is_kept: bool,
}

impl Planned {
    /// Bytes in each of its files.
    pub(super) fn file_bytes(&self) -> u64 {
        self.plan.file_blocks * u64::from(self.plan.block_bytes)
    }

    /// Says what is in its files before.
    pub(super) fn set_state(&mut self, state: FileState) {
        let plan = &mut self.plan;
        plan.state.fill(state);
        plan.cached =
            self.is_kept && state == FileState::Written && plan.open.first() != Some(&Open::Direct);
    }
}

/// The plan of a job, or what has to be changed for there to be one. `left_bytes` are in a file that
/// an earlier job has left.
pub(super) fn plan(
    name: &str,
    job: Job<'_>,
    engines: Engines,
    left_bytes: impl Fn(&[String]) -> Option<u64>,
    refusals: &mut Refusals,
) -> Option<Planned> {
    let engine = match job.engine(engines) {
        Ok(engine) => engine,
        Err(EngineError::Never(error)) => {
            refusals.add_engine(error);
            return None;
        }
        Err(EngineError::WithoutFlag(error)) => {
            refusals.add(error);
            let name = job.text("ioengine").unwrap_or_default();
            Engine { name, is_sync: false }
        }
    };
    let planned = planned(name, &job, engine, left_bytes);
    refusals.extend(job.refused());
    planned
}

fn planned(
    name: &str,
    job: &Job<'_>,
    engine: Engine<'_>,
    left_bytes: impl Fn(&[String]) -> Option<u64>,
) -> Option<Planned> {
    let (mix, files) = (job.mix(), job.keep(job.files()));
    let warmup = job.keep(job.time("ramp_time", SECOND, limits::WARMUP_SECONDS));
    let begins_after = job.keep(job.time("startdelay", SECOND, limits::WARMUP_SECONDS));
    let seed = job.keep(job.within("randseed", 1, limits::SEED));
    let force_async = job.keep(job.within("force_async", 0, 0..=1));
    let is_kept = job.keep(job.is_cached());
    let mut mix = mix?;
    let blocks = job.keep(job.blocks(mix));
    let step = blocks.as_ref().map(|blocks| job.keep(job.step(blocks)));
    mix.order = step.flatten().flatten().unwrap_or(mix.order);
    let (open, state) = (job.keep(job.open(mix.write > 0)), job.keep(job.state(mix)));
    let blocks = blocks?;
    let depth = job.keep(job.depth(engine.is_sync, &blocks));
    let pace = depth.and_then(|depth| job.keep(job.arrival(&mut mix, &blocks, depth)));
    let files = files?;
    let count = files.count as u32;
    let size = job.keep(job.size(count, &blocks, mix.order, left_bytes(&files.names)))?;
    let length = job.keep(job.length(size, &blocks, mix, count));
    let (arrival, depth) = pace?;
    let length = length?;
    let is_timed = blocks.sizes.is_empty() || matches!(length, Length::Time(_));
    let plan = Plan {
        name: name.to_owned(),
        summary: String::new(),
        origin: format!("Job [{}] of the fio job file {}.", job.section.name, job.file),
        files: count,
        file_blocks: size.file_blocks,
        block_bytes: blocks.bytes,
        sizes: blocks.sizes,
        align_blocks: blocks.align_blocks,
        is_cut: blocks.is_cut && mix.order == Order::Random,
        open: vec![open?; files.count],
        state: vec![FileState::Fresh; files.count],
        cached: false,
        hash_ids: hash_ids(count, false),
        sockets: None,
        mix,
        log: None,
        depth,
        force_async: force_async? == 1,
        only: Only::default(),
        arrival,
        life: Life { reopen_after_ops: 0, closed: Duration::ZERO, linger: Duration::ZERO },
        limits: [limits::WORKERS_DEFAULT; 2],
        later: None,
        kernel_limits: true,
        idle_timeout: IDLE_TIMEOUT,
        length,
        io_blocks: if is_timed { 0 } else { size.io_blocks },
        warmup: warmup?.unwrap_or(Duration::ZERO),
        seed: seed?,
        verify: true,
        cpus: None,
        begins_after: begins_after?.unwrap_or_default(),
        group: 0,
        ends_groups: 0,
        tasks: Vec::new(),
    };
    let summary = summary(job, engine, &plan);
    let plan = Plan { summary, ..plan };
    let mut planned = Planned {
        plan,
        file_names: files.names,
        is_named: job.given("filename"),
        is_kept: is_kept?,
    };
    planned.set_state(state?);
    Some(planned)
}

/// What it is, what was ignored, and what is not quite as in fio.
fn summary(job: &Job<'_>, engine: Engine<'_>, plan: &Plan) -> String {
    let mut text = format!("fio job [{}].", job.section.name);
    if engine.name != "io_uring" {
        let sync = if engine.is_sync { ", which has one op in flight" } else { "" };
        text.push_str(&format!(
            " It is run as if by io_uring; its engine is {}{sync}.",
            engine.name
        ));
    }
    let ignored = job.options.ignored();
    if !ignored.is_empty() {
        text.push_str(&format!(" Ignored: {}.", ignored.join(", ")));
    }
    if job.given("filename") {
        text.push_str(" There is a file for each name in filename; the names are not used");
        let and_nrfiles = job.given("nrfiles");
        text.push_str(if and_nrfiles { ", nor is nrfiles, as in fio." } else { "." });
    }
    if plan.mix.writes_per_fsync > 0 && (plan.depth > 1 || plan.mix.read > 0) {
        text.push_str(
            " One fsync after each N writes; fio issues more of them at this depth or in this mix.",
        );
    }
    text
}
