//! The pool as an engine: each op becomes a work, and its worker makes the system call.

use std::os::fd::OwnedFd;

use iowq_workloads::Plan;

use super::books::Books;
use super::call::{Buffer, Call};
use super::classes::Classes;
use super::{Engine, EngineError, Remains, Request};
use crate::clock::{self, Nanos};
use crate::pool::board::Board;
use crate::pool::policy::Policy;
use crate::pool::teardown::TEARDOWN;
use crate::pool::work::{Flags, WorkId};
use crate::pool::{Completion, Config, Outcome, Pool, Sleeps, State, Waiter};
use crate::sync::Arc;

/// Workers that may live at one time, whatever the limits say: what the probe has room for.
const SLOTS: u32 = iowq_ebpf::SLOTS_MAX as u32;

/// A work that no worker knows of yet.
struct Unsubmitted {
    work: WorkId,
    call: Call,
    flags: Flags,
    /// Whether it waits for the one before it.
    behind_link: bool,
    /// The one that waits for it.
    link: Option<WorkId>,
}

/// The userspace io-wq at work on real files.
pub struct PoolEngine<'a, B: Board + 'static> {
    pool: Pool<Call, B>,
    classes: Classes<'a>,
    files: &'a [OwnedFd],
    buffers: Vec<Buffer>,
    books: Books,
    /// When each request was queued, by slot; zero for those behind a link, which are queued when
    /// the one before is done.
    queued: Vec<Nanos>,
    /// Works that were handed over since the last flush, in order, and how each is queued. As with
    /// a ring, they reach the workers together.
    unsubmitted: Vec<Unsubmitted>,
}

impl<'a, B: Board + 'static> PoolEngine<'a, B> {
    /// A pool for this plan. It asks the first policy, and ops are classed by the second, which
    /// is the same. Sleeps are told by `sleeps`, and heard of where the submitter waits.
    #[must_use]
    pub fn new(
        plan: &'a Plan,
        policies: [Box<dyn Policy>; 2],
        board: B,
        sleeps: Arc<dyn Sleeps>,
        waiter: Box<dyn Waiter>,
        files: &'a [OwnedFd],
        buffers: Vec<Buffer>,
    ) -> PoolEngine<'a, B> {
        let config = Config {
            works: plan.depth,
            slots: SLOTS,
            limits: plan.limits,
            idle_timeout: plan.idle_timeout,
            teardown: TEARDOWN,
        };
        let [asked, policy] = policies;
        let state = State::new(asked, board, config.works, config.slots, config.limits);
        let pool = Pool::new(state, &config, sleeps, waiter);
        let classes = Classes::new(policy, plan);
        PoolEngine {
            pool,
            classes,
            files,
            buffers,
            books: Books::new(plan, true),
            queued: vec![Nanos(0); plan.depth as usize],
            unsubmitted: Vec::with_capacity(plan.depth as usize),
        }
    }

    /// Counts ops and times none: to find out what timing them costs.
    #[must_use]
    pub fn without_latency(mut self, plan: &Plan) -> Self {
        self.books = Books::new(plan, false);
        self
    }

    /// Records what was done, from this place of `out` on.
    fn book(&mut self, out: &[Completion]) {
        for done in out {
            let Some(it) = self.books.end(done.work) else { continue };
            if done.outcome != Outcome::Done {
                continue;
            }
            let times = self.pool.seen(done.work);
            let queued = self.queued[done.work as usize];
            let queue_ns = (queued != Nanos(0)).then(|| times.begun.since(queued));
            self.books.record(&it, times.done, queue_ns);
        }
    }
}

impl<B: Board + 'static> Engine for PoolEngine<'_, B> {
    fn open(&mut self) -> Result<(), EngineError> {
        self.pool.open();
        Ok(())
    }

    fn close(&mut self) {
        self.pool.close();
    }

    fn submit(&mut self, chain: &[Request]) {
        for (place, request) in chain.iter().enumerate() {
            let flags = self.classes.flags(request, place);
            if request.measured {
                let punts = &mut self.books.punts[request.op.kind.index()];
                *match (flags.bucket.is_some(), place) {
                    (true, _) => &mut punts.hashed,
                    (false, 0) => &mut punts.unhashed,
                    (false, _) => &mut punts.linked,
                } += 1;
            }
            self.books.begin(request, place);
            let timed = self.books.times(request);
            let buffer = self.buffers[request.slot as usize];
            self.unsubmitted.push(Unsubmitted {
                work: request.slot,
                call: Call::new(request, self.files, buffer, timed),
                flags,
                behind_link: place > 0,
                link: chain.get(place + 1).map(|next| next.slot),
            });
        }
    }

    fn flush(&mut self) {
        for it in &self.unsubmitted {
            // What is linked behind a work is known before that work is queued.
            if it.behind_link {
                self.queued[it.work as usize] = Nanos(0);
                self.pool.define(it.work, it.call, it.flags, it.link);
            }
        }
        for it in self.unsubmitted.drain(..) {
            if !it.behind_link {
                self.queued[it.work as usize] = clock::now();
                self.pool.submit(it.work, it.call, it.flags, it.link);
            }
        }
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
        let from = out.len();
        self.pool.wait(want, until, out);
        self.book(&out[from..]);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Remains {
        let remains = self.pool.exit();
        Remains {
            tally: Some(remains.tally),
            lives: remains.lives,
            punts: Some(self.books.punts),
            recorder: self.books.into_recorder(),
        }
    }
}
