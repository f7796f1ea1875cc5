//! What is behind the lock: the state, and what its threads keep beside it.

use crate::clock::{self, Nanos};
use crate::counters::RunCounters;
use crate::job::{Ended, Job, Submission};
use crate::state::{Effects, State};
use crate::sync::thread;
use crate::work::{Account, Flags, WorkId, WorkerId};

/// Works that end between two looks at what was submitted, while other work is queued.
const LOOKS_EVERY: u32 = 8;

/// What is behind the lock.
pub(super) struct Core<J: Job, B> {
    pub(super) state: State<B>,
    pub(super) jobs: Vec<Option<J>>,
    /// What was seen of each work that ended, until that is published.
    pub(super) seen: Vec<J::Seen>,
    /// To the submitter, which takes from it without the lock. It has room for all works.
    pub(super) ended: rtrb::Producer<Ended<J>>,
    /// From the submitter, which need not take the lock for works that do not block. It has room for
    /// all works.
    pub(super) submitted: rtrb::Consumer<Submission<J>>,
    pub(super) handles: Vec<Option<thread::JoinHandle<()>>>,
    /// Births recorded: a thread may run before its creator returns.
    pub(super) noted: u64,
    pub(super) lives: Vec<(Nanos, bool, Account)>,
    pub(super) creation_ns: Vec<u64>,
    /// Creations to be tried again, and when.
    pub(super) retries: Vec<(Nanos, WorkerId)>,
    /// A creation that queueing a submitted work began. The submitter carries it out, and so pays for
    /// it as the kernel's enqueuer does.
    pub(super) spawn: Option<WorkerId>,
    /// By account, workers that are looking: awake, or about to sleep and looking for a wake, and in no
    /// work that may block.
    pub(super) looking: [u32; 2],
    /// Workers that were woken and whose threads sleep still. One of their account is looking, and
    /// not only for a wake.
    pub(super) put_off: Vec<WorkerId>,
    /// Works that are queued or running and may block.
    blocking: u32,
    /// Works that ended since a worker looked at what was submitted.
    not_looked: u32,
    /// By account, workers that look for a wake before they sleep.
    pub(super) spinning: [u32; 2],
    /// When each worker last slept on after a wake that was put off.
    pub(super) slept_on: Vec<Nanos>,
}

impl<J: Job, B: RunCounters> Core<J, B> {
    /// Behind the lock of a pool that has no worker yet.
    pub(super) fn new(
        state: State<B>,
        [works, slots]: [usize; 2],
        ended: rtrb::Producer<Ended<J>>,
        submitted: rtrb::Consumer<Submission<J>>,
    ) -> Core<J, B> {
        Core {
            state,
            jobs: vec![None; works],
            seen: vec![J::Seen::default(); works],
            ended,
            submitted,
            handles: (0..slots).map(|_| None).collect(),
            noted: 0,
            lives: Vec::new(),
            creation_ns: Vec::new(),
            retries: Vec::new(),
            spawn: None,
            looking: [0; 2],
            put_off: Vec::with_capacity(slots),
            blocking: 0,
            not_looked: 0,
            spinning: [0; 2],
            slept_on: vec![Nanos(0); slots],
        }
    }

    /// Records a birth, by whichever is first: the creator or the thread.
    pub(super) fn note_birth(&mut self, id: WorkerId) {
        while self.noted < self.state.tally().created {
            self.noted += 1;
            self.lives.push((clock::now(), true, self.state.worker_account(id)));
        }
    }

    pub(super) fn note_exit(&mut self, account: Account) {
        self.lives.push((clock::now(), false, account));
    }

    pub(super) fn define(&mut self, work: WorkId, job: J, flags: Flags, link: Option<WorkId>) {
        self.jobs[work.index()] = Some(job);
        self.blocking += u32::from(job.may_block());
        self.seen[work.index()] = J::Seen::default();
        self.state.define(work, flags, link);
    }

    /// [`Core::take_submitted`], but while other work is queued only after [`LOOKS_EVERY`] works: each
    /// look transfers a cache line between the submitter and this worker.
    pub(super) fn take_submitted_if_due(&mut self, account: Account, effects: &mut Effects) {
        self.not_looked += 1;
        if self.not_looked >= LOOKS_EVERY || !self.state.has_queued(account) {
            self.not_looked = 0;
            self.take_submitted(effects);
        }
    }

