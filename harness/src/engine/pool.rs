//! The pool as an engine: each op becomes a work, and its worker makes the system call.

use std::os::fd::OwnedFd;

use iowq_workloads::{OpKind, Open, Plan};

use super::api::{Engine, EngineError, EngineReport, Request};
use super::begun::Begun;
use super::books::{Books, InFlight};
use super::buffers::Buffer;
use super::call::Call;
use super::classes::Classes;
use super::uring::{self, Attempt, Attempts, would_block};
use crate::clock::{self, Nanos};
use crate::files::{NamedFile, Names};
use crate::sync::Arc;
use iowq_pool::counters::RunCounters;
use iowq_pool::policy::PolicySpec;
use iowq_pool::teardown;
use iowq_pool::work::{Account, Flags, WorkId};
use iowq_pool::{
    BlockingObserver, Completion, Config, Job as _, Pool, Submission, SubmitterWait, WorkOutcome,
};

/// Workers that may be alive at the same time, whatever the limits, if no other pool shares the
/// probe's room.
pub const SLOTS: u32 = 1024;

/// A request that was submitted.
#[derive(Clone, Copy)]
struct Posted {
    call: Call,
    /// The one that starts when it is done.
    link: Option<WorkId>,
    /// When it was queued for a worker; zero if unknown: behind a link the worker of the one before
    /// queues it.
    queued: Nanos,
}

impl Posted {
    /// The one that its worker continues with. What is behind an op that is only begun starts when
    /// that has completed, and not on its worker.
    fn link_on_worker(&self) -> Option<WorkId> {
        self.link.filter(|_| !self.call.only_begins())
    }
}

/// The userspace io-wq on real files.
///
/// File and buffer of an op belong to what carries it out, worker or kernel, until its completion
/// is returned to the driver. [`PoolEngine::finish`] returns when all have ended.
pub struct PoolEngine<'a, B: RunCounters + 'static> {
    pool: Pool<Call, B>,
    classes: Classes<'a>,
    plan: &'a Plan,
    files: &'a [OwnedFd],
    names: Option<&'a Names>,
    buffers: Vec<Buffer>,
    /// What io_uring would do without a worker; none if there is no io_uring.
    attempts: Option<Attempts>,
    /// Direct ops that workers only begin; none if all ops are calls.
    begun: Option<Begun>,
    books: Books,
    posted: Vec<Option<Posted>>,
    /// First requests of the chains submitted since the last flush. As with a ring, they reach the
    /// workers together.
    unsubmitted: Vec<WorkId>,
    /// Works to be queued, which need not be one by one.
    punted: Vec<Submission<Call>>,
    /// Requests that ended without a worker, or after one began them, and those cancelled behind
    /// them, until the next wait.
    ended: Vec<Completion>,
}

