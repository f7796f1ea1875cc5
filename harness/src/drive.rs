//! The driver: submits the ops of a stream to the engine in time, and counts how they end.

mod answers;
mod stats;

use std::iter::Peekable;
use std::time::Duration;

use iowq_workloads::{Arrival, Later, Ledger, Length, Op, OpKind, Plan, Stream};

pub use self::stats::DriveStats;
use crate::clock::{self, Nanos, duration_ns};
use crate::engine::buffers::Buffers;
use crate::engine::{Engine, EngineError, Request};
use crate::far_end::FarEnd;
use crate::files::Names;
use crate::io::errno_name;
use iowq_pool::{Completion, WorkOutcome};

/// How often the engine is polled while a round is delayed: seldom enough to leave its lock to the
/// workers, and often compared with any call that may block.
const POLL_NS: u64 = 5_000;

/// An open loop that falls behind is given up after this many times its length: by then its
/// latencies are those of the backlog alone.
pub const OVERRUN: u32 = 2;

/// How often a stream that another one may end looks whether it has.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How often the number of ended ops is reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Called just before and just after a ring is closed: a worker seen before may exit at once, and
/// one created at the last moment is seen only after.
pub type AroundClose<'a> = &'a dyn Fn();

/// A run under way.
pub struct Driver<'a> {
    plan: &'a Plan,
    seed: u64,
    engine: &'a mut dyn Engine,
    buffers: &'a mut Buffers,
    names: Option<&'a Names>,
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
    /// After this an open loop is given up, even if ops that were due have not started.
    give_up: Option<Nanos>,
    /// Measured ops that may still start.
    ops_left: u64,
    /// Blocks that may still be read and written, if the plan counts them and not ops.
    blocks_left: u64,
    /// Whether another stream has ended this one, if one may.
    is_over: Option<&'a dyn Fn() -> bool>,
    /// Called once no more op is to start and all have ended.
    at_end: &'a dyn Fn(),
    /// Ops that the open ring has taken.
    ops_in_ring: u64,
    /// How long each op is held back.
    delay: Duration,
    /// Processor time when the measured part began.
    cpu_from_ns: Option<u64>,
    /// Called with the number of ended ops, those of the warm-up included.
    report: &'a dyn Fn(u64),
    reported: Nanos,
    ops_ended: u64,
    /// Who answers ops on connections.
    far_end: Option<&'a FarEnd>,
    /// Limits that are still to be set.
    later: Option<Later>,
    driven: DriveStats,
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
            names: None,
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
            blocks_left: u64::MAX,
            is_over: None,
            at_end: &|| (),
            ops_in_ring: 0,
            delay: Duration::ZERO,
            cpu_from_ns: None,
            report: &|_| (),
            reported: Nanos(0),
            ops_ended: 0,
            far_end: None,
            later: plan.later,
            driven: DriveStats::default(),
        }
    }

    /// Delays the submission of every op by `delay`, and counts its latency from the undelayed
    /// moment: an effect of known size, which a comparison of runs must find.
    ///
    /// In an open loop each op is submitted `delay` after its intended time, so each response is
    /// later by the delay and the rate is the plan's.
    ///
    /// In a closed loop the submitter spins before each round, because a sleep overshoots by more
    /// than most delays. With a pause between rounds, or one op in flight, each response is later
    /// by the delay. Without a pause the loop reacts: ops that end during the delay wait for the
    /// next round, so rounds are fewer and larger, and fewer ops are in flight. Response times then
    /// grow by less than the delay if the device is the bottleneck and by more if the submitter is,
    /// as with any slower submitter, and ops per second fall. Workers that are requested during
    /// the delay are created, as the kernel does in whatever its submitter executes.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Driver<'a> {
        self.delay = delay;
        self
    }

    /// With the names of side files, which are made before the ops that have one.
    #[must_use]
    pub fn with_names(self, names: Option<&'a Names>) -> Driver<'a> {
        Driver { names, ..self }
    }

    /// Calls `report` about once a second with the number of ended ops, as long as any end.
    #[must_use]
    pub fn with_report(mut self, report: &'a dyn Fn(u64)) -> Driver<'a> {
        self.report = report;
        self
    }

    /// Has ops on connections answered by this other end of theirs.
    #[must_use]
    pub fn with_far_end(mut self, far_end: Option<&'a FarEnd>) -> Driver<'a> {
        self.far_end = far_end;
        self
    }

    /// Starts no more op once `is_over` says so.
    #[must_use]
    pub fn until(mut self, is_over: &'a dyn Fn() -> bool) -> Driver<'a> {
        self.is_over = Some(is_over);
        self
    }

    /// Calls `at_end` once all ops have ended, before the workers are watched any longer.
    #[must_use]
    pub fn with_end(mut self, at_end: &'a dyn Fn()) -> Driver<'a> {
        self.at_end = at_end;
        self
    }

    /// Runs the plan: every ring from opening to closing, and the watch after the last one.
    ///
    /// # Errors
    /// If the engine fails; ops may then still be in flight and use the buffers.
    pub fn run(mut self) -> Result<DriveStats, EngineError> {
        self.rest(self.plan.begins_after)?;
        self.start = self.engine.now();
        self.driven.opened = self.start;
        self.driven.measured_from = self.start.after(self.plan.warmup);
        let (ops, time) = match self.plan.length {
            Length::Ops(ops) => (Some(ops), None),
            Length::Time(time) => (None, Some(time)),
            Length::Either { ops, time } => (Some(ops), Some(time)),
        };
        match self.plan.io_blocks {
            0 => self.ops_left = ops.unwrap_or(u64::MAX),
            blocks => self.blocks_left = blocks,
        }
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
            // Time may have run out meanwhile; a ring without ops would measure nothing.
            if self.ended() {
                break;
            }
        }
        self.count_the_whole_length();
        (self.at_end)();
        // The watch is the plan's, also if another stream has ended the ops.
        self.is_over = None;
        self.rest(self.plan.life.linger)?;
        Ok(self.driven)
    }

    /// An open loop of limited time is measured over its whole length, even if nothing was due at
    /// the end: otherwise ops per second would exceed its rate. One that another stream ends has no
    /// more time than it took.
    fn count_the_whole_length(&mut self) {
        if self.is_through() || self.is_ended_by_another() {
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

    /// One round of a closed loop: fill up, wait for `min_complete` ops, reap all, pause.
    fn closed_round(&mut self, pause: Duration, min_complete: u32) -> Result<(), EngineError> {
        let free = self.free.len();
        let held_ns = if self.has_room() { self.hold_back()? } else { 0 };
        // Slots freed meanwhile are for the next round, or their ops would count from before they
        // were free.
        let later = self.free.len() - free;
        while !self.ring_is_spent() && self.has_room_beside(later) {
            self.submit_next(Nanos(self.engine.now().0.saturating_sub(held_ns)));
        }
        self.engine.flush();
        // Ops that ended during the delay count. Time may have run out before any was submitted.
        let missing = self.in_flight().min((min_complete as usize).saturating_sub(later));
        if missing > 0 {
            self.wait(missing, None)?;
        }
        if !pause.is_zero() {
            self.wait_until(0, self.engine.now().after(pause))?;
        }
        Ok(())
    }

    /// Delays a round of a closed loop; returns by how many nanoseconds.
    fn hold_back(&mut self) -> Result<u64, EngineError> {
        if self.delay.is_zero() {
            return Ok(0);
        }
        let (from, delay_ns) = (clock::now(), duration_ns(self.delay));
        let mut polled_ns = 0;
        loop {
            let held_ns = clock::now().since(from);
            if delay_ns <= held_ns {
                return Ok(held_ns);
            }
            if polled_ns + POLL_NS <= held_ns {
                polled_ns = held_ns;
                self.wait(0, Some(self.engine.now()))?;
            }
            std::hint::spin_loop();
        }
    }

    /// One round of an open loop: all that is due, then wait for the next op's time, or for a free
    /// slot if there is none.
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
        if self.has_room() { self.wait_until(1, next) } else { self.wait(1, None) }
    }

    /// Waits until a time, for no longer than it takes to see that another stream has ended this one.
    fn wait_until(&mut self, want: usize, until: Nanos) -> Result<(), EngineError> {
        let Some(is_over) = self.is_over else { return self.wait(want, Some(until)) };
        let ended = self.ops_ended;
        while !is_over() {
            let now = self.engine.now();
            if until <= now || ended + want as u64 <= self.ops_ended && want > 0 {
                break;
            }
            self.wait(want, Some(until.min(now.after(LOOK_INTERVAL))))?;
        }
        Ok(())
    }

    /// Whether there is a slot for the next op and one for an op linked to it.
    fn has_room(&mut self) -> bool {
        self.has_room_beside(0)
    }

    /// The same, with `reserved` slots not to be used.
    fn has_room_beside(&mut self, reserved: usize) -> bool {
        let linked = self.stream.peek().is_some_and(|op| op.linked);
        self.free.len() > reserved + usize::from(linked)
    }

    /// Submits the next op and those linked to it. There must be room.
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
        self.have_answered();
        self.engine.submit(&self.chain);
        self.ops_in_ring += self.chain.len() as u64;
        self.chain.clear();
    }

    /// Fills the buffers of a chain, makes its side files, and enters its ops in the ledger.
    fn prepare(&mut self) {
        for request in &self.chain {
            let op = &request.op;
            if op.kind == OpKind::Write {
                self.buffers.fill(request.slot, self.seed, op);
            }
            self.names.iter().for_each(|names| names.prepare(op, request.slot));
            if request.measured {
                self.ledger.count(op);
            }
            self.ledger.submitted(op);
            self.requests[request.slot as usize] = Some(*request);
            if request.measured {
                self.ops_left = self.ops_left.saturating_sub(1);
                if matches!(op.kind, OpKind::Write | OpKind::Read) {
                    self.blocks_left = self.blocks_left.saturating_sub(op.blocks.into());
                }
            }
        }
    }

    /// Waits on the engine and counts what ended.
    fn wait(&mut self, want: usize, until: Option<Nanos>) -> Result<(), EngineError> {
        if let Some(later) = self.later.take_if(|it| self.start.after(it.after) <= clock::now()) {
            self.engine.set_limits(later.limits)?;
        }
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
                WorkOutcome::Failed(errno) => self.driven.count_failure(errno_name(errno)),
                WorkOutcome::Panicked => self.driven.count_failure("panic"),
                WorkOutcome::Cancelled => self.driven.count_failure("ECANCELED"),
            }
        }
        if ended < self.ops_ended {
            let now = self.engine.now();
            if measured {
                self.driven.measured_until = now;
            }
            if self.reported.after(REPORT_INTERVAL) <= now {
                self.reported = now;
                (self.report)(self.ops_ended);
            }
        }
        Ok(())
    }

    /// Waits while no ring is in use. Workers that are requested meanwhile are created.
    fn rest(&mut self, length: Duration) -> Result<(), EngineError> {
        if length.is_zero() {
            return Ok(());
        }
        self.wait_until(0, self.engine.now().after(length))
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

    /// Whether all ops have started.
    fn is_through(&self) -> bool {
        self.ops_left == 0 || self.blocks_left == 0
    }

    fn is_ended_by_another(&self) -> bool {
        self.is_over.is_some_and(|is_over| is_over())
    }

    /// Whether no more op is to start.
    fn ended(&mut self) -> bool {
        if self.is_through() || self.is_ended_by_another() {
            return true;
        }
        let Some(end) = self.end else { return false };
        match self.plan.arrival {
            Arrival::Closed { .. } => end <= self.engine.now(),
            // An op that was due in time is measured however late it starts, until the loop is
            // given up.
            _ => {
                end <= self.next_intended()
                    || self.give_up.is_some_and(|give_up| give_up <= self.engine.now())
            }
        }
    }
}

#[cfg(test)]
mod tests;
