//! Observing that workers block through the scheduler's probe, and where the submitter waits.

use std::time::Duration;

use iowq_contract::Switches;
use iowq_ebpf::{NEVER_ASK, SKIP_SAME_BUCKET};

use crate::doorbell::{Caller, Doorbell};
use crate::io;
use crate::probes::{BlockReader, BothCounts, Page, Tracker};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, thread};
use iowq_pool::counters::RunCounters;
use iowq_pool::policy::ProbeRule;
use iowq_pool::work::{Account, Key};
use iowq_pool::{BlockingObserver, SpawnRequest, SubmitterWait, SubmitterWake, WorkerId};

/// The scheduler's probe reports blocking, at the moment of the switch.
pub struct SchedSwitch {
    page: Arc<Page>,
    tracker: Tracker,
    /// Sleeps in works, of workers that have ended.
    sleeps: AtomicU64,
    /// Workers that are not tracked, because the probe's map was full.
    untracked: AtomicU64,
    /// Sums over all workers of the counts of their switches when tracking began and when it
    /// ended.
    switches: Mutex<[BothCounts; 2]>,
    /// Returns of workers that have ended.
    returns_repaired: AtomicU64,
}

impl SchedSwitch {
    /// For workers that the probe behind this page and tracker observes.
    #[must_use]
    pub fn new(page: Arc<Page>, tracker: Tracker) -> SchedSwitch {
        SchedSwitch {
            page,
            tracker,
            sleeps: AtomicU64::new(0),
            untracked: AtomicU64::new(0),
            switches: Mutex::default(),
            returns_repaired: AtomicU64::new(0),
        }
    }

    /// Sleeps in works, of all workers that have ended.
    #[must_use]
    pub fn sleeps(&self) -> u64 {
        self.sleeps.load(Ordering::Relaxed)
    }

    /// Workers whose sleeps were not seen.
    #[must_use]
    pub fn untracked(&self) -> u64 {
        self.untracked.load(Ordering::Relaxed)
    }

    /// Returns to a CPU without an event, noticed when the work ended, of all workers that have
    /// ended.
    #[must_use]
    pub fn returns_repaired(&self) -> u64 {
        self.returns_repaired.load(Ordering::Relaxed)
    }

    /// Switches of all workers, by the kernel's count and by the probe's, once all have ended.
    #[must_use]
    pub fn switches(&self) -> Switches {
        let [started, ended] = *self.lock();
        ended.since(started)
    }

    /// Adds the counts of the calling worker's switches to one of the sums.
    fn count_switches(&self, id: WorkerId, sum: usize) {
        let now = BothCounts::now(|| self.page.switches(id.0));
        self.lock()[sum] += now;
    }

    fn lock(&self) -> MutexGuard<'_, [BothCounts; 2]> {
        // A panic leaves no sum half-added.
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Places in [`SchedSwitch::switches`].
const STARTED: usize = 0;
const ENDED: usize = 1;

impl BlockingObserver for SchedSwitch {
    fn self_reported(&self) -> bool {
        false
    }

    fn worker_started(&self, id: WorkerId, account: Account) {
        self.page.claim(id.0, account.index());
        if self.tracker.track(io::thread_id(), id.0).is_err() {
            self.untracked.fetch_add(1, Ordering::Relaxed);
        }
        self.count_switches(id, STARTED);
    }

    fn worker_ended(&self, id: WorkerId) {
        self.count_switches(id, ENDED);
        self.tracker.untrack(io::thread_id());
        self.sleeps.fetch_add(u64::from(self.page.sleeps(id.0)), Ordering::Relaxed);
        let repaired = u64::from(self.page.ins_repaired(id.0));
        self.returns_repaired.fetch_add(repaired, Ordering::Relaxed);
    }

    fn work_begins(&self, id: WorkerId, key: Key) {
        self.page.set_work(id.0, key.0);
    }

    fn work_ends(&self, id: WorkerId) {
        self.page.set_work(id.0, Key::NONE.0);
    }
}

/// Counters on the page that the scheduler's probe shares.
pub struct SharedCounters(Arc<Page>);

impl SharedCounters {
    /// Counters for a pool under a policy with this rule, which the probe follows from here on: it
    /// reserves no worker that would not be created.
    #[must_use]
    pub fn new(page: Arc<Page>, rule: ProbeRule) -> SharedCounters {
        page.set_flags(match rule {
            ProbeRule::Request => 0,
            ProbeRule::SkipSameBucket => SKIP_SAME_BUCKET,
            ProbeRule::Never => NEVER_ASK,
        });
        SharedCounters(page)
    }
}

impl RunCounters for SharedCounters {
    fn running_inc(&mut self, account: Account) {
        self.0.running_add(account.index(), 1);
    }

    fn running_dec(&mut self, account: Account) -> bool {
        self.0.running_add(account.index(), -1) == 1
    }

    fn running(&self, account: Account) -> i32 {
        self.0.running_add(account.index(), 0)
    }

    fn publish_head(&mut self, account: Account, head: Key) {
        self.0.set_head(account.index(), head.0);
    }

    fn generation(&self, id: WorkerId) -> u32 {
        self.0.tenant(id.0)
    }

    fn request_pending(&self, id: WorkerId) -> bool {
        self.0.asked(id.0)
    }

    fn take_request(&mut self, id: WorkerId) -> bool {
        self.0.take_asked(id.0)
    }
}

/// The submitter waits on the ring of the probe's records, too.
pub struct ProbeWait(pub BlockReader);

impl SubmitterWait for ProbeWait {
    fn waker(&self) -> Arc<dyn SubmitterWake> {
        self.0.waker()
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        if self.0.wait(timeout).is_err() {
            // The caller waits again at once.
            thread::yield_now();
        }
    }

    fn requests(&mut self, take: &mut dyn FnMut(SpawnRequest)) {
        self.0.drain(|event| {
            take(SpawnRequest {
                id: WorkerId(event.slot),
                generation: event.tenant,
                held: Key(event.work),
                head: Key(event.head),
            });
        });
    }
}

/// The submitter waits without a probe: workers report blocking themselves.
pub struct DoorbellWait(pub Doorbell);

impl SubmitterWait for DoorbellWait {
    fn waker(&self) -> Arc<dyn SubmitterWake> {
        self.0.caller()
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        if self.0.wait(timeout).is_err() {
            thread::yield_now();
        }
    }

    fn requests(&mut self, _: &mut dyn FnMut(SpawnRequest)) {}
}

impl SubmitterWake for Caller {
    fn wake(&self) {
        self.call();
    }
}
