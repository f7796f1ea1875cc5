//! The driver: takes ops from the stream, hands them to the engine in time, and keeps the books.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::time::Duration;

use iowq_workloads::{Arrival, Ledger, Length, Op, OpKind, Plan, Stream, block};

use crate::clock::Nanos;
use crate::engine::call::Buffers;
use crate::engine::{Engine, EngineError, Request};
use crate::io::errno_name;
use crate::pool::{Completion, Outcome};

/// What the driver saw.
#[derive(Debug, Default)]
pub struct Driven {
    /// When the first ring was opened.
    pub opened: Nanos,
    /// When the measured part began.
    pub measured_from: Nanos,
    /// When its last op was done.
    pub measured_until: Nanos,
    /// When the last ring was closed.
    pub closed: Nanos,
    /// Measured ops that were done.
    pub done: u64,
    /// Measured ops that failed.
    pub failed: u64,
    /// The same by error, `ECANCELED` for those that never ran.
    pub failures: BTreeMap<String, u64>,
}

/// What is called just before and just after a ring is closed: who is there before may be gone
/// soon after, and who was made at the last moment is only seen after.
pub type AroundClose<'a> = &'a dyn Fn();

/// A run under way.
pub struct Driver<'a> {
    plan: &'a Plan,
    seed: u64,
    engine: &'a mut dyn Engine,
    buffers: &'a mut Buffers,
    ledger: &'a mut Ledger,
    around_close: AroundClose<'a>,
    stream: Peekable<Stream>,
    /// Ops in flight, by slot.
    requests: Vec<Option<Request>>,
    free: Vec<u32>,
    completions: Vec<Completion>,
    chain: Vec<Request>,
    /// When op 0 of an open loop is meant to start.
    start: Nanos,
    /// After this no op starts.
    end: Option<Nanos>,
    /// Measured ops that may still start.
    ops_left: u64,
    /// Ops that the open ring has taken.
    ops_in_ring: u64,
    driven: Driven,
}

