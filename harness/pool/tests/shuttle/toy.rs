//! Toy works: they note that they ran, and may sleep until another work is done.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use iowq_pool::work::{Account, Flags, Key, WorkId};
use iowq_pool::{BlockingObserver, Job, WorkOutcome, WorkerId};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

/// Works that a test may have.
pub(crate) const WORKS: usize = 8;

// Every execution has its own.
shuttle::lazy_static! {
    static ref WORLD: World = World::default();
}

/// What all works of one execution share. Counters that are no part of the question are the
/// machine's own atomics: shuttle need not try schedules around them.
#[derive(Default)]
pub(crate) struct World {
    /// How often each work ran.
    pub(crate) runs: [AtomicU32; WORKS],
    /// Works of each bucket that run now.
    inside: [AtomicU32; WORKS],
    /// Whether two works of one bucket, other than 0, and of bucket 0, ran at one time.
    pub(crate) overlapped: [AtomicU32; 2],
    /// Works in the order in which they began.
    pub(crate) began: Mutex<Vec<u32>>,
    /// Workers that started and did not end, now and at most.
    pub(crate) alive: AtomicI32,
    pub(crate) alive_max: AtomicI32,
    done: Mutex<[bool; WORKS]>,
    change: Condvar,
}

/// The world of this execution.
pub(crate) fn world() -> &'static World {
    &WORLD
}

impl World {
    /// Notes that a work is done.
    pub(crate) fn did(&self, work: WorkId) {
        self.done.lock().expect("no work panics")[work.index()] = true;
        self.change.notify_all();
    }

    /// BlockingObserver until a work is done.
    pub(crate) fn sleep_until_done(&self, work: WorkId) {
        let done = self.done.lock().expect("no work panics");
        drop(self.change.wait_while(done, |done| !done[work.index()]).expect("no work panics"));
    }

    fn begins(&self, toy: Toy) {
        self.runs[toy.work.index()].fetch_add(1, Ordering::Relaxed);
        self.began.lock().expect("no work panics").push(toy.work.0);
        if let Some(bucket) = toy.bucket
            && self.inside[usize::from(bucket)].fetch_add(1, Ordering::Relaxed) != 0
        {
            self.overlapped[usize::from(bucket == 0)].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ends(&self, toy: Toy) {
        if let Some(bucket) = toy.bucket {
            self.inside[usize::from(bucket)].fetch_sub(1, Ordering::Relaxed);
        }
        self.did(toy.work);
    }
}

/// A work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Toy {
    pub(crate) work: WorkId,
    pub(crate) bucket: Option<u8>,
    pub(crate) concurrent: bool,
    pub(crate) unbounded: bool,
    /// It sleeps.
    pub(crate) sleeps: bool,
    /// It sleeps until this other one is done.
    pub(crate) until: Option<WorkId>,
    pub(crate) fails: bool,
    pub(crate) panics: bool,
}

/// A read: it excludes nothing and waits its turn.
pub(crate) fn read() -> Toy {
    Toy {
        work: WorkId(0),
        bucket: None,
        concurrent: false,
        unbounded: false,
        sleeps: false,
        until: None,
        fails: false,
        panics: false,
    }
}

/// An fsync: queueing it may create a worker, and it sleeps.
pub(crate) fn fsync() -> Toy {
    Toy { concurrent: true, sleeps: true, ..read() }
}

/// A write to a file of this bucket, which does not sleep.
pub(crate) fn write(bucket: u8) -> Toy {
    Toy { bucket: Some(bucket), ..read() }
}

impl Toy {
    pub(crate) fn until(self, work: u32) -> Toy {
        Toy { sleeps: true, until: Some(WorkId(work)), ..self }
    }

    pub(crate) fn flags(&self) -> Flags {
        let account = if self.unbounded { Account::Unbounded } else { Account::Bounded };
        Flags { account, bucket: self.bucket, concurrent: self.concurrent }
    }
}

impl Job for Toy {
    type Seen = ();

    fn run(self) -> (WorkOutcome, ()) {
        world().begins(self);
        match self.until {
            Some(other) => world().sleep_until_done(other),
            // Any other thread may go first here.
            None => thread::yield_now(),
        }
        world().ends(self);
        if self.panics {
            // Without shuttle's hook, which takes every panic for the end of the test.
            resume_unwind(Box::new(()));
        }
        (if self.fails { WorkOutcome::Failed(5) } else { WorkOutcome::Done }, ())
    }

    fn may_block(&self) -> bool {
        self.sleeps
    }
}

/// Workers report blocking themselves, and are counted.
pub(crate) struct Counted;

impl BlockingObserver for Counted {
    fn self_reported(&self) -> bool {
        true
    }

    fn worker_started(&self, _: WorkerId, _: Account) {
        let alive = world().alive.fetch_add(1, Ordering::Relaxed) + 1;
        world().alive_max.fetch_max(alive, Ordering::Relaxed);
    }

    fn worker_ended(&self, _: WorkerId) {
        world().alive.fetch_sub(1, Ordering::Relaxed);
    }

    fn work_begins(&self, _: WorkerId, _: Key) {}

    fn work_ends(&self, _: WorkerId) {}
}
