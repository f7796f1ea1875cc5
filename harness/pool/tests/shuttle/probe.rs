//! The running count as the scheduler's probe shares it: neither it nor the pool misses the other.

use std::cell::Cell;
use std::time::Duration;

use iowq_pool::counters::RunCounters;
use iowq_pool::policy::Registry;
use iowq_pool::teardown;
use iowq_pool::work::{Account, Flags, Key, WorkId};
use iowq_pool::{
    BlockingObserver, Config, Job, Pool, SpawnRequest, SubmitterWait, SubmitterWake, WorkOutcome,
    WorkerId,
};
use shuttle::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use shuttle::sync::{Arc, Condvar, Mutex};

use crate::bench::NEVER;
use crate::explore::under_each;
use crate::toy::{WORKS, world};

// What stands in for the page, and for the ring of the probe's records.
shuttle::lazy_static! {
    static ref RUNNING: AtomicI32 = AtomicI32::new(0);
    static ref HEAD: AtomicU32 = AtomicU32::new(Key::NONE.0);
    static ref REQUESTED: [AtomicU32; SLOTS] = Default::default();
    static ref GENERATION: [AtomicU32; SLOTS] = Default::default();
    static ref INBOX: Mutex<Inbox> = Mutex::default();
    static ref CHANGE: Condvar = Condvar::new();
}

/// What the submitter may wait for.
#[derive(Default)]
struct Inbox {
    called: bool,
    requests: Vec<SpawnRequest>,
}

/// The submitter waits on the ring of the probe's records, too.
struct ProbeWait;

impl SubmitterWait for ProbeWait {
    fn waker(&self) -> Arc<dyn SubmitterWake> {
        Arc::new(Call)
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        assert_eq!(timeout, None, "there is no deadline");
        let waits = |inbox: &mut Inbox| !inbox.called && inbox.requests.is_empty();
        let inbox = INBOX.lock().expect("no thread panics");
        CHANGE.wait_while(inbox, waits).expect("no thread panics").called = false;
    }

    fn requests(&mut self, take: &mut dyn FnMut(SpawnRequest)) {
        let requests = std::mem::take(&mut INBOX.lock().expect("no thread panics").requests);
        requests.into_iter().for_each(take);
    }
}

/// What ends its waits.
struct Call;

impl SubmitterWake for Call {
    fn wake(&self) {
        INBOX.lock().expect("no thread panics").called = true;
        CHANGE.notify_one();
    }
}

shuttle::thread_local! {
    /// Which worker this thread is.
    static OWN: Cell<WorkerId> = Cell::new(WorkerId(0));
}

/// Workers that a test may have.
const SLOTS: usize = 8;

/// The bounded account's numbers in the open.
struct Page;

impl RunCounters for Page {
    fn running_inc(&mut self, _: Account) {
        RUNNING.fetch_add(1, Ordering::SeqCst);
    }

    fn running_dec(&mut self, _: Account) -> bool {
        RUNNING.fetch_sub(1, Ordering::SeqCst) == 1
    }

    fn running(&self, _: Account) -> i32 {
        RUNNING.load(Ordering::SeqCst)
    }

    fn publish_head(&mut self, account: Account, head: Key) {
        if account == Account::Bounded {
            HEAD.store(head.0, Ordering::SeqCst);
        }
    }

    fn generation(&self, id: WorkerId) -> u32 {
        GENERATION[id.index()].load(Ordering::SeqCst)
    }

    fn request_pending(&self, id: WorkerId) -> bool {
        REQUESTED[id.index()].load(Ordering::SeqCst) != 0
    }

    fn take_request(&mut self, id: WorkerId) -> bool {
        REQUESTED[id.index()].swap(0, Ordering::SeqCst) != 0
    }
}

/// The scheduler's probe sees the sleeps.
struct SchedSwitch;

impl BlockingObserver for SchedSwitch {
    fn self_reported(&self) -> bool {
        false
    }
    fn worker_started(&self, id: WorkerId, _: Account) {
        OWN.with(|own| own.set(id));
        GENERATION[id.index()].fetch_add(1, Ordering::SeqCst);
    }
    fn worker_ended(&self, _: WorkerId) {}
    fn work_begins(&self, _: WorkerId, _: Key) {}
    fn work_ends(&self, _: WorkerId) {}
}

/// A work that may sleep until another one is done.
#[derive(Clone, Copy)]
struct Sleeper {
    work: WorkId,
    until: Option<WorkId>,
}

impl Job for Sleeper {
    type Seen = ();

    fn run(self) -> (WorkOutcome, ()) {
        if let Some(other) = self.until {
            switched_out();
            world().sleep_until_done(other);
            RUNNING.fetch_add(1, Ordering::SeqCst);
        }
        world().did(self.work);
        (WorkOutcome::Done, ())
    }

    fn may_block(&self) -> bool {
        true
    }
}

/// What the probe does when a worker is switched out: first it takes one from the running count,
/// then it reads the head, then it counts the worker to come.
fn switched_out() {
    if RUNNING.fetch_sub(1, Ordering::SeqCst) != 1 {
        return;
    }
    let head = Key(HEAD.load(Ordering::SeqCst));
    let id = OWN.with(Cell::get);
    if head.is_some() && REQUESTED[id.index()].load(Ordering::SeqCst) == 0 {
        let generation = GENERATION[id.index()].load(Ordering::SeqCst);
        REQUESTED[id.index()].store(1, Ordering::SeqCst);
        RUNNING.fetch_add(1, Ordering::SeqCst);
        let request = SpawnRequest { id, generation, held: Key::UNHASHED, head };
        INBOX.lock().expect("no thread panics").requests.push(request);
        CHANGE.notify_one();
    }
}

/// Works each of which sleeps until the next is done, so that each needs a worker of its own.
fn chain_of_sleepers(policy: &str) {
    let policy = Registry::builtin().parse(policy).expect(policy).build();
    let config = Config {
        works: WORKS as u32,
        slots: SLOTS as u32,
        limits: [4; 2],
        idle_timeout: NEVER,
        teardown: teardown::measured(),
    };
    let mut pool = Pool::new(policy, Page, &config, Arc::new(SchedSwitch), Box::new(ProbeWait));
    let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
    for (work, until) in [(0, Some(1)), (1, Some(2)), (2, None)] {
        let (work, until) = (WorkId(work), until.map(WorkId));
        pool.submit(work, Sleeper { work, until }, flags, None);
    }
    let mut completions = Vec::new();
    pool.wait(3, None, &mut completions);
    assert_eq!(completions.len(), 3);
    let tally = pool.exit().tally;
    assert_eq!((tally.created, RUNNING.load(Ordering::SeqCst)), (tally.exited, 0));
}

#[test]
fn work_that_is_queued_while_the_last_worker_falls_asleep_gets_a_worker() {
    under_each(&["6.12", "6.16", "6.17"], 1500, chain_of_sleepers);
}
