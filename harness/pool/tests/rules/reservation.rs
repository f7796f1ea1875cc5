//! `reserved_running` of the probe's requests: passed on to a worker, or given back on each way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use super::bench::{Bench, CONCURRENT, PLAIN, write};
use iowq_pool::counters::RunCounters;
use iowq_pool::work::{Account, Key};
use iowq_pool::{NextStep, SpawnRequest, WorkerId};

/// Workers that a test may have.
const SLOTS: usize = 4;

/// The page that pool and probe share. Tests set what is queued.
#[derive(Clone, Default)]
struct Page(Arc<Numbers>);

#[derive(Default)]
struct Numbers {
    running: [AtomicI32; 2],
    requested: [AtomicU32; SLOTS],
    generation: [AtomicU32; SLOTS],
}

impl RunCounters for Page {
    fn running_inc(&mut self, account: Account) {
        self.0.running[account.index()].fetch_add(1, Relaxed);
    }

    fn running_dec(&mut self, account: Account) -> bool {
        self.0.running[account.index()].fetch_sub(1, Relaxed) == 1
    }

    fn running(&self, account: Account) -> i32 {
        self.0.running[account.index()].load(Relaxed)
    }

    fn publish_head(&mut self, _: Account, _: Key) {}

    fn generation(&self, id: WorkerId) -> u32 {
        self.0.generation[id.index()].load(Relaxed)
    }

    fn request_pending(&self, id: WorkerId) -> bool {
        self.0.requested[id.index()].load(Relaxed) != 0
    }

    fn take_request(&mut self, id: WorkerId) -> bool {
        self.0.requested[id.index()].swap(0, Relaxed) != 0
    }
}

/// A pool with one worker that runs a write to bucket 1, and the page it shares with the probe.
fn busy(policy: &str) -> (Bench<Page>, Page, WorkerId) {
    busy_among(policy, SLOTS as u32)
}

/// The same with `slots` worker slots.
fn busy_among(policy: &str, slots: u32) -> (Bench<Page>, Page, WorkerId) {
    let page = Page::default();
    let mut bench = Bench::on(page.clone(), policy, 64, slots);
    let (work, id) = bench.enqueue_and_make(write(1));
    page.0.generation[id.index()].fetch_add(1, Relaxed);
    assert_eq!(bench.start(id), NextStep::Run(work));
    (bench, page, id)
}

/// The probe sees the worker block over this queue, and makes a request.
fn blocks(page: &Page, id: WorkerId, head: Key) -> SpawnRequest {
    let slot = id.index();
    assert_eq!(page.0.running[0].fetch_sub(1, Relaxed), 1, "it is the last one that runs");
    page.0.running[0].fetch_add(1, Relaxed);
    page.0.requested[slot].store(1, Relaxed);
    SpawnRequest { id, generation: page.generation(id), held: Key::of(Some(1)), head }
}

impl Bench<Page> {
    fn spawn_requested(&mut self, request: SpawnRequest) {
        self.state.spawn_requested(request);
    }
}

#[test]
fn from_the_sleep_on_the_reservation_keeps_others_from_making_a_worker() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = blocks(&page, id, Key::UNHASHED);
    assert_eq!(
        bench.enqueue(PLAIN).1,
        None,
        "one is on its way, though its request is not taken yet"
    );
    bench.spawn_requested(request);
    assert_eq!(bench.running(), 1);
    let made = bench.run_creation().expect("it is made");
    bench.state.spawned(made);
    assert_eq!((bench.running(), bench.workers()), (1, 2), "it inherits the reservation");
}

#[test]
fn a_policy_that_refuses_gives_the_reservation_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(write(1));
    let request = blocks(&page, id, Key::of(Some(1)));
    bench.spawn_requested(request);
    assert_eq!((bench.running(), bench.state.creation_pending()), (0, false));
}

#[test]
fn a_request_that_comes_twice_is_taken_once() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = blocks(&page, id, Key::UNHASHED);
    bench.spawn_requested(request);
    bench.spawn_requested(request);
    assert_eq!(bench.running(), 1);
    assert!(bench.run_creation().is_some());
    assert!(!bench.state.creation_pending());
}

