//! Tests of the driver, on an engine that ends each op at once.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use iowq_workloads::builtin;

use super::*;
use crate::engine::EngineReport;

const CLOSED: Arrival = Arrival::Closed { pause: Duration::ZERO, min_complete: 1 };

/// An engine that ends each op at once, and records its calls.
#[derive(Default)]
struct Instant {
    chains: Vec<Vec<Op>>,
    /// The intended time of each chain, and when it was submitted.
    times: Vec<(Nanos, Nanos)>,
    done: Vec<Completion>,
    /// How many completions each wait was for.
    wanted: Vec<usize>,
    /// A wait brings no more than it is for, or one.
    slow: bool,
    /// Ops submitted in each round.
    rounds: Vec<usize>,
    in_round: usize,
    rings: Vec<&'static str>,
    /// Ops are done with this outcome.
    outcome: Option<WorkOutcome>,
    /// What each reading of the clock takes; 0 for the real clock.
    step_ns: u64,
    now_ns: Cell<u64>,
}

impl Engine for Instant {
    fn now(&self) -> Nanos {
        if self.step_ns == 0 {
            return clock::now();
        }
        self.now_ns.set(self.now_ns.get() + self.step_ns);
        Nanos(self.now_ns.get())
    }
    fn open(&mut self) -> Result<(), EngineError> {
        self.rings.push("open");
        Ok(())
    }
    fn close(&mut self) {
        self.rings.push("close");
    }
    fn submit(&mut self, chain: &[Request]) {
        self.times.push((chain[0].intended, clock::now()));
        self.chains.push(chain.iter().map(|request| request.op).collect());
        let outcome = self.outcome.unwrap_or(WorkOutcome::Done);
        let done = chain
            .iter()
            .map(|request| Completion { work: iowq_pool::WorkId(request.slot), outcome });
        self.done.extend(done);
        self.in_round += chain.len();
    }
    fn flush(&mut self) {
        self.rounds.push(std::mem::take(&mut self.in_round));
    }
    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError> {
        assert!(until.is_some() || want <= self.done.len(), "this would wait for ever");
        self.wanted.push(want);
        let most = if self.slow { want.max(1) } else { usize::MAX };
        out.extend(self.done.drain(..most.min(self.done.len())));
        Ok(())
    }
    fn finish(self: Box<Self>) -> EngineReport {
        EngineReport::default()
    }
}

/// Drives a plan without pauses; returns what was driven and what the engine saw.
fn drive(plan: &Plan, engine: &mut Instant) -> (DriveStats, u32) {
    drive_delayed(plan, engine, Duration::ZERO)
}

/// The same with a delay.
fn drive_delayed(plan: &Plan, engine: &mut Instant, delay: Duration) -> (DriveStats, u32) {
    let (mut buffers, mut ledger) = (Buffers::new(plan), Ledger::new(plan));
    let closes = RefCell::new(0);
    let around_close = || *closes.borrow_mut() += 1;
    let driver = Driver::new(plan, 1, engine, &mut buffers, &mut ledger, &around_close);
    let driven = driver.with_delay(delay).run().expect("this engine never fails");
    (driven, closes.into_inner())
}

fn plan(name: &str, ops: u64) -> Plan {
    let mut plan = builtin(name).expect(name);
    plan.length = Length::Ops(ops);
    plan.life.closed = Duration::ZERO;
    plan.life.linger = Duration::ZERO;
    plan.arrival = CLOSED;
    plan
}

#[test]
fn ops_reach_the_engine_in_the_streams_order_and_are_all_counted() {
    let (plan, mut engine) = (plan("fsync-mix", 1000), Instant::default());
    let (driven, _) = drive(&plan, &mut engine);
    let seen: Vec<Op> = engine.chains.concat();
    let expected: Vec<Op> = Stream::new(&plan, 1).take(seen.len()).collect();
    assert_eq!(seen, expected);
    assert_eq!((driven.done, driven.failed), (1000, 0));
    assert!(driven.cpu_ns > Some(0), "{:?}", driven.cpu_ns);
}

#[test]
fn a_round_waits_for_min_complete_ops_or_for_all_in_flight() {
    let mut plan = plan("fsync-mix", 40);
    for (min_complete, wanted) in [(1, [1, 1, 1]), (6, [6, 6, 6]), (16, [16, 16, 8])] {
        plan.arrival = Arrival::Closed { pause: Duration::ZERO, min_complete };
        let mut engine = Instant::default();
        let (driven, _) = drive(&plan, &mut engine);
        assert_eq!(driven.done, 40);
        assert_eq!(engine.wanted, wanted, "min_complete = {min_complete}");
    }
}

