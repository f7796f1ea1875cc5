//! What the threads of a pool share: the lock around the state, and how threads are created.

use std::io;
use std::time::Duration;

use crate::clock;
use crate::core::Core;
use crate::counters::RunCounters;
use crate::create::AfterFailure;
use crate::job::{BlockingObserver, Job};
use crate::parker::Parker;
use crate::state::Effects;
use crate::submitter::SubmitterWake;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use crate::sync::{Arc, Mutex, MutexGuard, spawn};
use crate::work::{Account, WorkerId};

/// Stack of a worker. It runs one system call at a time and takes the time.
pub const STACK_BYTES: usize = 128 << 10;

/// Counters that workers and the submitter read without the lock, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Signals {
    /// Workers that are awake, or spin before a sleep, and are in no work that may block. Each soon
    /// queues what was submitted.
    looking: AtomicU32,
    /// Counts submissions, so that a worker that spins sees a new one.
    submitted: AtomicU32,
}

/// What only the submitter has to do or does; it changes less often than [`Signals`].
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct SubmitterSignals {
    /// Whether it has threads to create.
    pub(super) creates: AtomicBool,
    /// Whether it sleeps, and leaves its processor to a worker.
    pub(super) sleeps: AtomicBool,
    /// Whether works may block and workers need its processor, so that it is to sleep, not to spin.
    pub(super) crowded: AtomicBool,
}

/// Sets a flag that seldom changes; if it has this value its readers keep their cache line.
fn set(flag: &AtomicBool, value: bool) {
    if flag.load(Ordering::Relaxed) != value {
        flag.store(value, Ordering::Release);
    }
}

impl Signals {
    /// How often the submitter submitted.
    pub(super) fn submitted(&self) -> u32 {
        self.submitted.load(Ordering::Relaxed)
    }

    /// Counts a submission. True if no worker is going to queue it.
    pub(super) fn submits(&self) -> bool {
        self.submitted.store(self.submitted().wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.none_looks()
    }

    /// Whether no worker is looking.
    pub(super) fn none_looks(&self) -> bool {
        self.looking.load(Ordering::Relaxed) == 0
    }
}

/// What all threads of a pool share.
pub(super) struct Shared<J: Job, B> {
    pub(super) core: Mutex<Core<J, B>>,
    /// Whether steps need the time.
    pub(super) needs_clock: bool,
    pub(super) signals: Signals,
    pub(super) of_submitter: SubmitterSignals,
    /// Processors that the pool may use.
    pub(super) processors: u32,
    pub(super) parkers: Vec<Parker>,
    pub(super) submitter: Arc<dyn SubmitterWake>,
    pub(super) idle_timeout: Duration,
    pub(super) observer: Arc<dyn BlockingObserver>,
    /// What the thread of a worker runs.
    pub(super) run: fn(&Arc<Shared<J, B>>, WorkerId),
}

impl<J: Job, B: RunCounters + 'static> Shared<J, B> {
    /// Takes the lock, for one step. Panics if a policy did before, as a step may be half taken.
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<J, B>> {
        let mut core = self.core.lock().expect("the policy did not panic in an earlier step");
        if self.needs_clock {
            core.state.set_now(clock::now());
        }
        core
    }

    /// Takes one step under the lock, and carries out its effects.
    pub(super) fn step<R>(
        self: &Arc<Self>,
        effects: &mut Effects,
        change: impl FnOnce(&mut Core<J, B>, &mut Effects) -> R,
    ) -> R {
        self.locked(effects, |core, effects| {
            core.take_submitted(effects);
            change(core, effects)
        })
    }

    /// [`Shared::step`] without queueing what was submitted before.
    pub(super) fn locked<R>(
        self: &Arc<Self>,
        effects: &mut Effects,
        change: impl FnOnce(&mut Core<J, B>, &mut Effects) -> R,
    ) -> R {
        let mut core = self.lock();
        let result = change(&mut core, effects);
        self.let_go(core, effects);
        self.perform(effects);
        result
    }

    /// Releases the lock. What ended and what is to be created is published before.
    fn let_go(&self, mut core: MutexGuard<'_, Core<J, B>>, effects: &mut Effects) {
        core.publish();
        let signals = &self.of_submitter;
        set(&signals.creates, core.creates());
        // If workers report calls themselves, it is not known which of them need a processor.
        let crowded = core.blocking() > 0
            && (self.observer.self_reported() || core.running() >= self.processors);
        set(&signals.crowded, crowded);
        if core.blocking() > 0 {
            Account::ALL.into_iter().for_each(|account| core.make_up(account, effects));
        } else if !effects.wakes.is_empty() {
            // No processor is idle, and none will be soon as no work blocks.
            let awake = core.running() + u32::from(!signals.sleeps.load(Ordering::Relaxed));
            if awake >= self.processors {
                core.put_off(effects);
            }
        }
    }

