//! Who tells the pool that a worker sleeps in its work: the worker itself, or the scheduler.

use std::time::Duration;

use iowq_contract::Switches;
use iowq_ebpf::{NEVER_ASK, SKIP_SAME_BUCKET};

use crate::doorbell::{Caller, Doorbell};
use crate::io;
use crate::probes::{BlockReader, BothCounts, Page, Tracker};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, thread};
use iowq_pool::board::Board;
use iowq_pool::policy::{Policy, SleepView};
use iowq_pool::work::{Account, Key};
use iowq_pool::{Request, Sleeps, Waiter, Waker, WorkerId};

/// Workers say it themselves, around each call that may block: what sleeps not at all counts too.
pub struct Declared;

impl Sleeps for Declared {
    fn declared(&self) -> bool {
        true
    }
    fn worker_started(&self, _: WorkerId, _: Account) {}
    fn worker_ends(&self, _: WorkerId) {}
    fn work_begins(&self, _: WorkerId, _: Key) {}
    fn work_ends(&self, _: WorkerId) {}
}

/// The scheduler's probe says it, at the moment of the sleep.
pub struct Sched {
    page: Arc<Page>,
    tracker: Tracker,
    /// Sleeps of workers that have ended.
    sleeps: AtomicU64,
    /// Workers that the probe does not know of, because its map was full.
    untracked: AtomicU64,
    /// Sums over all workers of what was counted of their switches: when the probe began to know
    /// them, and when it ceased.
    switches: Mutex<[BothCounts; 2]>,
    /// Returns of workers that have ended.
    returns_repaired: AtomicU64,
}

impl Sched {
    /// For workers that the probe behind this page and tracker watches.
    #[must_use]
    pub fn new(page: Arc<Page>, tracker: Tracker) -> Sched {
        Sched {
            page,
            tracker,
            sleeps: AtomicU64::new(0),
            untracked: AtomicU64::new(0),
            switches: Mutex::default(),
            returns_repaired: AtomicU64::new(0),
        }
    }

    /// Sleeps inside works, of all workers that have ended.
    #[must_use]
    pub fn sleeps(&self) -> u64 {
        self.sleeps.load(Ordering::Relaxed)
    }

    /// Workers whose sleeps nobody saw.
    #[must_use]
    pub fn untracked(&self) -> u64 {
        self.untracked.load(Ordering::Relaxed)
    }

    /// Returns to a CPU that no event told of, and that were noticed when the work ended, of all
    /// workers that have ended.
    #[must_use]
    pub fn returns_repaired(&self) -> u64 {
        self.returns_repaired.load(Ordering::Relaxed)
    }

    /// Switches of all workers, by the kernel's count and by the probe's. Once all have ended.
    #[must_use]
    pub fn switches(&self) -> Switches {
        let [started, ended] = *self.lock();
        ended.since(started)
    }

    /// Adds what is counted of the calling worker's switches to one of the sums.
    fn count_switches(&self, id: WorkerId, sum: usize) {
        let now = BothCounts::now(|| self.page.switches(id));
        self.lock()[sum] += now;
    }

    fn lock(&self) -> MutexGuard<'_, [BothCounts; 2]> {
        // Sums are whole whatever happened.
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Places in [`Sched::switches`].
const STARTED: usize = 0;
const ENDED: usize = 1;

impl Sleeps for Sched {
    fn declared(&self) -> bool {
        false
    }

    fn worker_started(&self, id: WorkerId, account: Account) {
        self.page.claim(id, account.index());
        if self.tracker.track(io::thread_id(), id).is_err() {
            self.untracked.fetch_add(1, Ordering::Relaxed);
        }
        self.count_switches(id, STARTED);
    }

    fn worker_ends(&self, id: WorkerId) {
        self.count_switches(id, ENDED);
        self.tracker.untrack(io::thread_id());
        self.sleeps.fetch_add(u64::from(self.page.sleeps(id)), Ordering::Relaxed);
        let repaired = u64::from(self.page.ins_repaired(id));
        self.returns_repaired.fetch_add(repaired, Ordering::Relaxed);
    }

    fn work_begins(&self, id: WorkerId, key: Key) {
        self.page.set_work(id, key.0);
    }

    fn work_ends(&self, id: WorkerId) {
        self.page.set_work(id, Key::NONE.0);
    }
}

/// A board on the page that the scheduler's probe shares.
pub struct PageBoard(Arc<Page>);

impl PageBoard {
    /// A board for a pool under this policy. From here on the probe knows who asks for nobody,
    /// so that it does not count a worker as running that will not be made.
    #[must_use]
    pub fn new(page: Arc<Page>, policy: &dyn Policy) -> PageBoard {
        let asks = |held, head| policy.spawn_on_sleep(&SleepView { held, head });
        let bucket = Key::of(Some(0));
        let mut flags = 0;
        if !asks(Key::UNHASHED, Key::UNHASHED) {
            flags |= NEVER_ASK;
        }
        if !asks(bucket, bucket) {
            flags |= SKIP_SAME_BUCKET;
        }
        page.set_flags(flags);
        PageBoard(page)
    }
}

impl Board for PageBoard {
    fn running_inc(&mut self, account: Account) {
        self.0.running_add(account.index(), 1);
    }

    fn running_dec(&mut self, account: Account) -> bool {
        self.0.running_add(account.index(), -1) == 1
    }

    fn running(&self, account: Account) -> i32 {
        self.0.running_add(account.index(), 0)
    }

    fn show_head(&mut self, account: Account, head: Key) {
        self.0.set_head(account.index(), head.0);
    }

    fn tenant(&self, id: WorkerId) -> u32 {
        self.0.tenant(id)
    }

    fn unheard(&self, id: WorkerId) -> bool {
        self.0.asked(id)
    }

    fn hear(&mut self, id: WorkerId) -> bool {
        self.0.take_asked(id)
    }
}

/// The submitter waits where the probe's records come, too.
pub struct Hearing(pub BlockReader);

impl Waiter for Hearing {
    fn waker(&self) -> Arc<dyn Waker> {
        self.0.waker()
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        if self.0.wait(timeout).is_err() {
            // It would only be asked to wait again at once.
            thread::yield_now();
        }
    }

    fn requests(&mut self, take: &mut dyn FnMut(Request)) {
        self.0.drain(|event| {
            take(Request {
                id: event.slot,
                tenant: event.tenant,
                held: Key(event.work),
                head: Key(event.head),
            });
        });
    }
}

/// The submitter waits where no records come: workers say themselves that they sleep.
pub struct Called(pub Doorbell);

impl Waiter for Called {
    fn waker(&self) -> Arc<dyn Waker> {
        self.0.caller()
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        if self.0.wait(timeout).is_err() {
            thread::yield_now();
        }
    }

    fn requests(&mut self, _: &mut dyn FnMut(Request)) {}
}

impl Waker for Caller {
    fn wake(&self) {
        self.call();
    }
}