impl<'a> Driver<'a> {
    /// A run of `plan` on `engine`. `around_close` is called before and after each close of a ring.
    pub fn new(
        plan: &'a Plan,
        seed: u64,
        engine: &'a mut dyn Engine,
        buffers: &'a mut Buffers,
        ledger: &'a mut Ledger,
        around_close: AroundClose<'a>,
    ) -> Driver<'a> {
        Driver {
            plan,
            seed,
            engine,
            buffers,
            ledger,
            around_close,
            stream: Stream::new(plan, seed).peekable(),
            requests: vec![None; plan.depth as usize],
            free: (0..plan.depth).rev().collect(),
            completions: Vec::with_capacity(plan.depth as usize),
            chain: Vec::with_capacity(plan.depth as usize),
            start: Nanos(0),
            end: None,
            ops_left: u64::MAX,
            ops_in_ring: 0,
            driven: Driven::default(),
        }
    }

    /// Runs it all: every ring from opening to closing, and the watch after the last one.
    ///
    /// # Errors
    /// Where the engine cannot go on; ops may then still be in flight, and use the buffers.
    pub fn run(mut self) -> Result<Driven, EngineError> {
        self.start = self.engine.now();
        self.driven.opened = self.start;
        self.driven.measured_from = self.start.after(self.plan.warmup);
        match self.plan.length {
            Length::Ops(ops) => self.ops_left = ops,
            Length::Time(time) => self.end = Some(self.driven.measured_from.after(time)),
            Length::Either { ops, time } => {
                self.ops_left = ops;
                self.end = Some(self.driven.measured_from.after(time));
            }
        }
        loop {
            self.one_ring()?;
            if self.ended() {
                break;
            }
            self.rest(self.plan.life.closed)?;
            // Time may have run out meanwhile; a ring without an op would tell nothing.
            if self.ended() {
                break;
            }
        }
        self.count_the_whole_length();
        self.rest(self.plan.life.linger)?;
        Ok(self.driven)
    }

    /// An open loop that time ends is measured over its whole length, also where nothing was due
    /// at the end: its rate is given, and ops done per second must not come out higher.
    fn count_the_whole_length(&mut self) {
        if self.ops_left == 0 {
            return;
        }
        if let (Some(end), false) = (self.end, matches!(self.plan.arrival, Arrival::Closed { .. }))
        {
            self.driven.measured_until = self.driven.measured_until.max(end);
        }
    }

    /// Opens a ring, uses it, drains it and closes it.
    fn one_ring(&mut self) -> Result<(), EngineError> {
        self.engine.open()?;
        self.ops_in_ring = 0;
        while !self.ring_is_spent() {
            match self.plan.arrival {
                Arrival::Closed { pause } => self.closed_round(pause)?,
                _ => self.open_round()?,
            }
        }
        let in_flight = self.in_flight();
        if in_flight > 0 {
            self.wait(in_flight, None)?;
        }
        (self.around_close)();
        self.driven.closed = self.engine.now();
        self.engine.close();
        (self.around_close)();
        Ok(())
    }

    /// One round of a closed loop: fill up, wait for one, reap all there are, pause.
    fn closed_round(&mut self, pause: Duration) -> Result<(), EngineError> {
        while !self.ring_is_spent() && self.has_room() {
            self.submit_next(self.engine.now());
        }
        self.engine.flush();
        // Time may have run out before anything was submitted.
        if self.in_flight() > 0 {
            self.wait(1, None)?;
        }
        if !pause.is_zero() {
            self.wait(0, Some(self.engine.now().after(pause)))?;
        }
        Ok(())
    }

    /// One round of an open loop: all that is due, then wait for the next op's time, or for a
    /// free place where none is left.
    fn open_round(&mut self) -> Result<(), EngineError> {
        while self.next_intended() <= self.engine.now() && !self.ring_is_spent() && self.has_room()
        {
            let intended = self.next_intended();
            self.submit_next(intended);
        }
        self.engine.flush();
        if self.ring_is_spent() {
            return Ok(());
        }
        let next = self.next_intended();
        let until = self.has_room().then(|| self.end.map_or(next, |end| next.min(end)));
        self.wait(1, until)
    }

    /// Whether there is a place for the next op and the one that may be linked behind it.
    fn has_room(&mut self) -> bool {
        let linked = self.stream.peek().is_some_and(|op| op.linked);
        self.free.len() > usize::from(linked)
    }

    /// Hands over the next op and the one linked behind it. There must be room.
    fn submit_next(&mut self, intended: Nanos) {
        debug_assert!(self.chain.is_empty());
        let mut linked = true;
        while linked {
            let Some(slot) = self.free.pop() else { break };
            let Some(op) = self.stream.next() else { break };
            linked = op.linked;
            let measured = self.driven.measured_from <= intended;
            self.chain.push(Request { op, slot, intended, measured });
        }
        self.prepare();
        self.engine.submit(&self.chain);
        self.ops_in_ring += self.chain.len() as u64;
        self.chain.clear();
    }

    /// Fills buffers and notes what is on its way.
    fn prepare(&mut self) {
        for request in &self.chain {
            let op = &request.op;
            if op.kind == OpKind::Write {
                self.buffers.fill(request.slot, |bytes| {
                    block::fill(bytes, self.seed, op.file, op.block, op.number);
                });
            }
            self.ledger.submitted(op);
            self.requests[request.slot as usize] = Some(*request);
            if request.measured {
                self.ops_left = self.ops_left.saturating_sub(1);
            }
        }
    }

    /// Waits on the engine and books what is done.
    fn wait(&mut self, want: usize, until: Option<Nanos>) -> Result<(), EngineError> {
        self.engine.wait(want, until, &mut self.completions)?;
        let mut measured = false;
        for completion in self.completions.drain(..) {
            let Some(request) = self.requests[completion.work as usize].take() else { continue };
            self.free.push(request.slot);
            let ok = completion.outcome == Outcome::Done;
            self.ledger.completed(&request.op, ok);
            if !request.measured {
                continue;
            }
            measured = true;
            match completion.outcome {
                Outcome::Done => self.driven.done += 1,
                Outcome::Failed(errno) => note(&mut self.driven, errno_name(errno)),
                Outcome::Cancelled => note(&mut self.driven, "ECANCELED"),
            }
        }
        if measured {
            self.driven.measured_until = self.engine.now();
        }
        Ok(())
    }

    /// Waits while no ring is in use. Creations that are asked for meanwhile are carried out.
    fn rest(&mut self, length: Duration) -> Result<(), EngineError> {
        if length.is_zero() {
            return Ok(());
        }
        self.wait(0, Some(self.engine.now().after(length)))
    }

    fn in_flight(&self) -> usize {
        self.requests.len() - self.free.len()
    }

    /// When the next op of an open loop is meant to start.
    fn next_intended(&mut self) -> Nanos {
        let offset_ns = self.stream.peek().map_or(0, |op: &Op| op.intended_ns);
        Nanos(self.start.0.saturating_add(offset_ns))
    }

    /// Whether the open ring takes no more ops.
    fn ring_is_spent(&mut self) -> bool {
        let limit = self.plan.life.reopen_after_ops;
        (limit != 0 && limit <= self.ops_in_ring) || self.ended()
    }

    /// Whether no more op is to start.
    fn ended(&mut self) -> bool {
        if self.ops_left == 0 {
            return true;
        }
        let Some(end) = self.end else { return false };
        match self.plan.arrival {
            Arrival::Closed { .. } => end <= self.engine.now(),
            // What was meant to start in time is still measured, however late it is.
            _ => end <= self.next_intended(),
        }
    }
}

