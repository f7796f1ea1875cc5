//! A pool on threads, as its one submitter uses it.

use std::time::Duration;

use crate::clock::{self, Nanos};
use crate::counters::RunCounters;
use crate::parker::Parker;
use crate::policy::Policy;
use crate::shared::{BlockingObserver, Core, Job, Shared};
use crate::state::{Completion, Effects, PoolTally, State};
use crate::submitter::SubmitterWait;
use crate::sync::{Arc, Mutex};
use crate::teardown::{Deciles, Teardowns};
use crate::work::{Account, Flags, WorkId};
use crate::worker;

/// How a pool is set up.
pub struct Config {
    /// Works that may be queued or running at the same time.
    pub works: u32,
    /// Workers that may be alive at the same time, whatever the limits.
    pub slots: u32,
    /// Limits on bounded and unbounded workers.
    pub limits: [u32; 2],
    /// How long an idle worker sleeps before it may exit.
    pub idle_timeout: Duration,
    /// How long a closed ring remains its task's.
    pub teardown: Deciles,
}

/// What a pool reports at its end.
pub struct PoolReport {
    /// Counts of what happened.
    pub tally: PoolTally,
    /// When a worker of an account was born (true) or exited (false), in order.
    pub lives: Vec<(Nanos, bool, Account)>,
    /// Time that the creation of each took its creator, in nanoseconds.
    pub creation_ns: Vec<u64>,
}

/// A pool on threads.
pub struct Pool<J: Job, B: RunCounters + 'static> {
    shared: Arc<Shared<J, B>>,
    waiter: Box<dyn SubmitterWait>,
    effects: Effects,
    teardowns: Teardowns,
    /// What was seen of each work, as of its last reaping.
    seen: Vec<J::Seen>,
}