impl<'a, B: RunCounters + 'static> PoolEngine<'a, B> {
    /// A pool under this policy for this plan, with at most `slots` workers alive at the same time,
    /// those that are leaving among them. Every op goes to a worker.
    #[expect(clippy::too_many_arguments, reason = "as many parts, each made by another")]
    #[must_use]
    pub fn new(
        slots: u32,
        plan: &'a Plan,
        policy: &PolicySpec,
        counters: B,
        observer: Arc<dyn BlockingObserver>,
        waiter: Box<dyn SubmitterWait>,
        files: &'a [OwnedFd],
        buffers: Vec<Buffer>,
    ) -> PoolEngine<'a, B> {
        let config = Config {
            works: plan.depth,
            slots: slots.min(SLOTS),
            limits: plan.limits,
            idle_timeout: plan.idle_timeout,
            teardown: teardown::measured(),
        };
        let pool = Pool::new(policy.build(), counters, &config, observer, waiter);
        PoolEngine {
            pool,
            classes: Classes::new(policy.build(), plan, files),
            plan,
            files,
            names: None,
            buffers,
            attempts: None,
            begun: None,
            books: Books::new(plan, true),
            posted: vec![None; plan.depth as usize],
            unsubmitted: Vec::with_capacity(plan.depth as usize),
            punted: Vec::with_capacity(plan.depth as usize),
            ended: Vec::with_capacity(plan.depth as usize),
        }
    }

    /// With the names that ops by name use.
    #[must_use]
    pub fn with_names(mut self, names: Option<&'a Names>) -> Self {
        self.names = names;
        self
    }

    /// Tries ops first, as io_uring does, so that only those that would block go to a worker. The
    /// submitter's wait must watch these attempts.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Option<Attempts>) -> Self {
        self.attempts = attempts;
        self
    }

    /// Has workers begin direct ops and not wait for them, if the plan has such ops. The submitter's
    /// wait must watch what was begun.
    #[must_use]
    pub fn with_begun(mut self, begun: Option<Begun>) -> Self {
        self.begun = begun;
        self
    }

    /// Records latencies or not: without, ops are counted and not timed, to measure what that
    /// costs.
    #[must_use]
    pub fn recording(mut self, records: bool) -> Self {
        self.books = Books::new(self.plan, records);
        self
    }

    /// Starts a request in the submitter: here if it would not block, and likewise along its chain;
    /// else by a worker.
    fn start(&mut self, first: WorkId) {
        let mut next = Some(first);
        while let Some(slot) = next {
            next = match self.attempt(slot) {
                Attempt::Refused => {
                    self.punt(slot);
                    None
                }
                Attempt::Started => None,
                Attempt::Ended(result) => self.end(slot, result),
            };
        }
    }

    fn attempt(&mut self, slot: WorkId) -> Attempt {
        if self.plan.force_async || self.attempts.is_none() {
            return Attempt::Refused;
        }
        // What was punted before is not kept waiting by the attempt.
        self.queue_punted();
        let (Some(attempts), Some(request)) = (&mut self.attempts, self.books.request(slot.0))
        else {
            return Attempt::Refused;
        };
        if request.op.kind == OpKind::Openat {
            return uring::attempt_open(NamedFile::of(self.names, &request.op, slot.0));
        }
        let file = &self.files[request.op.file as usize];
        attempts.attempt(&request.op, slot.0, file, self.buffers[slot.index()])
    }

    /// Records a request that ended without a worker. Returns the one linked behind it, if that is
    /// to start now.
    fn end(&mut self, slot: WorkId, result: i32) -> Option<WorkId> {
        let it = self.books.end(slot.0)?;
        let outcome = uring::outcome(&it.request.op, result, self.plan.block_bytes);
        if it.request.measured {
            self.books.dispatch[it.request.op.kind.index()].inline += 1;
        }
        if outcome == WorkOutcome::Done {
            self.books.record(&it, clock::now(), None);
        }
        uring::close_opened(&it.request.op, result);
        self.ended.push(Completion { work: slot, outcome });
        self.behind(slot, outcome)
    }

    /// The request linked behind one that ended, if it is to start now; else it and what is linked
    /// behind it are cancelled.
    fn behind(&mut self, slot: WorkId, outcome: WorkOutcome) -> Option<WorkId> {
        let link = self.posted[slot.index()].and_then(|posted| posted.link);
        if outcome == WorkOutcome::Done {
            return link;
        }
        let mut cancelled = link;
        while let Some(work) = cancelled {
            self.books.end(work.0);
            self.ended.push(Completion { work, outcome: WorkOutcome::Cancelled });
            cancelled = self.posted[work.index()].and_then(|posted| posted.link);
        }
        None
    }

    /// Queues a request and those linked behind it for workers.
    fn punt(&mut self, first: WorkId) {
        let flags = self.class(first, 0);
        let Some(posted) = self.posted[first.index()] else { return };
        let mut behind = posted.link_on_worker();
        // What is linked behind a work is defined before that work is queued.
        let mut place = 1;
        while let Some(slot) = behind {
            let flags = self.class(slot, place);
            let Some(posted) = &mut self.posted[slot.index()] else { break };
            posted.queued = Nanos(0);
            behind = posted.link_on_worker();
            self.pool.define(slot, posted.call, flags, behind);
            place += 1;
        }
        let Some(posted) = &mut self.posted[first.index()] else { return };
        posted.queued = clock::now();
        let (job, link) = (posted.call, posted.link_on_worker());
        self.punted.push(Submission { work: first, job, flags, link });
        // A worker may block in it before the next one is queued.
        if job.may_block() {
            self.queue_punted();
        }
    }

    /// Queues what was punted.
    fn queue_punted(&mut self) {
        if self.punted.is_empty() {
            return;
        }
        self.pool.submit_all(self.punted.drain(..));
    }

    /// How a request at this place behind the one that is punted is queued; counts it.
    fn class(&mut self, slot: WorkId, place: usize) -> Flags {
        let Some(request) = self.books.request(slot.0) else {
            return Flags { account: Account::Bounded, bucket: None, concurrent: false };
        };
        let flags = self.classes.flags(&request, place);
        // One that was waited for is queued once more, and counts once.
        let again = self.posted[slot.index()].is_some_and(|posted| posted.queued != Nanos(0));
        if request.measured && !again {
            let dispatch = &mut self.books.dispatch[request.op.kind.index()];
            *match (flags.bucket.is_some(), place) {
                (true, _) => &mut dispatch.hashed,
                (false, 0) => &mut dispatch.unhashed,
                (false, _) => &mut dispatch.linked,
            } += 1;
        }
        flags
    }

    /// Reaps what the kernel completed, starts what was linked behind it, and returns all that ended
    /// without a worker.
    fn reap(&mut self, out: &mut Vec<Completion>) {
        while let Some((slot, result)) = self.attempts.as_mut().and_then(Attempts::reap) {
            let slot = WorkId(slot);
            let wanted = self.books.request(slot.0).filter(|it| it.op.kind.is_of_blocks());
            let wanted = wanted.map_or(0, |it| it.op.bytes(self.plan.block_bytes));
            // What is forced is only waited for here.
            if self.plan.force_async || would_block(result, wanted) {
                self.punt(slot);
            } else if let Some(next) = self.end(slot, result) {
                self.start(next);
            }
        }
        while let Some((slot, result)) = self.begun.as_mut().and_then(Begun::reap) {
            self.end_begun(WorkId(slot), result);
        }
        out.append(&mut self.ended);
    }

    /// Records an op that a worker began, and that completed with this result.
    fn end_begun(&mut self, slot: WorkId, result: i32) {
        let Some(it) = self.books.end(slot.0) else { return };
        let outcome = uring::outcome(&it.request.op, result, self.plan.block_bytes);
        if outcome == WorkOutcome::Done {
            self.record(slot, &it, clock::now());
        }
        self.ended.push(Completion { work: slot, outcome });
        if let Some(next) = self.behind(slot, outcome) {
            self.start(next);
        }
    }

    /// Records what workers did, from this place of `out` on, and removes what they only began.
    fn book(&mut self, out: &mut Vec<Completion>, from: usize) {
        let pool = &self.pool;
        let begun = out.extract_if(from.., |done| pool.seen(done.work).under_way);
        let begun: Vec<WorkId> = begun.map(|done| done.work).collect();
        for slot in begun {
            if self.is_waited_for(slot) {
                continue;
            }
            if let Some(result) = self.begun.as_mut().and_then(|begun| begun.begun(slot.0)) {
                self.end_begun(slot, result);
            }
        }
        for done in &out[from..] {
            let Some(it) = self.books.end(done.work.0) else { continue };
            if done.outcome == WorkOutcome::Done {
                self.record(done.work, &it, self.pool.seen(done.work).done);
            }
            // If it was to be begun and was done after all, what is behind it was held back.
            let kept = self.posted[done.work.index()].is_some_and(|it| it.call.only_begins());
            if kept && let Some(next) = self.behind(done.work, done.outcome) {
                self.start(next);
            }
        }
    }

    /// Waits for what a worker looked at and found not to be there, if it is such an op; without room to
    /// wait a worker looks once more.
    fn is_waited_for(&mut self, slot: WorkId) -> bool {
        let Some(op) = self.books.request(slot.0).map(|it| it.op) else { return false };
        if !op.kind.is_of_messages() {
            return false;
        }
        let file = &self.files[op.file as usize];
        if !self.attempts.as_mut().is_some_and(|it| it.poll(&op, slot.0, file)) {
            self.punt(slot);
        }
        true
    }

    /// Records an op that a worker took, and that was done at this time.
    fn record(&mut self, slot: WorkId, it: &InFlight, done: Nanos) {
        let Some(Posted { queued, .. }) = self.posted[slot.index()] else { return };
        let queue_ns = (queued != Nanos(0)).then(|| self.pool.seen(slot).begun.since(queued));
        self.books.record(it, done, queue_ns);
    }
}

