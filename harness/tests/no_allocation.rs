//! An op allocates nothing: neither its way through the pool nor its recording.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use iowq_harness::recorder::Recorder;
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::Registry;
use iowq_pool::work::{Account, Flags, WorkId};
use iowq_pool::{Config, Job, ParkedWait, Pool, SelfReported, Submission, WorkOutcome, teardown};
use iowq_workloads::OpKind;

/// Works in flight.
const DEPTH: u32 = 32;

/// Counts what all threads allocate.
struct Counting;

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

// SAFETY: it does what the system's allocator does.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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

fn allocated_by(action: impl FnOnce()) -> u64 {
    let before = ALLOCATED.load(Ordering::Relaxed);
    action();
    ALLOCATED.load(Ordering::Relaxed) - before
}

/// One test, because another one would allocate meanwhile.
#[test]
fn an_op_allocates_nothing_on_its_way_through_the_pool_and_when_it_is_recorded() {
    let config = Config {
        works: DEPTH,
        slots: 2,
        limits: [1; 2],
        idle_timeout: Duration::from_secs(3600),
        teardown: teardown::measured(),
    };
    let policy = Registry::builtin().parse("6.17").expect("a preset").build();
    let (counters, wait) = (LocalCounters::default(), Box::new(ParkedWait::default()));
    let mut pool = Pool::new(policy, counters, &config, Arc::new(SelfReported), wait);
    pool.open();
    let flags = Flags { account: Account::Bounded, bucket: None, concurrent: true };
    let mut ended = Vec::with_capacity(DEPTH as usize);
    let mut round = || {
        let works = (0..DEPTH).map(WorkId);
        pool.submit_all(works.map(|work| Submission { work, job: Nop, flags, link: None }));
        pool.wait(DEPTH as usize, None, &mut ended);
        ended.clear();
    };
    // The one worker is born and all lists have grown.
    (0..100).for_each(|_| round());
    // A list of a thread may have its first entry later still, but each only once.
    let allocated = (0..5).map(|_| allocated_by(|| (0..1000).for_each(|_| round())));
    assert_eq!(allocated.min(), Some(0));

    let mut recorder = Recorder::of([OpKind::Write]);
    let record = |value| recorder.record(OpKind::Write, value, value / 2);
    assert_eq!(allocated_by(|| (1..100_000).for_each(record)), 0);
    let _ = pool.exit();
}
