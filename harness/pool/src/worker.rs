//! A worker's thread: takes its turns under the lock, runs works and sleeps without it.

use crate::clock;

use super::board::Board;
use super::state::{Effects, Outcome, WorkerId};
use super::threads::{Core, Job, Shared};
use super::turn::Turn;
use super::work::{Key, WorkId};
use crate::sync::Arc;

/// A turn, with what it takes to carry it out.
enum Task<J> {
    Run(WorkId, J, Key),
    Turn(Turn),
}

/// One worker's thread, from birth to exit.
pub(super) fn run<J: Job, B: Board + 'static>(shared: &Arc<Shared<J, B>>, id: WorkerId) {
    let mut effects = Effects::default();
    let account = {
        let mut core = shared.lock();
        core.state.started(id);
        core.note_birth(id);
        core.state.worker_account(id)
    };
    shared.sleeps.worker_started(id, account);
    let mut task = step(shared, id, &mut effects, |core, _| core.state.lap(id));
    loop {
        task = match task {
            Task::Run(work, job, key) => {
                let (outcome, seen) = run_job(shared, id, job, key, &mut effects);
                step(shared, id, &mut effects, |core, effects| {
                    core.seen[work as usize] = seen;
                    if shared.declares(&job) {
                        core.state.running_again(id);
                    }
                    core.state.finish(id, outcome, effects)
                })
            }
            Task::Turn(Turn::Doze) => doze(shared, id, &mut effects),
            Task::Turn(Turn::Leave) => break,
            Task::Turn(_) => step(shared, id, &mut effects, |core, _| core.state.lap(id)),
        };
    }
    shared.sleeps.worker_ends(id);
    let mut core = shared.lock();
    core.state.exited(id);
    core.note_exit(account);
}

/// Runs a work between the two marks by which a sleep in it is told from any other.
fn run_job<J: Job, B: Board + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    job: J,
    key: Key,
    effects: &mut Effects,
) -> (Outcome, J::Seen) {
    if shared.declares(&job) {
        shared.lock().state.sleeping(id, effects);
        shared.perform(effects);
    }
    shared.sleeps.work_begins(id, key);
    let ended = job.run();
    shared.sleeps.work_ends(id);
    ended
}

/// Goes to sleep, unless woken meanwhile, and looks around after.
fn doze<J: Job, B: Board + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
) -> Task<J> {
    let slept = shared.lock().state.sleep(id, effects);
    shared.perform(effects);
    if !slept {
        return step(shared, id, effects, |core, _| core.state.lap(id));
    }
    let asleep_since = clock::now();
    let woken = shared.parkers[id as usize].park(Some(shared.idle_timeout));
    let timed_out =
        !woken && clock::now().since(asleep_since) >= clock::duration_ns(shared.idle_timeout);
    step(shared, id, effects, |core, _| {
        core.state.woke(id, timed_out);
        core.state.lap(id)
    })
}

/// Takes one step under the lock, carries out its effects, and says what comes next.
fn step<J: Job, B: Board + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
    change: impl FnOnce(&mut Core<J, B>, &mut Effects) -> Turn,
) -> Task<J> {
    let task = {
        let mut core = shared.lock();
        match change(&mut core, effects) {
            Turn::Run(work) => match core.jobs[work as usize] {
                Some(job) => Task::Run(work, job, core.state.held(id)),
                // Never handed out without a job; looking again is harmless.
                None => Task::Turn(Turn::Look),
            },
            turn => Task::Turn(turn),
        }
    };
    shared.perform(effects);
    task
}
