//! Credits that the scheduler's probe counts: passed on to a worker, or given back on each way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use super::bench::{Bench, CONCURRENT, PLAIN, write};
use iowq_pool::board::Board;
use iowq_pool::work::{Account, Key};
use iowq_pool::{Request, Turn, WorkerId};

/// Workers that a test may have.
const SLOTS: usize = 4;

/// The page, as pool and probe share it. The queue is not looked at: tests say what is queued.
#[derive(Clone, Default)]
struct Page(Arc<Numbers>);

#[derive(Default)]
struct Numbers {
    running: [AtomicI32; 2],
    asked: [AtomicU32; SLOTS],
    tenant: [AtomicU32; SLOTS],
}

impl Board for Page {
    fn running_inc(&mut self, account: Account) {
        self.0.running[account.index()].fetch_add(1, Relaxed);
    }

    fn running_dec(&mut self, account: Account) -> bool {
        self.0.running[account.index()].fetch_sub(1, Relaxed) == 1
    }

    fn running(&self, account: Account) -> i32 {
        self.0.running[account.index()].load(Relaxed)
    }

    fn show_head(&mut self, _: Account, _: Key) {}

    fn tenant(&self, id: WorkerId) -> u32 {
        self.0.tenant[id as usize].load(Relaxed)
    }

    fn unheard(&self, id: WorkerId) -> bool {
        self.0.asked[id as usize].load(Relaxed) != 0
    }

    fn hear(&mut self, id: WorkerId) -> bool {
        self.0.asked[id as usize].swap(0, Relaxed) != 0
    }
}

/// A pool with one worker that runs a write to bucket 1, and the page it shares with the probe.
fn busy(policy: &str) -> (Bench<Page>, Page, WorkerId) {
    busy_among(policy, SLOTS as u32)
}

/// The same with room for so many workers.
fn busy_among(policy: &str, slots: u32) -> (Bench<Page>, Page, WorkerId) {
    let page = Page::default();
    let mut bench = Bench::on(page.clone(), policy, 64, slots);
    let (work, id) = bench.enqueue_and_make(write(1));
    page.0.tenant[id as usize].fetch_add(1, Relaxed);
    assert_eq!(bench.start(id), Turn::Run(work));
    (bench, page, id)
}

/// The probe sees the worker fall asleep over this queue, and asks.
fn falls_asleep(page: &Page, id: WorkerId, head: Key) -> Request {
    let slot = id as usize;
    assert_eq!(page.0.running[0].fetch_sub(1, Relaxed), 1, "it is the last one that runs");
    page.0.running[0].fetch_add(1, Relaxed);
    page.0.asked[slot].store(1, Relaxed);
    Request { id, tenant: page.tenant(id), held: Key::of(Some(1)), head }
}

impl Bench<Page> {
    fn ran_out(&mut self, request: Request) {
        self.state.ran_out(request);
    }
}

#[test]
fn from_the_sleep_on_the_credit_keeps_others_from_making_a_worker() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = falls_asleep(&page, id, Key::UNHASHED);
    assert_eq!(bench.enqueue(PLAIN).1, None, "one is on its way, though nobody heard it yet");
    bench.ran_out(request);
    assert_eq!(bench.running(), 1);
    let made = bench.run_creation().expect("it is made");
    bench.state.spawned(made);
    assert_eq!((bench.running(), bench.workers()), (1, 2), "it inherits the credit");
}

#[test]
fn a_policy_that_says_no_gives_the_credit_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(write(1));
    let request = falls_asleep(&page, id, Key::of(Some(1)));
    bench.ran_out(request);
    assert_eq!((bench.running(), bench.state.creation_pending()), (0, false));
}

#[test]
fn what_is_heard_twice_gives_back_nothing_and_asks_for_nobody() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = falls_asleep(&page, id, Key::UNHASHED);
    bench.ran_out(request);
    bench.ran_out(request);
    assert_eq!(bench.running(), 1);
    assert!(bench.run_creation().is_some());
    assert!(!bench.state.creation_pending());
}