    /// Queues what was submitted, up to a work that needs a new thread, which the submitter creates.
    pub(super) fn take_submitted(&mut self, effects: &mut Effects) {
        let own = effects.spawn.take();
        while self.spawn.is_none() {
            let Ok(Submission { work, job, flags, link }) = self.submitted.pop() else { break };
            self.define(work, job, flags, link);
            self.state.enqueue(work, effects);
            self.spawn = effects.spawn.take();
        }
        effects.spawn = own;
    }

    /// Hands what ended to the submitter.
    pub(super) fn publish(&mut self) {
        for done in self.state.completions() {
            // There is room, as each work is in flight once, until its end is taken.
            let _ = self.ended.push((done, self.seen[done.work.index()]));
            self.blocking -=
                u32::from(self.jobs[done.work.index()].is_some_and(|it| it.may_block()));
        }
    }

    /// Works that are queued or running and may block. Each is worth a switch, as the processor has
    /// others to run meanwhile.
    pub(super) fn blocking(&self) -> u32 {
        self.blocking
    }

    /// Whether the submitter has threads to create, now or later.
    pub(super) fn creates(&self) -> bool {
        self.creates_now() || !self.retries.is_empty()
    }

    /// Whether it has threads to create that were not tried before.
    pub(super) fn creates_now(&self) -> bool {
        self.spawn.is_some() || self.state.creation_pending()
    }

    /// The next slot that needs a thread, or else when the next one is to be tried again.
    pub(super) fn next_creation(
        &mut self,
        effects: &mut Effects,
    ) -> (Option<WorkerId>, Option<Nanos>) {
        if let Some(id) = self.spawn.take() {
            return (Some(id), None);
        }
        let now = if self.retries.is_empty() { Nanos(0) } else { clock::now() };
        if let Some(due) = self.retries.iter().position(|&(at, _)| at <= now) {
            return (Some(self.retries.swap_remove(due).1), None);
        }
        while self.state.creation_pending() {
            if let Some(id) = self.state.run_creation(effects) {
                return (Some(id), None);
            }
        }
        (None, self.retries.iter().map(|&(at, _)| at).min())
    }

    /// Workers that have a processor or are about to get one.
    pub(super) fn running(&self) -> u32 {
        Account::ALL.iter().map(|&account| self.state.running(account)).sum::<i32>().unsigned_abs()
    }

    /// Whether a worker of this account is going to scan its queue. One that looks for a wake before
    /// it sleeps is not: works of the other account may keep it at that.
    pub(super) fn is_looked_after(&self, account: Account) -> bool {
        self.looking[account.index()] > self.spinning[account.index()]
    }

    /// Puts off the wakes of workers of whose account another one is looking.
    pub(super) fn put_off(&mut self, effects: &mut Effects) {
        let accounts = Account::ALL.map(|account| self.is_looked_after(account));
        let looked_after = |id: &mut WorkerId| accounts[self.state.worker_account(*id).index()];
        self.put_off.extend(effects.wakes.extract_if(.., looked_after));
    }

    /// Makes up for the wakes that were put off in an account, except where nothing is left to be
    /// done: that worker sleeps on.
    pub(super) fn make_up(&mut self, account: Account, effects: &mut Effects) {
        for place in (0..self.put_off.len()).rev() {
            let id = self.put_off[place];
            if self.state.worker_account(id) != account {
                continue;
            }
            self.put_off.swap_remove(place);
            if self.state.sleep_on(id) {
                self.slept_on[id.index()] = clock::now();
            } else {
                effects.wakes.push(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::LocalCounters;
    use crate::policy::Registry;
    use crate::state::WorkOutcome;

    #[derive(Clone, Copy)]
    struct Nop;

    impl Job for Nop {
        type Seen = ();

        fn run(self) -> (WorkOutcome, ()) {
            (WorkOutcome::Done, ())
        }

        fn may_block(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_wake_is_put_off_for_a_worker_that_will_scan_and_not_for_one_that_spins() {
        let policy = Registry::builtin().parse("6.17").expect("a preset").build();
        let state = State::new(policy, LocalCounters::default(), 1, 2, [2; 2]);
        let (ended, _reaped) = rtrb::RingBuffer::new(1);
        let (_submit, submitted) = rtrb::RingBuffer::new(1);
        let mut core: Core<Nop, _> = Core::new(state, [1, 2], ended, submitted);
        for spinning in [0, 1] {
            (core.looking, core.spinning) = ([1, 0], [spinning, 0]);
            let mut effects = Effects { wakes: vec![WorkerId(1)], ..Effects::default() };
            core.put_off(&mut effects);
            assert_eq!(effects.wakes.len(), spinning as usize);
        }
    }
}
