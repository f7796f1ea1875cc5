//! The pool of this project, under any of its policies.

use std::time::Duration;

use anyhow::Context as _;
use iowq_harness::engine::blocking::{ProbeWait, SchedSwitch, SharedCounters};
use iowq_harness::probes::{Bpf, BpfOptions};
use iowq_harness::sync::Arc;
use iowq_pool::counters::{LocalCounters, RunCounters};
use iowq_pool::policy::{PRESETS, Registry};
use iowq_pool::work::{Account, Flags, WorkId};
use iowq_pool::{
    Completion, Config, Job, ParkedWait, Pool, SelfReported, Submission, WorkOutcome, teardown,
};

use super::{Contender, Wait};
use crate::task::Task;

impl Job for Task {
    type Seen = ();

    fn run(self) -> (WorkOutcome, ()) {
        Task::run(self);
        (WorkOutcome::Done, ())
    }

    fn may_block(&self) -> bool {
        !matches!(self, Task::Nop)
    }
}

/// The names of the presets.
pub fn presets() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// The pool with an open ring.
pub struct Iowq<B: RunCounters + 'static> {
    pool: Option<Pool<Task, B>>,
    completions: Vec<Completion>,
    // Detached once the workers have ended.
    _bpf: Option<Bpf>,
}

/// A pool under this policy, whose limit is this many workers, which report blocking themselves.
///
/// # Errors
/// An unknown policy.
pub fn start(policy: &str, workers: u32, depth: u32) -> anyhow::Result<Iowq<LocalCounters>> {
    let policy = Registry::builtin().parse(policy)?.build();
    let (counters, wait) = (LocalCounters::default(), Box::new(ParkedWait::default()));
    let config = config(workers, depth);
    let pool = Pool::new(policy, counters, &config, Arc::new(SelfReported), wait);
    Ok(Iowq::open(pool, depth, None))
}

/// The same under the scheduler's probe, which reports when a worker blocks, as in a run by root.
///
/// # Errors
/// An unknown policy, or what the kernel refuses; without root it does.
pub fn probed(policy: &str, workers: u32, depth: u32) -> anyhow::Result<Iowq<SharedCounters>> {
    let policy = Registry::builtin().parse(policy)?.build();
    let mut bpf = Bpf::start(&BpfOptions { sched: true, ..BpfOptions::default() })?;
    let parts = bpf.page().zip(bpf.tracker()).zip(bpf.take_blocks());
    let ((page, tracker), blocks) = parts.context("the scheduler's probe is off")?;
    let sched = Arc::new(SchedSwitch::new(Arc::clone(&page), tracker));
    let (counters, wait) =
        (SharedCounters::new(page, policy.probe_rule()), Box::new(ProbeWait(blocks)));
    let pool = Pool::new(policy, counters, &config(workers, depth), sched, wait);
    Ok(Iowq::open(pool, depth, Some(bpf)))
}

fn config(workers: u32, depth: u32) -> Config {
    Config {
        works: depth,
        slots: workers + 1,
        limits: [workers; 2],
        idle_timeout: Duration::from_secs(5),
        teardown: teardown::measured(),
    }
}

impl<B: RunCounters + 'static> Iowq<B> {
    fn open(mut pool: Pool<Task, B>, depth: u32, bpf: Option<Bpf>) -> Iowq<B> {
        pool.open();
        Iowq { pool: Some(pool), completions: Vec::with_capacity(depth as usize), _bpf: bpf }
    }
}

/// As a kernel queues it since 6.6: writes are hashed by their file, no-ops and fsyncs CONCURRENT.
fn flags(task: Task) -> Flags {
    let bucket = match task {
        Task::Write(file, _) => Some((file.unsigned_abs() % 64) as u8),
        Task::Nop | Task::Fsync(_) => None,
    };
    Flags { account: Account::Bounded, bucket, concurrent: bucket.is_none() }
}

impl<B: RunCounters + 'static> Contender for Iowq<B> {
    fn submit(&mut self, ops: &[(u32, Task)]) {
        let Some(pool) = &mut self.pool else { return };
        pool.submit_all(ops.iter().map(|&(op, job)| Submission {
            work: WorkId(op),
            job,
            flags: flags(job),
            link: None,
        }));
    }

    fn reap(&mut self, wait: Wait, out: &mut Vec<u32>) {
        let Some(pool) = &mut self.pool else { return };
        match wait {
            Wait::Polling => drop(pool.poll(&mut self.completions)),
            Wait::Sleeping => pool.wait(1, None, &mut self.completions),
        }
        out.extend(self.completions.drain(..).map(|done| done.work.0));
    }
}

impl<B: RunCounters + 'static> Drop for Iowq<B> {
    fn drop(&mut self) {
        let _ = self.pool.take().map(Pool::exit);
    }
}
