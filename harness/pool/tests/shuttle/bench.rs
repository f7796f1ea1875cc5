//! A pool for toy works, and the checks that hold at the end of every execution.

use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use iowq_pool::counters::RunCounters;
use iowq_pool::policy::Registry;
use iowq_pool::work::{Account, Key, WorkId};
use iowq_pool::{Completion, Config, ParkedWait, Pool, PoolTally, Submission, WorkOutcome};
use shuttle::sync::Arc;

use crate::toy::{Counted, Toy, WORKS, world};

/// No idle timeout: shuttle's clock stands still.
pub(crate) const NEVER: Duration = Duration::from_secs(5);

/// An idle timeout that may pass at any moment.
pub(crate) const ANY_TIME: Duration = Duration::ZERO;

/// Running counts that a test can see, and that are never below zero.
#[derive(Clone, Default)]
pub(crate) struct Seen(StdArc<[AtomicI32; 2]>);

impl Seen {
    fn at(&self, account: Account) -> &AtomicI32 {
        &self.0[account.index()]
    }
}

impl RunCounters for Seen {
    fn running_inc(&mut self, account: Account) {
        self.at(account).fetch_add(1, Ordering::Relaxed);
    }

    fn running_dec(&mut self, account: Account) -> bool {
        let was = self.at(account).fetch_sub(1, Ordering::Relaxed);
        assert!(was > 0, "{account:?}: more was taken from the running count than was added");
        was == 1
    }

    fn running(&self, account: Account) -> i32 {
        self.at(account).load(Ordering::Relaxed)
    }

    fn publish_head(&mut self, _: Account, _: Key) {}
}

/// A pool at work.
pub(crate) struct Bench {
    pool: Pool<Toy, Seen>,
    running: Seen,
    works: u32,
    completions: Vec<Completion>,
}

impl Bench {
    /// A pool with one ring open, a limit per account, and `slots` worker slots.
    pub(crate) fn new(policy: &str, limit: u32, slots: u32, idle_timeout: Duration) -> Bench {
        let policy = Registry::builtin().parse(policy).expect(policy).build();
        let running = Seen::default();
        let config = Config {
            works: WORKS as u32,
            slots,
            limits: [limit; 2],
            idle_timeout,
            teardown: [Duration::ZERO; 11],
        };
        let wait = Box::new(ParkedWait::default());
        let mut pool = Pool::new(policy, running.clone(), &config, Arc::new(Counted), wait);
        pool.open();
        Bench { pool, running, works: 0, completions: Vec::new() }
    }

    pub(crate) fn submit(&mut self, toy: Toy) -> u32 {
        self.submit_chain(&[toy])
    }

    /// Submits works at once, so that all that do not block wait together for who queues them.
    pub(crate) fn submit_all(&mut self, toys: &[Toy]) {
        let first = self.works;
        self.works += toys.len() as u32;
        let submission = |(work, &toy): (u32, &Toy)| {
            let job = Toy { work: WorkId(work), ..toy };
            Submission { work: job.work, job, flags: job.flags(), link: None }
        };
        self.pool.submit_all((first..).zip(toys).map(submission));
    }

    /// Submits works of which each starts only after the one before succeeded. Returns the first.
    pub(crate) fn submit_chain(&mut self, chain: &[Toy]) -> u32 {
        let first = self.works;
        self.works += chain.len() as u32;
        for (place, toy) in chain.iter().enumerate().rev() {
            let work = WorkId(first + place as u32);
            let toy = Toy { work, ..*toy };
            let link = (place + 1 < chain.len()).then_some(WorkId(work.0 + 1));
            if place == 0 {
                self.pool.submit(work, toy, toy.flags(), link);
            } else {
                self.pool.define(work, toy, toy.flags(), link);
            }
        }
        first
    }

    /// Waits until all that was submitted is done. Shuttle fails if this hangs.
    pub(crate) fn wait(&mut self) {
        let want = self.works as usize - self.completions.len();
        if want > 0 {
            self.pool.wait(want, None, &mut self.completions);
        }
    }

    pub(crate) fn close(&mut self) {
        self.pool.close();
    }

    pub(crate) fn open(&mut self) {
        self.pool.open();
    }

    pub(crate) fn run_creations(&mut self) {
        self.pool.run_creations();
    }

    pub(crate) fn alive(&self) -> u64 {
        self.pool.alive()
    }

    /// How each work ended, by work.
    pub(crate) fn outcomes(&self) -> Vec<Option<WorkOutcome>> {
        let mut outcomes = vec![None; self.works as usize];
        for done in &self.completions {
            let before = outcomes[done.work.index()].replace(done.outcome);
            assert_eq!(before, None, "work {} ended twice", done.work.0);
        }
        outcomes
    }

    /// Waits for all, and checks that each work was done, once.
    pub(crate) fn wait_and_check(&mut self) {
        self.wait();
        assert_eq!(self.outcomes(), vec![Some(WorkOutcome::Done); self.works as usize]);
        let runs = world().runs.iter().map(|runs| runs.load(Ordering::Relaxed));
        let expected = (0..WORKS).map(|work| u32::from(work < self.works as usize));
        assert!(runs.eq(expected), "each work runs once: {:?}", world().runs);
    }

    /// Ends the pool, and checks that every worker was joined and all that was counted is given back.
    pub(crate) fn exit(self) -> PoolTally {
        let remains = self.pool.exit();
        let tally = remains.tally;
        assert_eq!(tally.created, tally.exited, "all have left");
        assert_eq!(remains.lives.len() as u64, tally.created + tally.exited);
        assert_eq!(world().alive.load(Ordering::Relaxed), 0, "all were joined");
        for account in Account::ALL {
            assert_eq!(self.running.running(account), 0, "{account:?}: none runs");
        }
        tally
    }
}
