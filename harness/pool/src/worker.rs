//! A worker's thread: takes its steps under the lock, runs works and sleeps without it.

use crate::clock;
use crate::counters::RunCounters;
use crate::shared::{Core, Job, Shared};
use crate::state::{Effects, WorkOutcome};
use crate::step::NextStep;
use crate::sync::Arc;
use crate::work::{Key, WorkerId};

/// The next step, and the job to run with the key of its work, if it is one.
type Next<J> = (NextStep, Option<(J, Key)>);

/// One worker's thread, from birth to exit.
pub(super) fn run<J: Job, B: RunCounters + 'static>(shared: &Arc<Shared<J, B>>, id: WorkerId) {
    let mut effects = Effects::default();
    let account = {
        let mut core = shared.lock();
        core.state.started(id);
        core.note_birth(id);
        core.state.worker_account(id)
    };
    shared.observer.worker_started(id, account);
    let mut next = step(shared, id, &mut effects, |core, _| core.state.next_step(id));
    loop {
        next = match next {
            (NextStep::Run(work), Some((job, key))) => {
                let (outcome, seen) = run_job(shared, id, job, key, &mut effects);
                step(shared, id, &mut effects, |core, effects| {
                    core.seen[work.index()] = seen;
                    if shared.reports_itself(&job) {
                        core.state.unblock(id);
                    }
                    core.state.finish(id, outcome, effects)
                })
            }
            (NextStep::Sleep, _) => sleep(shared, id, &mut effects),
            (NextStep::Exit, _) => break,
            _ => step(shared, id, &mut effects, |core, _| core.state.next_step(id)),
        };
    }
    shared.observer.worker_ended(id);
    let mut core = shared.lock();
    core.state.exited(id);
    core.note_exit(account);
}

/// Runs a work between the two marks that tell blocking in it from any other sleep.
fn run_job<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    job: J,
    key: Key,
    effects: &mut Effects,
) -> (WorkOutcome, J::Seen) {
    if shared.reports_itself(&job) {
        shared.lock().state.block(id, effects);
        shared.perform(effects);
    }
    shared.observer.work_begins(id, key);
    let ended = job.run();
    shared.observer.work_ends(id);
    ended
}

/// Goes to sleep, unless woken meanwhile, and rescans afterwards.
fn sleep<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
) -> Next<J> {
    let sleeps = shared.lock().state.sleep(id, effects);
    shared.perform(effects);
    if !sleeps {
        return step(shared, id, effects, |core, _| core.state.next_step(id));
    }
    let asleep_since = clock::now();
    let woken = shared.parkers[id.index()].park(Some(shared.idle_timeout));
    let timed_out =
        !woken && clock::now().since(asleep_since) >= clock::duration_ns(shared.idle_timeout);
    step(shared, id, effects, |core, _| {
        core.state.woke(id, timed_out);
        core.state.next_step(id)
    })
}

/// Takes one step under the lock, carries out its effects, and says what comes next.
fn step<J: Job, B: RunCounters + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
    change: impl FnOnce(&mut Core<J, B>, &mut Effects) -> NextStep,
) -> Next<J> {
    let (next, job) = {
        let mut core = shared.lock();
        let next = change(&mut core, effects);
        let job = match next {
            NextStep::Run(work) => core.jobs[work.index()].map(|job| (job, core.state.held(id))),
            _ => None,
        };
        (next, job)
    };
    shared.perform(effects);
    (next, job)
}