#[test]
fn a_worker_whose_last_request_is_pending_gives_the_credit_of_the_next_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = falls_asleep(&page, id, Key::UNHASHED);
    bench.ran_out(request);
    // It sleeps on: a wake that nobody counted.
    let request = falls_asleep(&page, id, Key::UNHASHED);
    bench.state.running_again(id);
    bench.ran_out(request);
    assert_eq!(bench.running(), 1, "one request, one credit");
    assert_eq!(bench.state.tally().requests, 1);
}

#[test]
fn at_the_end_of_the_task_the_credit_is_given_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = falls_asleep(&page, id, Key::UNHASHED);
    bench.state.exit(&mut bench.effects);
    bench.ran_out(request);
    assert_eq!((bench.running(), bench.state.creation_pending()), (0, false));
}

#[test]
fn a_worker_that_leaves_at_the_end_gives_back_what_nobody_heard() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = falls_asleep(&page, id, Key::UNHASHED);
    bench.state.exit(&mut bench.effects);
    bench.state.running_again(id);
    assert!(matches!(bench.finish(id), Turn::Run(_)), "bounded work is still done");
    assert_eq!(bench.finish(id), Turn::Leave);
    bench.state.exited(id);
    assert_eq!(bench.running(), 0);
    bench.ran_out(request);
    assert_eq!(bench.running(), 0, "once");
}

#[test]
fn the_next_worker_of_a_slot_is_not_blamed_for_what_the_last_one_asked() {
    let (mut bench, page, id) = busy_among("6.17", 1);
    let of_the_last = falls_asleep(&page, id, Key::UNHASHED);
    bench.state.running_again(id);
    assert_eq!(bench.finish(id), Turn::Look);
    bench.state.exited(id);
    assert_eq!(bench.running(), 0, "given back by the one who left");
    let next = bench.state.spawn_at_start().expect("the same slot");
    bench.state.spawned(next);
    page.0.tenant[next as usize].fetch_add(1, Relaxed);
    assert_eq!((next, bench.start(next)), (id, Turn::Doze));
    let of_the_next = falls_asleep(&page, next, Key::UNHASHED);
    bench.ran_out(of_the_last);
    assert_eq!((bench.running(), bench.state.creation_pending()), (1, false));
    bench.ran_out(of_the_next);
    assert_eq!((bench.running(), bench.state.creation_pending()), (1, true));
}

#[test]
fn with_retire_a_worker_stays_while_what_it_asked_is_under_way() {
    for heard in [true, false] {
        let (mut bench, page, id) = busy("6.17+retire");
        let (other, second) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(second), Turn::Run(other));
        bench.block(second);
        let request = falls_asleep(&page, id, Key::UNHASHED);
        if heard {
            bench.ran_out(request);
        }
        bench.state.running_again(id);
        bench.finish_and_park(id);
        bench.state.woke(id, true);
        assert_eq!(bench.lap(id), Turn::Doze, "heard: {heard}");
        if !heard {
            bench.ran_out(request);
        }
        assert_eq!(bench.run_creation(), None, "it is free, so it is woken instead");
        assert_eq!(bench.lap(id), Turn::Doze);
        assert!(bench.sleep(id));
        bench.state.woke(id, true);
        assert_eq!(bench.lap(id), Turn::Leave, "heard: {heard}");
    }
}

#[test]
fn without_retire_a_worker_leaves_and_takes_its_request_with_it() {
    for heard in [true, false] {
        let (mut bench, page, id) = busy("6.17");
        let (other, second) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(second), Turn::Run(other));
        bench.block(second);
        let request = falls_asleep(&page, id, Key::UNHASHED);
        if heard {
            bench.ran_out(request);
        }
        bench.state.running_again(id);
        bench.finish_and_park(id);
        bench.state.woke(id, true);
        assert_eq!(bench.lap(id), Turn::Leave, "heard: {heard}");
        bench.state.exited(id);
        bench.ran_out(request);
        assert_eq!((bench.running(), bench.state.creation_pending()), (0, false));
    }
}