#[test]
fn a_delayed_round_has_its_full_size() {
    let mut plan = plan("fsync-mix", 200);
    plan.arrival = Arrival::Closed { pause: Duration::ZERO, min_complete: 8 };
    let mut engine = Instant { slow: true, ..Instant::default() };
    let (driven, _) = drive_delayed(&plan, &mut engine, Duration::from_micros(50));
    assert_eq!(driven.done, 200);
    let (_, whole) = engine.rounds.split_last().expect("there are rounds");
    assert!(whole.iter().all(|ops| *ops >= 8), "{whole:?}");
}

#[test]
fn a_linked_pair_is_never_split_for_lack_of_slots() {
    let mut plan = plan("wal", 500);
    plan.depth = 3;
    let mut engine = Instant::default();
    drive(&plan, &mut engine);
    for chain in &engine.chains {
        let (last, front) = chain.split_last().expect("no chain is empty");
        assert!(!last.linked && front.iter().all(|op| op.linked), "{chain:?}");
    }
    assert!(engine.chains.iter().any(|chain| chain.len() == 2));
}

#[test]
fn rings_are_opened_and_closed_by_the_plan_and_observed_around_each_close() {
    let (plan, mut engine) = (plan("ring-per-batch", 80), Instant::default());
    let (_, looks) = drive(&plan, &mut engine);
    assert_eq!(engine.rings, ["open", "close"].repeat(10));
    assert_eq!(looks, 20);
}

#[test]
fn a_run_of_no_length_ends_at_once() {
    for arrival in [CLOSED, Arrival::Rate { per_s: 1e9 }] {
        let mut plan = plan("dsync", 1);
        plan.length = Length::Time(Duration::ZERO);
        plan.arrival = arrival;
        let (driven, _) = drive(&plan, &mut Instant::default());
        assert_eq!((driven.done, driven.cpu_ns), (0, None));
    }
}

#[test]
fn an_op_is_submitted_later_by_the_delay_than_it_counts_from() {
    let delay = Duration::from_micros(50);
    for arrival in [CLOSED, Arrival::Rate { per_s: 1e6 }] {
        let mut plan = plan("fsync-mix", 500);
        plan.arrival = arrival;
        let mut engine = Instant::default();
        let (driven, _) = drive_delayed(&plan, &mut engine, delay);
        assert_eq!(driven.done, 500);
        for (intended, handed_over) in engine.times {
            assert!(intended.after(delay) <= handed_over, "{arrival:?}");
        }
    }
}

#[test]
fn a_delay_changes_no_intended_time_of_an_open_loop() {
    let mut plan = plan("fsync-mix", 500);
    plan.arrival = Arrival::Rate { per_s: 1e6 };
    let mut engine = Instant::default();
    let (driven, _) = drive_delayed(&plan, &mut engine, Duration::from_micros(50));
    let intended = engine.chains.iter().map(|chain| chain[0].intended_ns);
    let stamped = engine.times.iter().map(|(intended, _)| intended.since(driven.opened));
    assert!(stamped.eq(intended));
}

#[test]
fn a_run_with_two_ends_stops_at_the_first() {
    let hour = Duration::from_secs(3600);
    for arrival in [CLOSED, Arrival::Rate { per_s: 1e9 }] {
        let mut plan = plan("dsync", 1);
        plan.arrival = arrival;
        plan.length = Length::Either { ops: 100, time: hour };
        let (driven, _) = drive(&plan, &mut Instant::default());
        assert_eq!(driven.done, 100);
        assert!(driven.measured_until < driven.measured_from.after(hour), "it is not over");
        plan.length = Length::Either { ops: 100, time: Duration::ZERO };
        let (driven, _) = drive(&plan, &mut Instant::default());
        assert_eq!(driven.done, 0);
    }
}

#[test]
fn failures_are_counted_by_their_name() {
    let plan = plan("dsync", 100);
    let mut engine = Instant { outcome: Some(WorkOutcome::Failed(28)), ..Instant::default() };
    let (driven, _) = drive(&plan, &mut engine);
    assert_eq!((driven.done, driven.failed), (0, 100));
    assert_eq!(driven.failures["ENOSPC"], 100);
    let mut engine = Instant { outcome: Some(WorkOutcome::Cancelled), ..Instant::default() };
    let (driven, _) = drive(&plan, &mut engine);
    assert_eq!(driven.failures["ECANCELED"], 100);
}

#[test]
fn ops_that_an_open_loop_never_started_are_counted() {
    let mut plan = plan("dsync", 1);
    plan.arrival = Arrival::Rate { per_s: 1000.0 };
    plan.length = Length::Time(Duration::from_secs(1));
    // Each reading of the clock takes ten times the interval between ops.
    let mut engine = Instant { step_ns: 10_000_000, ..Instant::default() };
    let (driven, _) = drive(&plan, &mut engine);
    assert!(driven.done < 1000, "{driven:?}");
    assert_eq!(driven.never_started, Some(1000 - driven.done));
    let mut engine = Instant { step_ns: 1000, ..Instant::default() };
    let (driven, _) = drive(&plan, &mut engine);
    assert_eq!((driven.done, driven.never_started), (1000, None));
}

