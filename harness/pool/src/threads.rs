//! A pool on threads, as its one submitter uses it.

use std::time::Duration;

use crate::clock::{self, Nanos};
use crate::core::Core;
use crate::counters::RunCounters;
use crate::job::{BlockingObserver, Job, Submission};
use crate::parker::Parker;
use crate::policy::Policy;
use crate::reaping::Reaping;
use crate::shared::{Shared, Signals, SubmitterSignals};
use crate::state::{Effects, PoolTally, State};
use crate::submitter::SubmitterWait;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, Mutex, processors};
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

/// A pool on threads. Its workers exit if it is dropped, which does not wait for them.
pub struct Pool<J: Job, B: RunCounters + 'static> {
    pub(super) shared: Arc<Shared<J, B>>,
    pub(super) waiter: Box<dyn SubmitterWait>,
    pub(super) effects: Effects,
    /// Works that the next holder of the lock queues.
    submitted: rtrb::Producer<Submission<J>>,
    teardowns: Teardowns,
    pub(super) reaping: Reaping<J>,
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
        let works = config.works as usize;
        let (ended, from_workers) = rtrb::RingBuffer::new(works);
        let (submitted, from_submitter) = rtrb::RingBuffer::new(works);
        let core = Core::new(state, [works, slots], ended, from_submitter);
        let shared = Arc::new(Shared {
            core: Mutex::new(core),
            parkers: (0..slots).map(|_| Parker::default()).collect(),
            submitter: waiter.waker(),
            idle_timeout: config.idle_timeout,
            observer,
            needs_clock,
            signals: Signals::default(),
            of_submitter: SubmitterSignals::default(),
            processors: processors(),
            run: worker::run,
        });
        let pool = Pool {
            reaping: Reaping::new(from_workers, works, shared.processors > 1),
            shared,
            waiter,
            effects: Effects::default(),
            submitted,
            teardowns: Teardowns::new(config.teardown),
        };
        let at_start = pool.shared.lock().state.workers_at_start();
        for _ in 0..at_start {
            let slot = pool.shared.lock().state.spawn_at_start();
            if let Some(id) = slot {
                pool.shared.create(id);
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
    pub(super) fn run_teardowns(&mut self) -> Option<Nanos> {
        self.teardowns.next()?;
        while self.teardowns.take_due(clock::now()) {
            self.shared.step(&mut self.effects, |core, effects| core.state.ring_gone(effects));
        }
        self.teardowns.next()
    }

    /// Defines a work that another one links to.
    ///
    /// # Panics
    /// If it is not below [`Config::works`], is defined already or in flight, or its bucket is not
    /// below [`BUCKETS`](crate::work::BUCKETS).
    pub fn define(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.reaping.in_flight.define(work, flags, link);
        self.shared.lock().define(work, job, flags, link);
    }

    /// Defines a work and queues it.
    ///
    /// # Panics
    /// As [`Pool::define`], and if a work is linked behind it that is not defined.
    pub fn submit(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.submit_all([Submission { work, job, flags, link }]);
    }

    /// Defines works and queues them, one after the other. Those that do not block are left to a worker
    /// that looks for work anyway, if there is one: it queues them, as if no worker came in between.
    ///
    /// # Panics
    /// As [`Pool::submit`]. Which works before that one are queued is then open.
    pub fn submit_all(&mut self, works: impl IntoIterator<Item = Submission<J>>) {
        let mut works = works.into_iter();
        let mut blocks = true;
        while blocks {
            blocks = false;
            let in_flight = &mut self.reaping.in_flight;
            // A worker may block before the next one is queued, which decides what becomes of that.
            let next = std::iter::from_fn(|| {
                let it = if blocks { None } else { works.next() }?;
                in_flight.submit(it.work, it.flags, it.link);
                blocks = it.job.may_block();
                Some(it)
            });
            // There is room, as each work is in flight once, until its end is taken.
            let Ok(room) = self.submitted.write_chunk_uninit(self.submitted.slots()) else {
                return;
            };
            let submitted = room.fill_from_iter(next);
            if submitted > 0 && (self.shared.signals.submits() || blocks) {
                self.queue_submitted();
            }
        }
    }

    /// Queues all works that were submitted, and creates the threads for them.
    pub(super) fn queue_submitted(&mut self) {
        // A step queues all, up to one that needs a thread; a worker may have come to such a one.
        while let Some(id) = self.shared.step(&mut self.effects, |core, _| core.spawn.take()) {
            self.shared.create(id);
        }
    }

    /// Whether works wait to be queued, and no worker is going to do that.
    pub(super) fn is_left_alone(&self) -> bool {
        self.submitted.slots() < self.submitted.buffer().capacity()
            && self.shared.signals.none_looks()
    }

    /// Cancels a queued work, and those linked behind it. False if it is not queued: it waits for
    /// the one that it is linked behind, runs, is done or was never submitted.
    pub fn cancel(&mut self, work: WorkId) -> bool {
        self.queue_submitted();
        self.shared.step(&mut self.effects, |core, effects| core.state.cancel(work, effects))
    }

    /// Sets the limits on bounded and unbounded workers; none for no change. Those beyond a lower one
    /// exit when they are idle.
    pub fn set_limits(&mut self, limits: [Option<u32>; 2]) {
        self.shared.step(&mut self.effects, |core, _| core.state.set_limits(limits));
    }

    /// Carries out spawn requests, and retries that are due. Returns when the next retry is due.
    pub fn run_creations(&mut self) -> Option<Nanos> {
        let (shared, effects) = (&self.shared, &mut self.effects);
        self.waiter.requests(&mut |request| {
            shared.step(effects, |core, _| core.state.spawn_requested(request));
        });
        while self.shared.of_submitter.creates.load(Ordering::Acquire) {
            let (next, retry_at) = self.shared.step(&mut self.effects, Core::next_creation);
            match next {
                Some(id) => self.shared.create(id),
                None if retry_at.is_some() => return retry_at,
                None => {}
            }
        }
        None
    }

    /// Workers alive, by the pool's own count.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.shared.lock().state.alive()
    }

    /// Ends the pool: bounded work is done, unbounded work is cancelled, all workers are joined.
    #[must_use]
    pub fn exit(mut self) -> PoolReport {
        self.queue_submitted();
        self.end();
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

    /// Has all workers exit once they are done, and creates no more.
    fn end(&mut self) {
        self.shared.step(&mut self.effects, |core, effects| {
            core.state.exit(effects);
            let left = core.retries.drain(..).map(|(_, id)| id).chain(core.spawn.take());
            for id in left {
                core.state.spawn_failed(id, false, effects);
            }
        });
    }
}

impl<J: Job, B: RunCounters + 'static> Drop for Pool<J, B> {
    fn drop(&mut self) {
        // After a panic of the policy its workers end at their next step.
        if self.shared.core.lock().is_ok() {
            self.end();
        }
    }
}
