//! The driver: takes ops from the stream, hands them to the engine in time, and keeps the books.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::time::Duration;

use iowq_workloads::{Arrival, Ledger, Length, Op, OpKind, Plan, Stream, block};

use crate::clock::Nanos;
use crate::engine::call::Buffers;
use crate::engine::{Engine, Request};
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

/// Something that is to be done just before a ring is closed.
pub type BeforeClose<'a> = &'a dyn Fn();

/// A run under way.
pub struct Driver<'a> {
    plan: &'a Plan,
    seed: u64,
    engine: &'a mut dyn Engine,
    buffers: &'a mut Buffers,
    ledger: &'a mut Ledger,
    before_close: BeforeClose<'a>,
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
    /// A run of `plan` on `engine`. `before_close` is called before each close of a ring.
    pub fn new(
        plan: &'a Plan,
        seed: u64,
        engine: &'a mut dyn Engine,
        buffers: &'a mut Buffers,
        ledger: &'a mut Ledger,
        before_close: BeforeClose<'a>,
    ) -> Driver<'a> {
        Driver {
            plan,
            seed,
            engine,
            buffers,
            ledger,
            before_close,
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
    #[must_use]
    pub fn run(mut self) -> Driven {
        self.start = self.engine.now();
        self.driven.opened = self.start;
        self.driven.measured_from = self.start.after(self.plan.warmup);
        match self.plan.length {
            Length::Ops(ops) => self.ops_left = ops,
            Length::Time(time) => self.end = Some(self.driven.measured_from.after(time)),
        }
        loop {
            self.one_ring();
            if self.ended() {
                break;
            }
            self.rest(self.plan.life.closed);
        }
        self.rest(self.plan.life.linger);
        self.driven
    }

    /// Opens a ring, uses it, drains it and closes it.
    fn one_ring(&mut self) {
        self.engine.open();
        self.ops_in_ring = 0;
        while !self.ring_is_spent() {
            match self.plan.arrival {
                Arrival::Closed { pause } => self.closed_round(pause),
                _ => self.open_round(),
            }
        }
        let in_flight = self.in_flight();
        if in_flight > 0 {
            self.wait(in_flight, None);
        }
        (self.before_close)();
        self.driven.closed = self.engine.now();
        self.engine.close();
    }

    /// One round of a closed loop: fill up, wait for one, reap all there are, pause.
    fn closed_round(&mut self, pause: Duration) {
        while !self.ring_is_spent() {
            let now = self.engine.now();
            if !self.submit_next(now) {
                break;
            }
        }
        self.engine.flush();
        self.wait(1, None);
        if !pause.is_zero() {
            self.wait(0, Some(self.engine.now().after(pause)));
        }
    }

    /// One round of an open loop: all that is due, then wait for the next op's time, or for a
    /// free place where none is left.
    fn open_round(&mut self) {
        let mut next = self.next_intended();
        while next <= self.engine.now() && !self.ring_is_spent() {
            if !self.submit_next(next) {
                break;
            }
            next = self.next_intended();
        }
        self.engine.flush();
        if self.ring_is_spent() {
            return;
        }
        let full = next <= self.engine.now();
        let end = self.end.unwrap_or(next);
        self.wait(1, (!full).then(|| next.min(end)));
    }

    /// Hands over the next op and those linked behind it. False where there is no room.
    fn submit_next(&mut self, intended: Nanos) -> bool {
        debug_assert!(self.chain.is_empty());
        let mut linked = true;
        while linked {
            let (Some(op), Some(slot)) = (self.stream.peek().copied(), self.free.pop()) else {
                break;
            };
            self.stream.next();
            linked = op.linked;
            let measured = self.driven.measured_from <= intended;
            self.chain.push(Request { op, slot, intended, measured });
        }
        if self.chain.is_empty() {
            return false;
        }
        self.prepare();
        self.engine.submit(&self.chain);
        self.ops_in_ring += self.chain.len() as u64;
        self.chain.clear();
        true
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
    fn wait(&mut self, want: usize, until: Option<Nanos>) {
        self.engine.wait(want, until, &mut self.completions);
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
    }

    /// Waits while no ring is in use. Creations that are asked for meanwhile are carried out.
    fn rest(&mut self, length: Duration) {
        if !length.is_zero() {
            self.wait(0, Some(self.engine.now().after(length)));
        }
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
