//! What a policy sees: each number of a view, as workers and works change.

use super::bench::{BOUNDED, Bench, CONCURRENT, UNBOUNDED, write};
use iowq_pool::NextStep;
use iowq_pool::clock::Nanos;
use iowq_pool::policy::{Completed, View};
use iowq_pool::work::Key;

fn view(bench: &Bench) -> View {
    bench.state.view(BOUNDED)
}

#[test]
fn workers_are_counted_by_state() {
    let mut bench = Bench::new("6.17", 8);
    let counts = |bench: &Bench| {
        let View { workers, running, creating, free, asleep, blocked, .. } = view(bench);
        (workers, running, [creating, free, asleep, blocked])
    };
    assert_eq!(counts(&bench), (0, 0, [0, 0, 0, 0]));
    let (work, id) = bench.enqueue(CONCURRENT);
    let id = id.expect("the first work creates a worker");
    assert_eq!(counts(&bench), (1, 1, [1, 0, 0, 0]), "creating");
    bench.state.spawned(id);
    assert_eq!(counts(&bench), (1, 1, [0, 1, 0, 0]), "created");
    assert_eq!(bench.start(id), NextStep::Run(work));
    assert_eq!(counts(&bench), (1, 1, [0, 0, 0, 0]), "working");
    bench.block(id);
    assert_eq!(counts(&bench), (1, 0, [0, 0, 0, 1]), "blocked");
    bench.state.unblock(id);
    bench.finish_and_park(id);
    assert_eq!(counts(&bench), (1, 0, [0, 1, 1, 0]), "asleep");
    bench.enqueue(CONCURRENT);
    assert_eq!(counts(&bench), (1, 0, [0, 1, 0, 0]), "woken, and not running yet");
    bench.state.woke(id, false);
    assert_eq!(counts(&bench), (1, 1, [0, 1, 0, 0]), "awake");
    assert_eq!(bench.state.view(UNBOUNDED).workers, 0);
}

#[test]
fn the_queue_has_a_length_a_head_and_an_age() {
    let mut bench = Bench::new("6.12", 1);
    bench.enqueue_and_make(CONCURRENT);
    let of = |bench: &Bench| (view(bench).queued, view(bench).head, view(bench).head_age_ns);
    bench.state.started(iowq_pool::WorkerId(0));
    assert_eq!(of(&bench), (1, Key::UNHASHED, 0));
    assert!(matches!(bench.next_step(iowq_pool::WorkerId(0)), NextStep::Run(_)));
    assert_eq!(of(&bench), (0, Key::NONE, 0));
    bench.state.set_now(Nanos(100));
    bench.enqueue(write(3));
    bench.state.set_now(Nanos(250));
    bench.enqueue(write(3));
    assert_eq!(of(&bench), (2, Key::of(Some(3)), 150));
}

#[test]
fn what_completed_adds_up_with_its_run_time() {
    let mut bench = Bench::new("6.12", 1);
    let (work, id) = bench.enqueue_and_make(CONCURRENT);
    bench.state.set_now(Nanos(100));
    assert_eq!(bench.start(id), NextStep::Run(work));
    bench.enqueue(CONCURRENT);
    bench.state.set_now(Nanos(400));
    assert!(matches!(bench.finish(id), NextStep::Run(_)));
    let first = view(&bench).completed;
    assert_eq!(first, Completed { works: 1, run_ns: 300 });
    bench.state.set_now(Nanos(500));
    bench.finish(id);
    let both = view(&bench).completed;
    assert_eq!((both.works, both.mean_run_ns()), (2, 200));
    assert_eq!(both.since(first), Completed { works: 1, run_ns: 100 });
    assert_eq!(Completed::default().mean_run_ns(), 0);
}
