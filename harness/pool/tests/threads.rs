//! The pool on real threads, used as it should not be: each mistake has an answer, and no wait.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::{Policy, Registry, View};
use iowq_pool::sync::{Arc, Mutex, mpsc};
use iowq_pool::work::{Account, BUCKETS, Flags, WorkId, WorkerId};
use iowq_pool::{
    BlockingObserver, Config, Job, ParkedWait, Pool, SelfReported, WorkOutcome, clock, teardown,
};

/// Works that a pool has room for.
const WORKS: u32 = 8;

const READ: Flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };

/// By when a pool that is not stuck has answered.
const LATE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
struct Act {
    may_block: bool,
    panics: bool,
}

const NOTHING: Act = Act { may_block: false, panics: false };

impl Job for Act {
    type Seen = ();

    fn run(self) -> (WorkOutcome, ()) {
        if self.panics {
            // Without the message of a panic.
            resume_unwind(Box::new(()));
        }
        (WorkOutcome::Done, ())
    }

    fn may_block(&self) -> bool {
        self.may_block
    }
}

type Acts = Pool<Act, LocalCounters>;

fn config() -> Config {
    Config {
        works: WORKS,
        slots: 4,
        limits: [2; 2],
        idle_timeout: Duration::from_secs(5),
        teardown: teardown::measured(),
    }
}

fn under(policy: Box<dyn Policy>, config: &Config, observer: Arc<dyn BlockingObserver>) -> Acts {
    let wait = Box::new(ParkedWait::default());
    let mut pool = Pool::new(policy, LocalCounters::default(), config, observer, wait);
    pool.open();
    pool
}

fn pool(policy: &str, config: &Config) -> Acts {
    let policy = Registry::builtin().parse(policy).expect(policy).build();
    under(policy, config, Arc::new(SelfReported))
}

/// How these works ended, which are all that are in flight.
fn outcomes(pool: &mut Acts, works: usize) -> Vec<WorkOutcome> {
    let mut ended = Vec::new();
    pool.wait(works, Some(clock::now().after(LATE)), &mut ended);
    ended.sort_by_key(|done| done.work);
    ended.iter().map(|done| done.outcome).collect()
}

#[test]
fn a_work_that_panics_has_failed_and_those_behind_it_go_on() {
    use WorkOutcome::{Cancelled, Done, Panicked};
    for may_block in [false, true] {
        let mut pool = pool("6.17", &Config { limits: [1; 2], ..config() });
        let write = Flags { bucket: Some(3), ..READ };
        pool.define(WorkId(1), NOTHING, READ, None);
        pool.submit(WorkId(0), Act { may_block, panics: true }, write, Some(WorkId(1)));
        pool.submit(WorkId(2), NOTHING, write, None);
        assert_eq!(outcomes(&mut pool, 3), [Panicked, Cancelled, Done]);
        let tally = pool.exit().tally;
        assert_eq!((tally.created, tally.exited), (1, 1), "the worker went on");
    }
}

/// Its first idle worker has it panic.
struct Panics;

impl Policy for Panics {
    fn spawn_on_enqueue(&mut self, _: &View) -> bool {
        true
    }
    fn spawn_on_block(&mut self, _: &View) -> bool {
        true
    }
    fn exit_when_idle(&mut self, _: &View) -> bool {
        resume_unwind(Box::new(()))
    }
}

#[test]
fn after_a_panic_of_its_policy_the_submitter_panics_and_does_not_wait() {
    let mut pool = under(Box::new(Panics), &config(), Arc::new(SelfReported));
    // Its worker may have panicked before it is handed over.
    let both = AssertUnwindSafe(|| {
        pool.submit(WorkId(0), NOTHING, READ, None);
        // More than there will be.
        outcomes(&mut pool, 2)
    });
    assert!(catch_unwind(both).is_err());
}