impl<B: RunCounters + 'static> Engine for PoolEngine<'_, B> {
    fn open(&mut self) -> Result<(), EngineError> {
        self.pool.open();
        Ok(())
    }

    fn close(&mut self) {
        self.pool.close();
    }

    fn set_limits(&mut self, limits: [Option<u32>; 2]) -> Result<(), EngineError> {
        self.pool.set_limits(limits);
        Ok(())
    }

    fn submit(&mut self, chain: &[Request]) {
        for (place, request) in chain.iter().enumerate() {
            self.books.begin(request, place, true);
            let timed = self.books.times(request);
            let slot = request.slot as usize;
            let direct = self.plan.open[request.op.file as usize] == Open::Direct;
            let beginner = self.begun.as_ref().filter(|_| direct).map(Begun::beginner);
            let call = Call::new(request, self.files, self.names, self.buffers[slot], timed);
            let call = call.beginning(request.slot, beginner);
            self.posted[slot] = Some(Posted {
                call: if self.plan.force_async && self.attempts.is_some() {
                    call.looking()
                } else {
                    call
                },
                link: chain.get(place + 1).map(|next| WorkId(next.slot)),
                queued: Nanos(0),
            });
        }
        self.unsubmitted.extend(chain.first().map(|first| WorkId(first.slot)));
    }

