//! Observing that workers block through the scheduler's probe, and where the submitter waits.

use std::time::Duration;

use iowq_contract::Switches;
use iowq_ebpf::{NEVER_ASK, SKIP_SAME_BUCKET};

use crate::doorbell::{Caller, Doorbell};
use crate::io;
use crate::probes::{BlockReader, BothCounts, Page, Tracker};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, thread};
use iowq_pool::counters::RunCounters;
use iowq_pool::policy::ProbeRule;
use iowq_pool::work::{Account, Key};
use iowq_pool::{BlockingObserver, SpawnRequest, SubmitterWait, SubmitterWake, WorkerId};

/// What the scheduler's probe observed, summed over workers that have ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct SchedReport {
    /// Sleeps in works.
    pub in_works: u64,
    /// Workers that were not tracked, because the probe's map was full.
    pub untracked: u64,
    /// Their switches, by the kernel's count and by the probe's.
    pub switches: Switches,
    /// Returns to a CPU in works without an event, noticed when the work ended.
    pub returns_repaired: u64,
}

/// The scheduler's probe reports blocking, at the moment of the switch.
pub struct SchedSwitch {
    page: Arc<Page>,
    tracker: Tracker,
    sums: Arc<SchedSums>,
}

/// Sums of what was observed, of the workers of one pool or of several.
#[derive(Default)]
pub struct SchedSums(Mutex<Sums>);

#[derive(Default)]
struct Sums {
    report: SchedReport,
    /// Counts of the switches of each worker when its tracking began, and when it ended.
    started: BothCounts,
    ended: BothCounts,
}

impl SchedSwitch {
    /// For workers that the probe behind this page and tracker observes.
    #[must_use]
    pub fn new(page: Arc<Page>, tracker: Tracker) -> SchedSwitch {
        SchedSwitch::adding_to(Arc::default(), page, tracker)
    }

    /// The same, with what is observed added to these sums.
    #[must_use]
    pub fn adding_to(sums: Arc<SchedSums>, page: Arc<Page>, tracker: Tracker) -> SchedSwitch {
        SchedSwitch { page, tracker, sums }
    }

    /// What was observed, once all workers have ended.
    #[must_use]
    pub fn report(&self) -> SchedReport {
        self.sums.report()
    }

    fn switches(&self, id: WorkerId) -> BothCounts {
        BothCounts::now(|| self.page.switches(id.0))
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock()
    }
}

impl SchedSums {
    /// What was observed, once all workers have ended.
    #[must_use]
    pub fn report(&self) -> SchedReport {
        let sums = self.lock();
        SchedReport { switches: sums.ended.since(sums.started), ..sums.report }
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        // A panic leaves no sum half-added.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlockingObserver for SchedSwitch {
    fn self_reported(&self) -> bool {
        false
    }

    fn worker_started(&self, id: WorkerId, account: Account) {
        self.page.claim(id.0, account.index());
        let untracked = self.tracker.track(io::thread_id(), id.0).is_err();
        let switches = self.switches(id);
        let mut sums = self.sums();
        sums.report.untracked += u64::from(untracked);
        sums.started += switches;
    }

    fn worker_ended(&self, id: WorkerId) {
        let switches = self.switches(id);
        self.tracker.untrack(io::thread_id());
        let mut sums = self.sums();
        sums.ended += switches;
        sums.report.in_works += u64::from(self.page.sleeps(id.0));
        sums.report.returns_repaired += u64::from(self.page.ins_repaired(id.0));
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
        self.0.generation(id.0)
    }

    fn request_pending(&self, id: WorkerId) -> bool {
        self.0.request_pending(id.0)
    }

    fn take_request(&mut self, id: WorkerId) -> bool {
        self.0.take_request(id.0)
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
                generation: event.generation,
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
}

impl SubmitterWake for Caller {
    fn wake(&self) {
        self.call();
    }
}
