//! Births: how long a work waits for a worker that is created for it, beside a thread of std's.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Duration;

use iowq_harness::clock::{self, Nanos};
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::Registry;
use iowq_pool::work::{Account, Flags, WorkId};
use iowq_pool::{BlockingObserver, Config, Job, ParkedWait, Pool, WorkOutcome, teardown};

use crate::spread::range;

/// Workers that are created in each round.
const BIRTHS: usize = 64;

/// A work that notes when it began, and then keeps its worker until all have.
#[derive(Clone, Copy)]
struct Begin(&'static Barrier, &'static AtomicUsize);

impl Job for Begin {
    type Seen = Nanos;

    fn run(self) -> (WorkOutcome, Nanos) {
        let began = clock::now();
        self.1.fetch_add(1, Ordering::Release);
        self.0.wait();
        (WorkOutcome::Done, began)
    }

    fn may_block(&self) -> bool {
        true
    }
}

/// No worker reports that it blocks, so that only the birth is timed.
struct Unreported;

impl BlockingObserver for Unreported {
    fn self_reported(&self) -> bool {
        false
    }
}

/// Medians of rounds in turn, in microseconds.
///
/// # Errors
/// If the system refuses a thread.
pub fn text(rounds: u32) -> anyhow::Result<String> {
    let names = ["pool-6.17", "std::thread::spawn"];
    let mut medians_us = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let mut of_round = [0.0; 2];
        for turn in 0..2 {
            let which = ((round + turn) % 2) as usize;
            let waits_ns = if which == 0 { pool()? } else { threads() };
            of_round[which] = median_us(waits_ns);
            medians_us[which].push(of_round[which]);
        }
        ratios.push(of_round[0] / of_round[1]);
    }
    let mut text = format!(
        "From hand-over to the first instruction, {BIRTHS} births a round, {rounds} rounds.\n\n"
    );
    for (name, values) in names.iter().zip(medians_us) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<20} {:>24} us", range(values, 1));
    }
    let _ = writeln!(text, "{:<20} {:>24}", "ratio", range(ratios, 2));
    Ok(text)
}

fn median_us(mut values_ns: Vec<u64>) -> f64 {
    values_ns.sort_unstable();
    values_ns[values_ns.len() / 2] as f64 / 1e3
}

fn pool() -> anyhow::Result<Vec<u64>> {
    let config = Config {
        works: BIRTHS as u32,
        slots: BIRTHS as u32,
        limits: [BIRTHS as u32; 2],
        idle_timeout: Duration::from_secs(5),
        teardown: teardown::measured(),
    };
    let (counters, wait) = (LocalCounters::default(), Box::new(ParkedWait::default()));
    let policy = Registry::builtin().parse("6.17")?.build();
    let mut pool = Pool::new(policy, counters, &config, Arc::new(Unreported), wait);
    pool.open();
    // It outlives its last user by the length of this process.
    let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(BIRTHS)));
    let begun: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    let flags = Flags { account: Account::Bounded, bucket: None, concurrent: true };
    let mut queued = Vec::new();
    for work in 0..BIRTHS {
        queued.push(clock::now());
        pool.submit(WorkId(work as u32), Begin(barrier, begun), flags, None);
        settle(begun, work + 1);
    }
    let mut ended = Vec::new();
    pool.wait(BIRTHS, None, &mut ended);
    let waits = queued.iter().zip(0..).map(|(at, work)| pool.seen(WorkId(work)).since(*at));
    let waits = waits.collect();
    let _ = pool.exit();
    Ok(waits)
}

fn threads() -> Vec<u64> {
    let barrier = Barrier::new(BIRTHS);
    let began = Mutex::new(vec![0; BIRTHS]);
    let begun = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for place in 0..BIRTHS {
            let queued = clock::now();
            let (barrier, began, begun) = (&barrier, &began, &begun);
            scope.spawn(move || {
                let waited_ns = clock::now().since(queued);
                began.lock().unwrap_or_else(PoisonError::into_inner)[place] = waited_ns;
                begun.fetch_add(1, Ordering::Release);
                barrier.wait();
            });
            settle(begun, place + 1);
        }
    });
    began.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `count` works have begun: births do not queue up, and no new worker is free for the
/// next work.
fn settle(begun: &AtomicUsize, count: usize) {
    while begun.load(Ordering::Acquire) < count {
        std::thread::yield_now();
    }
}