fn note(driven: &mut Driven, error: &str) {
    driven.failed += 1;
    *driven.failures.entry(error.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use iowq_workloads::builtin;

    use super::*;
    use crate::engine::Remains;

    /// An engine that ends each op at once, and writes down what it was asked for.
    #[derive(Default)]
    struct Instant {
        chains: Vec<Vec<Op>>,
        done: Vec<Completion>,
        rings: Vec<&'static str>,
        /// Ops are done with this outcome.
        outcome: Option<Outcome>,
    }

    impl Engine for Instant {
        fn open(&mut self) -> Result<(), EngineError> {
            self.rings.push("open");
            Ok(())
        }
        fn close(&mut self) {
            self.rings.push("close");
        }
        fn submit(&mut self, chain: &[Request]) {
            self.chains.push(chain.iter().map(|request| request.op).collect());
            let outcome = self.outcome.unwrap_or(Outcome::Done);
            let done = chain.iter().map(|request| Completion { work: request.slot, outcome });
            self.done.extend(done);
        }
        fn flush(&mut self) {}
        fn wait(
            &mut self,
            want: usize,
            until: Option<Nanos>,
            out: &mut Vec<Completion>,
        ) -> Result<(), EngineError> {
            assert!(until.is_some() || want <= self.done.len(), "this would wait for ever");
            out.append(&mut self.done);
            Ok(())
        }
        fn finish(self: Box<Self>) -> Remains {
            Remains::default()
        }
    }

    /// Drives a plan without pauses; returns what was driven and what the engine saw.
    fn drive(plan: &Plan, engine: &mut Instant) -> (Driven, u32) {
        let (mut buffers, mut ledger) = (Buffers::new(plan), Ledger::new(plan));
        let closes = RefCell::new(0);
        let around_close = || *closes.borrow_mut() += 1;
        let driver = Driver::new(plan, 1, engine, &mut buffers, &mut ledger, &around_close);
        let driven = driver.run().expect("this engine never fails");
        (driven, closes.into_inner())
    }

    fn plan(name: &str, ops: u64) -> Plan {
        let mut plan = builtin(name).expect(name);
        plan.length = Length::Ops(ops);
        plan.life.closed = Duration::ZERO;
        plan.life.linger = Duration::ZERO;
        plan.arrival = Arrival::Closed { pause: Duration::ZERO };
        plan
    }

    #[test]
    fn ops_reach_the_engine_in_the_streams_order_and_are_all_booked() {
        let (plan, mut engine) = (plan("fsync-mix", 1000), Instant::default());
        let (driven, _) = drive(&plan, &mut engine);
        let seen: Vec<Op> = engine.chains.concat();
        let expected: Vec<Op> = Stream::new(&plan, 1).take(seen.len()).collect();
        assert_eq!(seen, expected);
        assert_eq!((driven.done, driven.failed), (1000, 0));
    }

    #[test]
    fn a_linked_pair_is_handed_over_whole_however_little_room_there_is() {
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
    fn rings_are_opened_and_closed_as_the_plan_says_and_looked_at_around_each_close() {
        let (plan, mut engine) = (plan("ring-per-batch", 80), Instant::default());
        let (_, looks) = drive(&plan, &mut engine);
        assert_eq!(engine.rings, ["open", "close"].repeat(10));
        assert_eq!(looks, 20);
    }

    #[test]
    fn a_run_whose_time_is_up_at_once_ends_and_waits_for_nothing() {
        for arrival in [Arrival::Closed { pause: Duration::ZERO }, Arrival::Rate { per_s: 1e9 }] {
            let mut plan = plan("dsync", 1);
            plan.length = Length::Time(Duration::ZERO);
            plan.arrival = arrival;
            let (driven, _) = drive(&plan, &mut Instant::default());
            assert_eq!(driven.done, 0);
        }
    }

    #[test]
    fn a_run_with_two_ends_stops_at_the_first() {
        let hour = Duration::from_secs(3600);
        for arrival in [Arrival::Closed { pause: Duration::ZERO }, Arrival::Rate { per_s: 1e9 }] {
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
        let mut engine = Instant { outcome: Some(Outcome::Failed(28)), ..Instant::default() };
        let (driven, _) = drive(&plan, &mut engine);
        assert_eq!((driven.done, driven.failed), (0, 100));
        assert_eq!(driven.failures["ENOSPC"], 100);
        let mut engine = Instant { outcome: Some(Outcome::Cancelled), ..Instant::default() };
        let (driven, _) = drive(&plan, &mut engine);
        assert_eq!(driven.failures["ECANCELED"], 100);
    }
}