impl<J: Job, B: RunCounters + 'static> Pool<J, B> {
    /// A pool under this policy, with the workers that it wants from the start.
    #[must_use]
    pub fn new(
        policy: Box<dyn Policy>,
        counters: B,
        config: &Config,
        observer: Arc<dyn BlockingObserver>,
        waiter: Box<dyn SubmitterWait>,
    ) -> Pool<J, B> {
        let slots = config.slots as usize;
        let state = State::new(policy, counters, config.works, config.slots, config.limits);
        let needs_clock = state.needs_clock();
        let core = Core {
            jobs: vec![None; config.works as usize],
            seen: vec![J::Seen::default(); config.works as usize],
            handles: (0..slots).map(|_| None).collect(),
            noted: 0,
            lives: Vec::new(),
            creation_ns: Vec::new(),
            retries: Vec::new(),
            state,
        };
        let shared = Arc::new(Shared {
            core: Mutex::new(core),
            parkers: (0..slots).map(|_| Parker::default()).collect(),
            submitter: waiter.waker(),
            idle_timeout: config.idle_timeout,
            observer,
            needs_clock,
            run: worker::run,
        });
        let seen = vec![J::Seen::default(); config.works as usize];
        let teardowns = Teardowns::new(config.teardown);
        let pool = Pool { shared, waiter, effects: Effects::default(), teardowns, seen };
        let at_start = pool.shared.lock().state.workers_at_start();
        for _ in 0..at_start {
            let slot = pool.shared.lock().state.spawn_at_start();
            if let Some(id) = slot {
                pool.shared.create(id, None);
            }
        }
        pool
    }

    /// Opens a ring.
    pub fn open(&mut self) {
        self.shared.lock().state.ring_opened();
    }

    /// Closes a ring. It is gone once it is torn down.
    pub fn close(&mut self) {
        self.teardowns.close(clock::now());
        self.run_teardowns();
    }

    /// Drops the rings whose teardown is over. The kernel interrupts the submitter for that, as it
    /// does for a creation. Returns when the next teardown is over.
    fn run_teardowns(&mut self) -> Option<Nanos> {
        self.teardowns.next()?;
        while self.teardowns.take_due(clock::now()) {
            self.shared.lock().state.ring_gone(&mut self.effects);
            self.shared.perform(&mut self.effects);
        }
        self.teardowns.next()
    }

    /// Defines a work that another one links to.
    pub fn define(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.shared.lock().define(work, job, flags, link);
    }

    /// Defines a work and queues it.
    pub fn submit(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        let mut core = self.shared.lock();
        core.define(work, job, flags, link);
        core.state.enqueue(work, &mut self.effects);
        drop(core);
        self.shared.perform(&mut self.effects);
    }

    /// Cancels a queued work. False if it runs or is done.
    pub fn cancel(&mut self, work: WorkId) -> bool {
        let cancelled = self.shared.lock().state.cancel(work, &mut self.effects);
        self.shared.perform(&mut self.effects);
        cancelled
    }

    /// Waits until `want` more works are done or until `until`, whichever is first, and moves
    /// completions to `out`. Carries out spawn requests meanwhile.
    pub fn wait(&mut self, want: usize, until: Option<Nanos>, out: &mut Vec<Completion>) {
        let target = out.len() + want;
        while !self.wait_once(target.saturating_sub(out.len()), until, out) {}
    }

    /// The same with one sleep at most; false if neither is reached yet. With `want` zero only the
    /// time ends the wait.
    pub fn wait_once(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> bool {
        let target = out.len() + want;
        loop {
            let retry_at = self.run_creations();
            let gone_at = self.run_teardowns();
            let mut core = self.shared.lock();
            core.state.want(0);
            let reaped = out.len();
            core.state.reap(out);
            for done in &out[reaped..] {
                self.seen[done.work.index()] = core.seen[done.work.index()];
            }
            let now = clock::now();
            let late = until.is_some_and(|until| until <= now);
            if (want > 0 && out.len() >= target) || late {
                return true;
            }
            if core.state.creation_pending() {
                continue;
            }
            core.state.want(if want == 0 { usize::MAX } else { target - out.len() });
            drop(core);
            let deadline = [until, retry_at, gone_at].into_iter().flatten().min();
            self.waiter.wait(deadline.map(|deadline| deadline.until(now)));
            return false;
        }
    }

    /// What was seen of a work that [`Pool::wait`] returned, until it is submitted again; the
    /// default if it was cancelled before it ran.
    #[must_use]
    pub fn seen(&self, work: WorkId) -> J::Seen {
        self.seen[work.index()]
    }

    /// Carries out spawn requests, and retries that are due. Returns when the next retry is due.
    pub fn run_creations(&mut self) -> Option<Nanos> {
        let shared = &self.shared;
        self.waiter.requests(&mut |request| shared.lock().state.spawn_requested(request));
        loop {
            let mut core = self.shared.lock();
            let now = if core.retries.is_empty() { Nanos(0) } else { clock::now() };
            let due = core.retries.iter().position(|&(at, _)| at <= now);
            let slot = match due {
                Some(place) => Some(core.retries.swap_remove(place).1),
                None if core.state.creation_pending() => core.state.run_creation(&mut self.effects),
                None => return core.retries.iter().map(|&(at, _)| at).min(),
            };
            drop(core);
            self.shared.perform(&mut self.effects);
            if let Some(id) = slot {
                self.shared.create(id, None);
            }
        }
    }

    /// Workers alive, by the pool's own count.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.shared.lock().state.alive()
    }

    /// Ends the pool: bounded work is done, unbounded work is cancelled, all workers are joined.
    #[must_use]
    pub fn exit(mut self) -> PoolReport {
        let mut core = self.shared.lock();
        core.state.exit(&mut self.effects);
        for (_, id) in std::mem::take(&mut core.retries) {
            core.state.spawn_failed(id, false, None, &mut self.effects);
        }
        drop(core);
        self.shared.perform(&mut self.effects);
        // A worker that is still creating another is joined before that one, or stores the new
        // handle before it ends.
        loop {
            let handle = self.shared.lock().handles.iter_mut().find_map(Option::take);
            let Some(handle) = handle else { break };
            let _ = handle.join();
        }
        let mut core = self.shared.lock();
        PoolReport {
            tally: core.state.tally(),
            lives: std::mem::take(&mut core.lives),
            creation_ns: std::mem::take(&mut core.creation_ns),
        }
    }
}
