//! A scripted engine: the pool's own state machine under a clock that jumps from event to event.
//!
//! What a call costs, how long it sleeps, what creating a thread takes and how late a woken thread
//! comes is in the script. Each thread has a CPU of its own. So minutes pass in no time, and the
//! same plan, script and seed give the same run, to the nanosecond.

use std::time::Duration;

use iowq_harness::clock::{Nanos, duration_ns};
use iowq_harness::engine::{Engine, EngineError, EngineReport, Request};
use iowq_harness::recorder::Recorder;
use iowq_workloads::{OpKind, Plan, bucket};

use crate::agenda::Agenda;
use iowq_pool::counters::LocalCounters;
use iowq_pool::policy::{Policy, PuntedOp};
use iowq_pool::teardown::{self, Teardowns};
use iowq_pool::work::Account;
use iowq_pool::{Completion, Effects, NextStep, State, WorkId, WorkOutcome, WorkerId};

/// Workers that may live at one time, whatever the limits say.
const SLOTS: u32 = 1024;

/// The time a worker takes from one step to the next.
const STEP: Duration = Duration::from_micros(1);

/// What things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    /// What each kind of call computes, and then how long it sleeps on average: between half of
    /// that and one and a half. Zero for a call that does not sleep.
    pub(crate) calls: fn(OpKind) -> (Duration, Duration),
    /// Creating a thread, in its creator.
    pub(crate) creation: Duration,
    /// From a wake to the moment when the thread runs.
    pub(crate) wake: Duration,
}

/// What happens next to a worker or to the submitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The thread that a worker created for a link is there.
    Made(WorkerId),
    /// A new thread runs for the first time.
    Starts(WorkerId),
    Scans(WorkerId),
    Sleeps(WorkerId),
    Wakes(WorkerId),
    /// An idle timeout is over; of no effect if the worker was woken since, and so the number of
    /// its sleep is another.
    TimesOut(WorkerId, u64),
    /// The call computed, and sleeps for this many nanoseconds.
    Blocks(WorkerId, u64),
    /// The call returns; whether it slept.
    Returns(WorkerId, bool),
    /// The submitter was called.
    Called,
    /// A ring that was closed is torn down.
    RingGone,
}

/// The pool, played through.
pub(crate) struct Scripted<'a> {
    plan: &'a Plan,
    script: Script,
    state: State<LocalCounters>,
    effects: Effects,
    agenda: Agenda<Event>,
    called: bool,
    teardowns: Teardowns,
    requests: Vec<Option<(Request, Nanos)>>,
    /// Current work and number of the last sleep, by worker.
    hands: Vec<Option<WorkId>>,
    naps: Vec<u64>,
    recorder: Recorder,
    lives: Vec<(Nanos, bool, Account)>,
}

