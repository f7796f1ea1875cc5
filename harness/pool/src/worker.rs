//! A worker's thread: takes its steps under the lock, runs works and sleeps without it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::clock;
use crate::core::Core;
use crate::counters::RunCounters;
use crate::job::Job;
use crate::parker::Spun;
use crate::shared::Shared;
use crate::state::{Effects, WorkOutcome};
use crate::step::NextStep;
use crate::submitter::SubmitterWake;
use crate::sync::{Arc, thread};
use crate::work::{Key, WorkerId};

/// The next step, and the job to run with the key of its work, if it is one.
type Next<J> = (NextStep, Option<(J, Key)>);

/// One worker's thread, from birth to exit.
pub(super) fn run<J: Job, B: RunCounters + 'static>(shared: &Arc<Shared<J, B>>, id: WorkerId) {
    let _wakes = WakesIfPanicking(&*shared.submitter);
    let mut effects = Effects::default();
    let account = {
        let mut core = shared.lock();
        core.state.started(id);
        core.note_birth(id);
        shared.starts_looking(&mut core, id);
        core.state.worker_account(id)
    };
    shared.observer.worker_started(id, account);
    // Whether its last work was one that does not block, so that the next one may come at once.
    let mut brief = false;
    let mut next = step(shared, id, &mut effects, |core, _| core.state.next_step(id));
    loop {
        next = match next {
            (NextStep::Run(work), Some((job, key))) => {
                let blocks = job.may_block();
                brief = !blocks;
                let (outcome, seen) = run_job(shared, id, job, key);
                shared.locked(&mut effects, |core, effects| {
                    core.take_submitted_if_due(account, effects);
                    core.seen[work.index()] = seen;
                    if blocks {
                        shared.starts_looking(core, id);
                    }
                    if shared.reports_itself(&job) {
                        core.state.unblock(id);
                    }
                    let next = core.state.finish(id, outcome, effects);
                    with_job(shared, core, id, next, effects)
                })
            }
            (NextStep::Sleep, _) => sleep(shared, id, &mut effects, brief),
            (NextStep::Exit, _) => break,
            _ => step(shared, id, &mut effects, |core, _| core.state.next_step(id)),
        };
    }
    shared.observer.worker_ended(id);
    shared.step(&mut effects, |core, _| {
        core.state.exited(id);
        core.note_exit(account);
    });
}

/// Wakes the submitter if a policy panics on this thread, which would have woken it.
struct WakesIfPanicking<'a>(&'a dyn SubmitterWake);

impl Drop for WakesIfPanicking<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.wake();
        }
    }
}

/// Runs a work between the two marks that tell blocking in it from any other sleep.
fn run_job<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    job: J,
    key: Key,
) -> (WorkOutcome, J::Seen) {
    shared.observer.work_begins(id, key);
    // What a job that panics leaves half done is the job's own; the pool has nothing of it.
    let ended = catch_unwind(AssertUnwindSafe(|| job.run()));
    shared.observer.work_ends(id);
    ended.unwrap_or_else(|_| (WorkOutcome::Panicked, J::Seen::default()))
}

/// Goes to sleep, unless woken meanwhile, and rescans afterwards.
fn sleep<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
    brief: bool,
) -> Next<J> {
    let (sleeps, spins) = shared.step(effects, |core, effects| {
        let sleeps = core.state.sleep(id, effects);
        let spins = sleeps && brief && shared.begins_spin(core, id, effects);
        if sleeps && !spins {
            shared.stops_looking(core, id, effects);
        }
        (sleeps, spins)
    });
    if !sleeps {
        return step(shared, id, effects, |core, _| core.state.next_step(id));
    }
    if spins && spin(shared, id, effects) {
        return step(shared, id, effects, |core, _| {
            shared.ends_spin(core, id);
            core.put_off.retain(|&other| other != id);
            core.state.woke(id, false);
            core.state.next_step(id)
        });
    }
    let timed_out = !park(shared, id, effects);
    step(shared, id, effects, |core, _| {
        shared.starts_looking(core, id);
        core.state.woke(id, timed_out);
        core.state.next_step(id)
    })
}

/// Sleeps until woken, or for a whole timeout, which a wake that was put off starts anew. False if
/// that passed.
fn park<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
) -> bool {
    let mut until = clock::now().after(shared.idle_timeout);
    let mut left = shared.idle_timeout;
    loop {
        if shared.parkers[id.index()].park(Some(left)) {
            return true;
        }
        let slept_on = shared.locked(effects, |core, _| core.slept_on[id.index()]);
        until = until.max(slept_on.after(shared.idle_timeout));
        left = until.until(clock::now());
        if left.is_zero() {
            return false;
        }
    }
}

/// Looks for a wake for a while, and queues what is submitted meanwhile. False if none came.
fn spin<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
) -> bool {
    loop {
        let submitted = shared.signals.submitted();
        match shared.parkers[id.index()].spin(|| shared.signals.submitted() != submitted) {
            Spun::Woken => return true,
            Spun::Busy if shared.step(effects, |core, _| shared.may_spin(core)) => {}
            _ => break,
        }
    }
    shared.step(effects, |core, effects| {
        shared.ends_spin(core, id);
        shared.stops_looking(core, id, effects);
    });
    false
}

/// Takes one step, and says what comes next.
fn step<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
    change: impl FnOnce(&mut Core<J, B>, &mut Effects) -> NextStep,
) -> Next<J> {
    shared.step(effects, |core, effects| {
        let next = change(core, effects);
        with_job(shared, core, id, next, effects)
    })
}

/// The next step, with the job if it is one.
fn with_job<J: Job, B: RunCounters + 'static>(
    shared: &Shared<J, B>,
    core: &mut Core<J, B>,
    id: WorkerId,
    next: NextStep,
    effects: &mut Effects,
) -> Next<J> {
    let job = match next {
        NextStep::Run(work) => core.jobs[work.index()].map(|job| (job, core.state.held(id))),
        _ => None,
    };
    if next == NextStep::Exit || job.is_some_and(|(job, _)| job.may_block()) {
        shared.stops_looking(core, id, effects);
    }
    // The call comes next, so that it costs no step of its own.
    if job.is_some_and(|(job, _)| shared.reports_itself(&job)) {
        core.state.block(id, effects);
    }
    (next, job)
}
