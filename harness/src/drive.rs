//! The driver: takes ops from the stream, hands them to the engine in time, and keeps the books.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::time::Duration;

use iowq_workloads::{Arrival, Ledger, Length, Op, OpKind, Plan, Stream, block};

use crate::clock::{self, Nanos, duration_ns};
use crate::engine::buffers::Buffers;
use crate::engine::{Engine, EngineError, Request};
use crate::io::errno_name;
use iowq_pool::{Completion, WorkOutcome};

/// How often the engine is attended to while a round is held back: seldom enough to leave its lock
/// to the workers, and often beside any call that may block.
const LOOK_NS: u64 = 5_000;

/// An open loop that time ends and that falls behind is given up after this many times its length:
/// by then its latencies are those of the backlog alone.
pub const OVERRUN: u32 = 2;

/// How often it is told how many ops are done.
const TELL: Duration = Duration::from_secs(1);

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
    /// Ops that an open loop was to start in time and that were never handed over, by its rate;
    /// none where it was kept up with.
    pub never_started: Option<u64>,
    /// Processor time of the whole process, from just before the first measured op was handed over
    /// until the last one was done; none where no op was measured.
    pub cpu_ns: Option<u64>,
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
    /// After this an open loop is given up, though ops that were meant to start have not.
    give_up: Option<Nanos>,
    /// Measured ops that may still start.
    ops_left: u64,
    /// Ops that the open ring has taken.
    ops_in_ring: u64,
    /// How much later than it could each op is handed over.
    delay: Duration,
    /// Processor time when the measured part began.
    cpu_from_ns: Option<u64>,
    /// What is told how many ops have ended, those of the warm-up among them.
    tell: fn(u64),
    told: Nanos,
    ops_ended: u64,
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
            give_up: None,
            ops_left: u64::MAX,
            ops_in_ring: 0,
            delay: Duration::ZERO,
            cpu_from_ns: None,
            tell: |_| (),
            told: Nanos(0),
            ops_ended: 0,
            driven: Driven::default(),
        }
    }

    /// Has ops be handed over so much later than they could, though they count from the same
    /// moment: an effect of known size, which whoever compares runs must find.
    ///
    /// In an open loop an op is handed over that long after it was meant to start. All of the run
    /// is so much later than its ops' intended times and nothing else changes: each op responds
    /// later by the delay, and the rate is the plan's.
    ///
    /// In a closed loop the submitter waits before each round of submitting, busy, because a sleep
    /// overshoots by more than most delays; the ops of that round count from when they would have
    /// been handed over without it. With a pause between rounds, or one op in flight, each op
    /// responds later by the delay. Where rounds follow each other at once the loop answers: ops
    /// that end while a round is held back wait for the next round, so rounds are fewer and larger
    /// and fewer ops are in flight. Ops then wait less for each other where a device is what all
    /// wait for, and longer where the submitter is, so that response times may grow by less or by
    /// more than the delay, as they would with any slower submitter; and ops per second fall.
    /// Creations that are asked for meanwhile are carried out, as the kernel carries them out in
    /// whatever its submitter does. The submitter takes more processor time.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Driver<'a> {
        self.delay = delay;
        self
    }

    /// Has `tell` be told about once a second how many ops have ended, as long as any do.
    #[must_use]
    pub fn with_tell(mut self, tell: fn(u64)) -> Driver<'a> {
        self.tell = tell;
        self
    }

    /// Runs it all: every ring from opening to closing, and the watch after the last one.
    ///
    /// # Errors
    /// Where the engine cannot go on; ops may then still be in flight, and use the buffers.
    pub fn run(mut self) -> Result<Driven, EngineError> {
        self.start = self.engine.now();
        self.driven.opened = self.start;
        self.driven.measured_from = self.start.after(self.plan.warmup);
        let (ops, time) = match self.plan.length {
            Length::Ops(ops) => (Some(ops), None),
            Length::Time(time) => (None, Some(time)),
            Length::Either { ops, time } => (Some(ops), Some(time)),
        };
        self.ops_left = ops.unwrap_or(u64::MAX);
        if let Some(time) = time {
            self.end = Some(self.driven.measured_from.after(time));
            self.give_up = Some(self.driven.measured_from.after(time.saturating_mul(OVERRUN)));
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
            if self.next_intended() < end {
                let length_s = end.since(self.driven.measured_from) as f64 / 1e9;
                let due = (self.plan.arrival.per_s().unwrap_or(0.0) * length_s) as u64;
                let started = self.driven.done + self.driven.failed;
                self.driven.never_started = Some(due.saturating_sub(started).min(self.ops_left));
            }
        }
    }

    /// Opens a ring, uses it, drains it and closes it.
    fn one_ring(&mut self) -> Result<(), EngineError> {
        self.engine.open()?;
        self.ops_in_ring = 0;
        while !self.ring_is_spent() {
            match self.plan.arrival {
                Arrival::Closed { pause, min_complete } => {
                    self.closed_round(pause, min_complete)?;
                }
                _ => self.open_round()?,
            }
        }
        let in_flight = self.in_flight();
        if in_flight > 0 {
            self.wait(in_flight, None)?;
        }
        if let Some(from_ns) = self.cpu_from_ns {
            self.driven.cpu_ns = Some(clock::process_cpu_ns().saturating_sub(from_ns));
        }
        (self.around_close)();
        self.driven.closed = self.engine.now();
        self.engine.close();
        (self.around_close)();
        Ok(())
    }

    /// One round of a closed loop: fill up, wait for as many as asked for, reap all there are, pause.
    fn closed_round(&mut self, pause: Duration, min_complete: u32) -> Result<(), EngineError> {
        let free = self.free.len();
        let held_ns = if self.has_room() { self.hold_back()? } else { 0 };
        // Places that came free meanwhile are the next round's, or its ops would count from before
        // there was room for them.
        let later = self.free.len() - free;
        while !self.ring_is_spent() && self.has_room_beside(later) {
            self.submit_next(Nanos(self.engine.now().0.saturating_sub(held_ns)));
        }
        self.engine.flush();
        // What ended while the round was held back counts. Time may have run out before anything
        // was submitted.
        let missing = self.in_flight().min((min_complete as usize).saturating_sub(later));
        if missing > 0 {
            self.wait(missing, None)?;
        }
        if !pause.is_zero() {
            self.wait(0, Some(self.engine.now().after(pause)))?;
        }
        Ok(())
    }

    /// Waits as long as a round of a closed loop is to be delayed; returns how long that was, in
    /// nanoseconds.
    fn hold_back(&mut self) -> Result<u64, EngineError> {
        if self.delay.is_zero() {
            return Ok(0);
        }
        let (from, delay_ns) = (clock::now(), duration_ns(self.delay));
        let mut looked_ns = 0;
        loop {
            let held_ns = clock::now().since(from);
            if delay_ns <= held_ns {
                return Ok(held_ns);
            }
            if looked_ns + LOOK_NS <= held_ns {
                looked_ns = held_ns;
                self.wait(0, Some(self.engine.now()))?;
            }
            std::hint::spin_loop();
        }
    }

    /// One round of an open loop: all that is due, then wait for the next op's time, or for a
    /// free place where none is left.
    fn open_round(&mut self) -> Result<(), EngineError> {
        while !self.ring_is_spent() && self.has_room() {
            let intended = self.next_intended();
            if self.engine.now() < intended.after(self.delay) {
                break;
            }
            self.submit_next(intended);
        }
        self.engine.flush();
        if self.ring_is_spent() {
            return Ok(());
        }
        let next = self.next_intended();
        let next = self.end.map_or(next, |end| next.min(end)).after(self.delay);
        let until = self.has_room().then_some(next);
        self.wait(1, until)
    }

    /// Whether there is a place for the next op and the one that may be linked behind it.
    fn has_room(&mut self) -> bool {
        self.has_room_beside(0)
    }

    /// The same where so many places are not to be used.
    fn has_room_beside(&mut self, kept: usize) -> bool {
        let linked = self.stream.peek().is_some_and(|op| op.linked);
        self.free.len() > kept + usize::from(linked)
    }

    /// Hands over the next op and the one linked behind it. There must be room.
    fn submit_next(&mut self, intended: Nanos) {
        debug_assert!(self.chain.is_empty());
        let measured = self.driven.measured_from <= intended;
        if measured {
            self.cpu_from_ns.get_or_insert_with(clock::process_cpu_ns);
        }
        let mut linked = true;
        while linked {
            let Some(slot) = self.free.pop() else { break };
            let Some(op) = self.stream.next() else { break };
            linked = op.linked;
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
            if request.measured {
                self.ledger.count(op);
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
        let (mut measured, ended) = (false, self.ops_ended);
        for completion in self.completions.drain(..) {
            let Some(request) = self.requests[completion.work.index()].take() else { continue };
            self.free.push(request.slot);
            self.ops_ended += 1;
            let ok = completion.outcome == WorkOutcome::Done;
            self.ledger.completed(&request.op, ok);
            if !request.measured {
                continue;
            }
            measured = true;
            match completion.outcome {
                WorkOutcome::Done => self.driven.done += 1,
                WorkOutcome::Failed(errno) => note(&mut self.driven, errno_name(errno)),
                WorkOutcome::Cancelled => note(&mut self.driven, "ECANCELED"),
            }
        }
        if ended < self.ops_ended {
            let now = self.engine.now();
            if measured {
                self.driven.measured_until = now;
            }
            if self.told.after(TELL) <= now {
                self.told = now;
                (self.tell)(self.ops_ended);
            }
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
            // What was meant to start in time is still measured, however late it is, as far as the
            // loop is kept up with at all.
            _ => {
                end <= self.next_intended()
                    || self.give_up.is_some_and(|give_up| give_up <= self.engine.now())
            }
        }
    }
}

fn note(driven: &mut Driven, error: &str) {
    driven.failed += 1;
    *driven.failures.entry(error.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests;
