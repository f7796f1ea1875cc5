//! The running count as the scheduler's probe shares it: neither it nor the pool misses the other.

use std::cell::Cell;
use std::time::Duration;

use iowq_pool::board::Board;
use iowq_pool::teardown;
use iowq_pool::work::{Account, Flags, Key, WorkId};
use iowq_pool::{
    Config, Job, Outcome, Pool, Request, Sleeps, State, Waiter, Waker, WorkerId, policy,
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
    static ref ASKED: [AtomicU32; SLOTS] = Default::default();
    static ref TENANT: [AtomicU32; SLOTS] = Default::default();
    static ref HEARD: Mutex<Heard> = Mutex::default();
    static ref CHANGE: Condvar = Condvar::new();
}

/// What the submitter may wait for.
#[derive(Default)]
struct Heard {
    called: bool,
    requests: Vec<Request>,
}

/// The submitter hears the ring while it waits.
struct Hearing;

impl Waiter for Hearing {
    fn waker(&self) -> Arc<dyn Waker> {
        Arc::new(Call)
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        assert_eq!(timeout, None, "there is no deadline");
        let waits = |heard: &mut Heard| !heard.called && heard.requests.is_empty();
        let heard = HEARD.lock().expect("nobody panics");
        CHANGE.wait_while(heard, waits).expect("nobody panics").called = false;
    }

    fn requests(&mut self, take: &mut dyn FnMut(Request)) {
        let requests = std::mem::take(&mut HEARD.lock().expect("nobody panics").requests);
        requests.into_iter().for_each(take);
    }
}

/// What ends its waits.
struct Call;

impl Waker for Call {
    fn wake(&self) {
        HEARD.lock().expect("nobody panics").called = true;
        CHANGE.notify_one();
    }
}

shuttle::thread_local! {
    /// Which worker this thread is.
    static OWN: Cell<WorkerId> = Cell::new(0);
}

/// Workers that a test may have.
const SLOTS: usize = 8;

/// The bounded account's numbers in the open.
struct Page;

impl Board for Page {
    fn running_inc(&mut self, _: Account) {
        RUNNING.fetch_add(1, Ordering::SeqCst);
    }

    fn running_dec(&mut self, _: Account) -> bool {
        RUNNING.fetch_sub(1, Ordering::SeqCst) == 1
    }

    fn running(&self, _: Account) -> i32 {
        RUNNING.load(Ordering::SeqCst)
    }

    fn show_head(&mut self, account: Account, head: Key) {
        if account == Account::Bounded {
            HEAD.store(head.0, Ordering::SeqCst);
        }
    }

    fn tenant(&self, id: WorkerId) -> u32 {
        TENANT[id as usize].load(Ordering::SeqCst)
    }

    fn unheard(&self, id: WorkerId) -> bool {
        ASKED[id as usize].load(Ordering::SeqCst) != 0
    }

    fn hear(&mut self, id: WorkerId) -> bool {
        ASKED[id as usize].swap(0, Ordering::SeqCst) != 0
    }
}

/// The scheduler sees the sleeps.
struct Sched;

impl Sleeps for Sched {
    fn declared(&self) -> bool {
        false
    }
    fn worker_started(&self, id: WorkerId, _: Account) {
        OWN.with(|own| own.set(id));
        TENANT[id as usize].fetch_add(1, Ordering::SeqCst);
    }
    fn worker_ends(&self, _: WorkerId) {}
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

    fn run(self) -> (Outcome, ()) {
        if let Some(other) = self.until {
            switched_out();
            world().sleep_until_done(other);
            RUNNING.fetch_add(1, Ordering::SeqCst);
        }
        world().did(self.work);
        (Outcome::Done, ())
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
    if head.is_some() && ASKED[id as usize].load(Ordering::SeqCst) == 0 {
        let tenant = TENANT[id as usize].load(Ordering::SeqCst);
        ASKED[id as usize].store(1, Ordering::SeqCst);
        RUNNING.fetch_add(1, Ordering::SeqCst);
        let request = Request { id, tenant, held: Key::UNHASHED, head };
        HEARD.lock().expect("nobody panics").requests.push(request);
        CHANGE.notify_one();
    }
}

/// Works each of which sleeps until the next is done, so that each needs a worker of its own.
fn chain_of_sleepers(policy: &str) {
    let policy = policy::parse(policy).expect(policy);
    let config = Config {
        works: WORKS as u32,
        slots: SLOTS as u32,
        limits: [4; 2],
        idle_timeout: NEVER,
        teardown: teardown::measured(),
    };
    let state = State::new(policy, Page, config.works, config.slots, config.limits);
    let mut pool = Pool::new(state, &config, Arc::new(Sched), Box::new(Hearing));
    let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
    for (work, until) in [(0, Some(1)), (1, Some(2)), (2, None)] {
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