#[test]
fn a_worker_whose_last_request_is_pending_gives_the_next_reservation_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = blocks(&page, id, Key::UNHASHED);
    bench.spawn_requested(request);
    // It sleeps on: a wake that was not counted.
    let request = blocks(&page, id, Key::UNHASHED);
    bench.state.unblock(id);
    bench.spawn_requested(request);
    assert_eq!(bench.running(), 1, "one request, one reservation");
    assert_eq!(bench.state.tally().requests, 1);
}

#[test]
fn at_the_end_of_the_task_the_reservation_is_given_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = blocks(&page, id, Key::UNHASHED);
    bench.state.exit(&mut bench.effects);
    bench.spawn_requested(request);
    assert_eq!((bench.running(), bench.state.creation_pending()), (0, false));
}

#[test]
fn a_worker_that_exits_gives_its_reservation_back() {
    let (mut bench, page, id) = busy("6.17");
    bench.enqueue(PLAIN);
    let request = blocks(&page, id, Key::UNHASHED);
    bench.state.exit(&mut bench.effects);
    bench.state.unblock(id);
    assert!(matches!(bench.finish(id), NextStep::Run(_)), "bounded work is still done");
    assert_eq!(bench.finish(id), NextStep::Exit);
    bench.state.exited(id);
    assert_eq!(bench.running(), 0);
    bench.spawn_requested(request);
    assert_eq!(bench.running(), 0, "once");
}

#[test]
fn a_request_of_an_earlier_generation_does_not_count_for_the_next_one() {
    let (mut bench, page, id) = busy_among("6.17", 1);
    let of_the_last = blocks(&page, id, Key::UNHASHED);
    bench.state.unblock(id);
    assert_eq!(bench.finish(id), NextStep::Rescan);
    bench.state.exited(id);
    assert_eq!(bench.running(), 0, "given back by the worker that exited");
    let next = bench.state.spawn_at_start().expect("the same slot");
    bench.state.spawned(next);
    page.0.generation[next.index()].fetch_add(1, Relaxed);
    assert_eq!((next, bench.start(next)), (id, NextStep::Sleep));
    let of_the_next = blocks(&page, next, Key::UNHASHED);
    bench.spawn_requested(of_the_last);
    assert_eq!((bench.running(), bench.state.creation_pending()), (1, false));
    bench.spawn_requested(of_the_next);
    assert_eq!((bench.running(), bench.state.creation_pending()), (1, true));
}

#[test]
fn with_retire_a_worker_stays_while_its_request_is_pending() {
    for taken in [true, false] {
        let (mut bench, page, id) = busy("6.17+retire");
        let (other, second) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(second), NextStep::Run(other));
        bench.block(second);
        let request = blocks(&page, id, Key::UNHASHED);
        if taken {
            bench.spawn_requested(request);
        }
        bench.state.unblock(id);
        bench.finish_and_park(id);
        bench.state.woke(id, true);
        assert_eq!(bench.next_step(id), NextStep::Sleep, "taken: {taken}");
        if !taken {
            bench.spawn_requested(request);
        }
        assert_eq!(bench.run_creation(), None, "it is free, so it is woken instead");
        assert_eq!(bench.next_step(id), NextStep::Sleep);
        assert!(bench.sleep(id));
        bench.state.woke(id, true);
        assert_eq!(bench.next_step(id), NextStep::Exit, "taken: {taken}");
    }
}

#[test]
fn without_retire_a_worker_exits_and_withdraws_its_request() {
    for taken in [true, false] {
        let (mut bench, page, id) = busy("6.17");
        let (other, second) = bench.enqueue_and_make(CONCURRENT);
        assert_eq!(bench.start(second), NextStep::Run(other));
        bench.block(second);
        let request = blocks(&page, id, Key::UNHASHED);
        if taken {
            bench.spawn_requested(request);
        }
        bench.state.unblock(id);
        bench.finish_and_park(id);
        bench.state.woke(id, true);
        assert_eq!(bench.next_step(id), NextStep::Exit, "taken: {taken}");
        bench.state.exited(id);
        bench.spawn_requested(request);
        assert_eq!((bench.running(), bench.state.creation_pending()), (0, false));
    }
}