    /// A worker runs from now on. It holds the lock, as all do that change the number.
    pub(super) fn starts_looking(&self, core: &mut Core<J, B>, id: WorkerId) {
        core.looking[core.state.worker_account(id).index()] += 1;
        self.signals.looking.store(core.looking.iter().sum(), Ordering::Relaxed);
        core.put_off.retain(|&other| other != id);
    }

    /// A worker goes to sleep, exits, or begins a work that may block. It holds the lock.
    pub(super) fn stops_looking(&self, core: &mut Core<J, B>, id: WorkerId, effects: &mut Effects) {
        let account = core.state.worker_account(id);
        core.looking[account.index()] -= 1;
        let left: u32 = core.looking.iter().sum();
        self.signals.looking.store(left, Ordering::Relaxed);
        if left == 0 {
            // The submitter looks at this number after it submitted, and this looks at what was
            // submitted after it changed the number, so that one of them sees the other.
            fence(Ordering::SeqCst);
            core.take_submitted(effects);
            // No other worker would queue what is behind a work that needs a thread.
            if effects.spawn.is_none() {
                effects.spawn = core.spawn.take();
            }
            core.take_submitted(effects);
        }
        if !core.is_looked_after(account) {
            core.make_up(account, effects);
        }
    }

    /// A worker that goes to sleep looks for a wake before, if it may. False if it may not.
    pub(super) fn begins_spin(
        &self,
        core: &mut Core<J, B>,
        id: WorkerId,
        effects: &mut Effects,
    ) -> bool {
        let account = core.state.worker_account(id);
        core.spinning[account.index()] += 1;
        let spins = self.may_spin(core);
        if !spins {
            core.spinning[account.index()] -= 1;
        } else if !core.is_looked_after(account) {
            core.make_up(account, effects);
        }
        spins
    }

    /// Whether those that spin have processors that no other worker and not the submitter needs.
    pub(super) fn may_spin(&self, core: &Core<J, B>) -> bool {
        let spinning: u32 = core.spinning.iter().sum();
        core.blocking() == 0 && 1 + core.running() + spinning <= self.processors
    }

    /// A worker has stopped looking for a wake.
    pub(super) fn ends_spin(&self, core: &mut Core<J, B>, id: WorkerId) {
        core.spinning[core.state.worker_account(id).index()] -= 1;
    }

    /// Whether this job's worker reports blocking itself.
    pub(super) fn reports_itself(&self, job: &J) -> bool {
        self.observer.self_reported() && job.may_block()
    }

    /// Carries out the effects of a step. The lock is not held.
    pub(super) fn perform(self: &Arc<Self>, effects: &mut Effects) {
        for id in effects.wakes.drain(..) {
            self.parkers[id.index()].unpark();
        }
        if std::mem::take(&mut effects.notify) {
            self.submitter.wake();
        }
        if let Some(id) = effects.spawn.take() {
            self.create(id);
        }
    }

    /// Creates the thread of a slot, here and now.
    pub(super) fn create(self: &Arc<Self>, id: WorkerId) {
        let began = clock::now();
        // The last user of the slot has left the pool, and is at most about to end.
        let last = self.lock().handles[id.index()].take();
        if let Some(last) = last {
            // A worker that panicked has nothing to report.
            let _ = last.join();
        }
        let shared = Arc::clone(self);
        let created =
            spawn(format!("wq-pool-{}", id.0), STACK_BYTES, move || (shared.run)(&shared, id));
        let mut effects = Effects::default();
        let mut core = self.lock();
        match created {
            Ok(handle) => {
                core.state.spawned(id);
                core.note_birth(id);
                core.handles[id.index()] = Some(handle);
                core.creation_ns.push(clock::now().since(began));
            }
            Err(error) => {
                let transient = error.kind() == io::ErrorKind::WouldBlock;
                match core.state.spawn_failed(id, transient, &mut effects) {
                    AfterFailure::Retry(delay) => {
                        core.retries.push((clock::now().after(delay), id));
                        effects.notify = true;
                    }
                    AfterFailure::GaveUp => {}
                }
            }
        }
        self.let_go(core, &mut effects);
        self.perform(&mut effects);
    }
}