    fn flush(&mut self) {
        let mut unsubmitted = std::mem::take(&mut self.unsubmitted);
        for slot in unsubmitted.drain(..) {
            self.start(slot);
        }
        self.unsubmitted = unsubmitted;
        self.queue_punted();
        self.pool.run_creations();
    }

    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError> {
        if !self.unsubmitted.is_empty() {
            self.flush();
        }
        let target = out.len() + want;
        loop {
            self.reap(out);
            if out.len() >= target && (want > 0 || until.is_none()) {
                self.queue_punted();
                self.pool.run_creations();
                return Ok(());
            }
            self.queue_punted();
            let from = out.len();
            // A worker that only began an op may be what others are held back for: return for each.
            let held = self.begun.is_some() || self.plan.sockets.is_some();
            let left = if held { 1 } else { target.saturating_sub(from) };
            let over = self.pool.wait_once(left, until, out);
            self.book(out, from);
            // What workers only began does not count yet.
            let late = || until.is_some_and(|until| until <= clock::now());
            if over && ((want > 0 && out.len() >= target) || late()) {
                self.queue_punted();
                return Ok(());
            }
        }
    }

    fn finish(self: Box<Self>) -> EngineReport {
        let report = self.pool.exit();
        EngineReport {
            tally: Some(report.tally),
            lives: report.lives,
            creation_ns: report.creation_ns,
            dispatch: Some(self.books.dispatch),
            timed_at_reaping: None,
            timed_one_in: None,
            recorder: self.books.into_recorder(),
        }
    }
}