#[test]
fn progress_is_reported_about_once_a_second() {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    static TIMES: AtomicU64 = AtomicU64::new(0);
    let plan = plan("dsync", 1000);
    let mut engine = Instant { step_ns: 100_000_000, ..Instant::default() };
    let (mut buffers, mut ledger) = (Buffers::new(&plan), Ledger::new(&plan));
    let driver = Driver::new(&plan, 1, &mut engine, &mut buffers, &mut ledger, &|| ());
    let driver = driver.with_report(&|ops| {
        TIMES.fetch_add(1, Ordering::Relaxed);
        assert!(TOLD.swap(ops, Ordering::Relaxed) < ops);
    });
    driver.run().expect("this engine never fails");
    let seconds = engine.now_ns.get() / 1_000_000_000;
    let times = TIMES.load(Ordering::Relaxed);
    assert!((1..=seconds).contains(&times), "{times} times in {seconds} s");
}

#[test]
fn a_plan_that_counts_blocks_ends_with_them_whatever_its_ops_are() {
    let mut plan = plan("fsync-mix", 10);
    plan.io_blocks = 1000;
    let mut engine = Instant::default();
    let (driven, _) = drive(&plan, &mut engine);
    let moves = |op: &&Op| matches!(op.kind, OpKind::Write | OpKind::Read);
    let blocks: u64 =
        engine.chains.concat().iter().filter(moves).map(|op| u64::from(op.blocks)).sum();
    assert_eq!(blocks, 1000);
    assert!(driven.done > 1000, "{} with the fsyncs", driven.done);
}

#[test]
fn a_stream_that_another_ends_starts_no_more_ops_and_leaves_its_pauses() {
    let mut slow = plan("fsync-mix", 10_000);
    slow.arrival = Arrival::Closed { pause: Duration::from_secs(3600), min_complete: 1 };
    let mut rare = plan("fsync-mix", 10_000);
    rare.arrival = Arrival::Rate { per_s: 0.001 };
    let mut late = plan("fsync-mix", 10_000);
    late.begins_after = Duration::from_secs(3600);
    for (plan, most) in [(slow, 16), (rare, 1), (late, 0)] {
        // Each look at the clock takes a second, so that an hour is over soon.
        let mut engine = Instant { step_ns: 1_000_000_000, ..Instant::default() };
        let (mut buffers, mut ledger) = (Buffers::new(&plan), Ledger::new(&plan));
        let looks = Cell::new(0);
        let is_over = || looks.replace(looks.get() + 1) > 100;
        let driver = Driver::new(&plan, 1, &mut engine, &mut buffers, &mut ledger, &|| ());
        let driven = driver.until(&is_over).run().expect("this engine never fails");
        assert!(driven.done <= most, "{} of {:?}", driven.done, plan.arrival);
    }
}

#[test]
fn a_stream_has_ended_before_its_workers_are_watched_on() {
    let mut plan = plan("dsync", 10);
    plan.life.linger = Duration::from_secs(3600);
    let mut engine = Instant { step_ns: 1_000_000_000, ..Instant::default() };
    let (mut buffers, mut ledger) = (Buffers::new(&plan), Ledger::new(&plan));
    let has_ended = Cell::new(false);
    let (is_over, at_end) = (|| has_ended.get(), || has_ended.set(true));
    let driver = Driver::new(&plan, 1, &mut engine, &mut buffers, &mut ledger, &|| ());
    let driven = driver.until(&is_over).with_end(&at_end).run().expect("this engine never fails");
    assert!(has_ended.get() && driven.done == 10);
    assert_eq!(engine.wanted.last(), Some(&0), "they are watched all the same");
}

#[test]
fn an_open_loop_that_another_ends_has_no_more_time_than_it_took_and_lacks_no_ops() {
    let mut plan = plan("dsync", 1);
    plan.arrival = Arrival::Rate { per_s: 1000.0 };
    plan.length = Length::Time(Duration::from_secs(3600));
    let mut engine = Instant { step_ns: 100_000, ..Instant::default() };
    let (mut buffers, mut ledger) = (Buffers::new(&plan), Ledger::new(&plan));
    let looks = Cell::new(0);
    let is_over = || looks.replace(looks.get() + 1) > 1000;
    let driver = Driver::new(&plan, 1, &mut engine, &mut buffers, &mut ledger, &|| ());
    let driven = driver.until(&is_over).run().expect("this engine never fails");
    assert!(driven.done > 0 && driven.never_started.is_none(), "{driven:?}");
    assert!(driven.measured_until <= driven.closed, "{driven:?}");
}