impl<'a> Scripted<'a> {
    /// A pool for this plan, where everything goes by the script.
    pub(crate) fn new(
        plan: &'a Plan,
        policy: Box<dyn Policy>,
        script: Script,
        seed: u64,
    ) -> Scripted<'a> {
        let at_start = policy.workers_at_start();
        let state = State::new(policy, LocalCounters::default(), plan.depth, SLOTS, plan.limits);
        let mut scripted = Scripted {
            plan,
            script,
            state,
            effects: Effects::default(),
            agenda: Agenda::new(seed),
            called: false,
            teardowns: Teardowns::new(teardown::measured()),
            requests: vec![None; plan.depth as usize],
            hands: vec![None; SLOTS as usize],
            naps: vec![0; SLOTS as usize],
            recorder: Recorder::default(),
            lives: Vec::new(),
        };
        for _ in 0..at_start {
            if let Some(id) = scripted.state.spawn_at_start() {
                scripted.made(id);
            }
        }
        scripted
    }

    /// The op of a request, on files of ext4.
    fn punted(&self, request: &Request, place: usize) -> PuntedOp {
        let file = request.op.file as usize;
        PuntedOp {
            kind: request.op.kind,
            open: self.plan.open[file],
            bucket: bucket::bucket(self.plan.hash_ids[file]) as u8,
            behind_link: place > 0,
            force_async: self.plan.force_async,
            direct_in_parallel: true,
        }
    }

    /// Lets the next event happen, and time pass until then. False if there is none by `until`.
    fn happen(&mut self, until: Option<Nanos>) -> bool {
        let event = self.agenda.next(until);
        self.state.set_now(self.agenda.now);
        let Some(event) = event else { return false };
        self.carry_on(event);
        if let Some(id) = self.perform() {
            // A worker creates another: it is there a creation later.
            self.after(self.script.creation, Event::Made(id));
        }
        true
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.agenda.after(wait, event);
    }

    fn carry_on(&mut self, event: Event) {
        match event {
            Event::Made(id) => self.made(id),
            Event::Starts(id) => {
                self.state.started(id);
                self.next_step(id);
            }
            Event::Scans(id) => self.next_step(id),
            Event::Sleeps(id) => {
                if self.state.sleep(id, &mut self.effects) {
                    self.naps[id.index()] += 1;
                    let nap = self.naps[id.index()];
                    self.after(self.plan.idle_timeout, Event::TimesOut(id, nap));
                } else {
                    self.next_step(id);
                }
            }
            Event::Wakes(id) => {
                self.naps[id.index()] += 1;
                self.state.woke(id, false);
                self.next_step(id);
            }
            Event::TimesOut(id, nap) => {
                if self.naps[id.index()] == nap {
                    self.state.woke(id, true);
                    self.next_step(id);
                }
            }
            Event::Blocks(id, sleep_ns) => {
                self.state.block(id, &mut self.effects);
                self.after(Duration::from_nanos(sleep_ns), Event::Returns(id, true));
            }
            Event::Returns(id, slept) => self.returns(id, slept),
            Event::Called => self.called = true,
            Event::RingGone => self.state.ring_gone(&mut self.effects),
        }
    }

    fn next_step(&mut self, id: WorkerId) {
        let turn = self.state.next_step(id);
        self.turn(id, turn);
    }

    fn turn(&mut self, id: WorkerId, turn: NextStep) {
        match turn {
            NextStep::Run(work) => {
                self.hands[id.index()] = Some(work);
                let kind = self.requests[work.index()].map_or(OpKind::Nop, |(it, _)| it.op.kind);
                let (run, sleep) = (self.script.calls)(kind);
                if sleep.is_zero() {
                    self.after(run, Event::Returns(id, false));
                } else {
                    let sleep_ns = self.agenda.around(duration_ns(sleep));
                    self.after(run, Event::Blocks(id, sleep_ns));
                }
            }
            NextStep::Rescan => self.after(STEP, Event::Scans(id)),
            NextStep::Sleep => self.after(STEP, Event::Sleeps(id)),
            NextStep::Exit => {
                self.naps[id.index()] += 1;
                self.lives.push((self.agenda.now, false, self.state.worker_account(id)));
                self.state.exited(id);
            }
        }
    }

    fn returns(&mut self, id: WorkerId, slept: bool) {
        if let Some(work) = self.hands[id.index()].take()
            && let Some((request, handed_over)) = self.requests[work.index()]
            && request.measured
        {
            let response_ns = self.agenda.now.since(request.intended);
            self.recorder.record(request.op.kind, response_ns, self.agenda.now.since(handed_over));
        }
        if slept {
            self.state.unblock(id);
        }
        let turn = self.state.finish(id, WorkOutcome::Done, &mut self.effects);
        self.turn(id, turn);
    }

    /// A thread was created.
    fn made(&mut self, id: WorkerId) {
        self.state.spawned(id);
        self.lives.push((self.agenda.now, true, self.state.worker_account(id)));
        self.after(self.script.wake, Event::Starts(id));
    }

    /// Wakes whom a step wants awake. Returns the worker it wants created.
    fn perform(&mut self) -> Option<WorkerId> {
        for id in std::mem::take(&mut self.effects.wakes) {
            // From here on it is too late for its timeout.
            self.naps[id.index()] += 1;
            self.after(self.script.wake, Event::Wakes(id));
        }
        if std::mem::take(&mut self.effects.notify) {
            self.after(self.script.wake, Event::Called);
        }
        self.effects.spawn.take()
    }

    /// The submitter creates a thread, while the workers go on.
    fn create(&mut self, id: WorkerId) {
        let until = self.agenda.now.after(self.script.creation);
        while self.happen(Some(until)) {}
        self.made(id);
    }
}

impl Engine for Scripted<'_> {
    fn now(&self) -> Nanos {
        self.agenda.now
    }

    fn open(&mut self) -> Result<(), EngineError> {
        self.state.ring_opened();
        Ok(())
    }

    fn close(&mut self) {
        let gone = self.teardowns.close(self.agenda.now);
        self.after(gone.until(self.agenda.now), Event::RingGone);
    }

    fn submit(&mut self, chain: &[Request]) {
        for (place, request) in chain.iter().enumerate().rev() {
            let flags = self.state.flags(self.punted(request, place));
            self.requests[request.slot as usize] = Some((*request, self.agenda.now));
            let link = chain.get(place + 1).map(|next| WorkId(next.slot));
            self.state.define(WorkId(request.slot), flags, link);
        }
        self.state.enqueue(WorkId(chain[0].slot), &mut self.effects);
        if let Some(id) = self.perform() {
            self.create(id);
        }
    }

    fn flush(&mut self) {
        while self.state.creation_pending() {
            let slot = self.state.run_creation(&mut self.effects);
            self.perform();
            if let Some(id) = slot {
                self.create(id);
            }
        }
    }

    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError> {
        let target = out.len() + want;
        loop {
            self.flush();
            out.extend(self.state.completions());
            let late = until.is_some_and(|until| until <= self.agenda.now);
            if (want > 0 && out.len() >= target) || late {
                return Ok(());
            }
            let missing = if want == 0 { u64::MAX } else { (target - out.len()) as u64 };
            self.state.want(self.state.ended().saturating_add(missing));
            self.called = false;
            while !self.called && self.happen(until) {}
            assert!(self.called || until.is_some(), "nothing will ever happen again");
        }
    }

    fn finish(mut self: Box<Self>) -> EngineReport {
        self.state.exit(&mut self.effects);
        self.perform();
        while self.happen(None) {}
        EngineReport {
            recorder: self.recorder,
            tally: Some(self.state.tally()),
            lives: self.lives,
            creation_ns: Vec::new(),
            dispatch: None,
            timed_at_reaping: None,
            timed_one_in: None,
        }
    }
}
