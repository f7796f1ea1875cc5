//! A worker's thread: takes its turns under the lock, runs works and sleeps without it.

use crate::clock;

use super::board::Board;
use super::state::{Effects, Outcome, State, WorkerId};
use super::threads::{Job, Shared};
use super::turn::Turn;
use super::work::Key;
use crate::sync::Arc;

/// A turn, with what it takes to carry it out.
enum Task<J> {
    Run(J, Key),
    Turn(Turn),
}

/// One worker's thread, from birth to exit.
pub(super) fn run<J: Job, B: Board + 'static>(shared: &Arc<Shared<J, B>>, id: WorkerId) {
    let mut effects = Effects::default();
    let mut recorder = {
        let mut core = shared.lock();
        core.state.started(id);
        core.note_birth(id);
        core.recorders[id as usize].take().unwrap_or_default()
    };
    shared.sleeps.worker_started(id);
    let mut task = step(shared, id, &mut effects, |state, _| state.lap(id));
    loop {
        task = match task {
            Task::Run(job, key) => {
                let outcome = run_job(shared, id, job, key, &mut recorder, &mut effects);
                step(shared, id, &mut effects, |state, effects| {
                    if shared.declares(&job) {
                        state.running_again(id);
                    }
                    state.finish(id, outcome, effects)
                })
            }
            Task::Turn(Turn::Doze) => doze(shared, id, &mut effects),
            Task::Turn(Turn::Leave) => break,
            Task::Turn(_) => step(shared, id, &mut effects, |state, _| state.lap(id)),
        };
    }
    shared.sleeps.worker_ends(id);
    let mut core = shared.lock();
    core.state.exited(id);
    core.recorders[id as usize] = Some(recorder);
    core.note_exit();
}

/// Runs a work between the two marks by which a sleep in it is told from any other.
fn run_job<J: Job, B: Board + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    job: J,
    key: Key,
    recorder: &mut J::Recorder,
    effects: &mut Effects,
) -> Outcome {
    if shared.declares(&job) {
        shared.lock().state.sleeping(id, effects);
        shared.perform(effects);
    }
    shared.sleeps.work_begins(id, key);
    let outcome = job.run(recorder);
    shared.sleeps.work_ends(id);
    outcome
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
        return step(shared, id, effects, |state, _| state.lap(id));
    }
    let asleep_since = clock::now();
    let woken = shared.parkers[id as usize].park(Some(shared.idle_timeout));
    let timed_out =
        !woken && clock::now().since(asleep_since) >= clock::duration_ns(shared.idle_timeout);
    step(shared, id, effects, |state, _| {
        state.woke(id, timed_out);
        state.lap(id)
    })
}

/// Takes one step under the lock, carries out its effects, and says what comes next.
fn step<J: Job, B: Board + 'static>(
    shared: &Arc<Shared<J, B>>,
    id: WorkerId,
    effects: &mut Effects,
    change: impl FnOnce(&mut State<B>, &mut Effects) -> Turn,
) -> Task<J> {
    let task = {
        let mut core = shared.lock();
        match change(&mut core.state, effects) {
            Turn::Run(work) => match core.jobs[work as usize] {
                Some(job) => Task::Run(job, core.state.held(id)),
                // Never handed out without a job; looking again is harmless.
                None => Task::Turn(Turn::Look),
            },
            turn => Task::Turn(turn),
        }
    };
    shared.perform(effects);
    task
}