#[test]
fn what_must_not_be_submitted_panics_in_the_submitter_and_the_pool_goes_on() {
    let mistakes: [fn(&mut Acts); 7] = [
        |pool| pool.submit(WorkId(WORKS), NOTHING, READ, None),
        |pool| pool.submit(WorkId(u32::MAX), NOTHING, READ, None),
        |pool| pool.define(WorkId(WORKS), NOTHING, READ, None),
        |pool| pool.submit(WorkId(1), NOTHING, READ, Some(WorkId(2))),
        |pool| pool.submit(WorkId(1), NOTHING, READ, Some(WorkId(1))),
        |pool| pool.submit(WorkId(0), NOTHING, READ, None),
        |pool| {
            let bucket = Some(BUCKETS as u8);
            pool.submit(WorkId(1), NOTHING, Flags { bucket, ..READ }, None);
        },
    ];
    for (number, mistake) in mistakes.into_iter().enumerate() {
        let mut pool = pool("6.17", &config());
        pool.submit(WorkId(0), NOTHING, READ, None);
        assert!(catch_unwind(AssertUnwindSafe(|| mistake(&mut pool))).is_err(), "{number}");
        assert!(!pool.cancel(WorkId(WORKS)));
        let () = pool.seen(WorkId(WORKS));
        assert_eq!(outcomes(&mut pool, 1), [WorkOutcome::Done], "{number}");
        pool.submit(WorkId(0), NOTHING, READ, None);
        assert_eq!(outcomes(&mut pool, 1), [WorkOutcome::Done], "{number}");
        let _ = pool.exit();
    }
}

#[test]
fn without_room_for_a_worker_works_are_cancelled() {
    for policy in ["6.1", "6.12", "6.17", "exit-on-idle", "fixed:2"] {
        for config in [Config { slots: 0, ..config() }, Config { limits: [0; 2], ..config() }] {
            let mut pool = pool(policy, &config);
            let unbounded = Flags { account: Account::Unbounded, ..READ };
            pool.submit(WorkId(0), NOTHING, unbounded, None);
            pool.submit(WorkId(1), Act { may_block: true, ..NOTHING }, unbounded, None);
            assert_eq!(outcomes(&mut pool, 2), [WorkOutcome::Cancelled; 2], "{policy}");
            let _ = pool.exit();
        }
    }
}

#[test]
fn a_pool_without_works_and_a_wait_for_none_end() {
    let mut pool = pool("6.17", &Config { works: 0, ..config() });
    pool.wait(0, None, &mut Vec::new());
    pool.wait(usize::MAX, Some(clock::now()), &mut vec![]);
    assert_eq!(pool.exit().tally.created, 0);
}

#[test]
fn the_longest_and_the_shortest_times_are_kept() {
    for time in [Duration::ZERO, Duration::MAX] {
        let mut pool =
            pool("exit-on-idle", &Config { idle_timeout: time, teardown: [time; 11], ..config() });
        for may_block in [false, true, false] {
            pool.submit(WorkId(0), Act { may_block, ..NOTHING }, READ, None);
            pool.submit(WorkId(1), NOTHING, READ, None);
            assert_eq!(outcomes(&mut pool, 2), [WorkOutcome::Done; 2], "{time:?}");
            pool.close();
            pool.open();
        }
        let tally = pool.exit().tally;
        assert_eq!(tally.created, tally.exited, "{time:?}");
    }
}

/// Says when a worker ends.
struct Ends(Mutex<mpsc::Sender<WorkerId>>);

impl BlockingObserver for Ends {
    fn self_reported(&self) -> bool {
        true
    }
    fn worker_ended(&self, id: WorkerId) {
        let ends = self.0.lock().expect("no thread panics with it");
        ends.send(id).expect("the test waits for it");
    }
}

#[test]
fn the_workers_of_a_pool_that_is_dropped_exit() {
    let (sender, ends) = mpsc::channel();
    let policy = Registry::builtin().parse("6.17").expect("a preset").build();
    let mut pool = under(policy, &config(), Arc::new(Ends(Mutex::new(sender))));
    pool.submit(WorkId(0), NOTHING, READ, None);
    assert_eq!(outcomes(&mut pool, 1), [WorkOutcome::Done]);
    drop(pool);
    assert_eq!(ends.recv_timeout(LATE), Ok(WorkerId(0)));
}
