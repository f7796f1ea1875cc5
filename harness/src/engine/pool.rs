//! The pool as an engine: each op becomes a work, and its worker makes the system call.

use std::os::fd::OwnedFd;

use iowq_record::Punts;
use iowq_workloads::{OpKind, Plan};

use super::call::{Buffer, Call};
use super::classes::Classes;
use super::{Engine, EngineError, Remains, Request};
use crate::clock::Nanos;
use crate::pool::board::Board;
use crate::pool::policy::Policy;
use crate::pool::{Completion, Config, Pool, Sleeps, State, Waiter};
use crate::recorder::Recorder;
use crate::sync::Arc;

/// Workers that may live at one time, whatever the limits say: what the probe has room for.
const SLOTS: u32 = iowq_ebpf::SLOTS_MAX as u32;

/// The userspace io-wq at work on real files.
pub struct PoolEngine<'a, B: Board + 'static> {
    pool: Pool<Call, B>,
    classes: Classes<'a>,
    files: &'a [OwnedFd],
    buffers: Vec<Buffer>,
    punts: [Punts; OpKind::ALL.len()],
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
        };
        let [asked, policy] = policies;
        let state = State::new(asked, board, config.works, config.slots, config.limits);
        let pool = Pool::new(state, &config, sleeps, waiter);
        let classes = Classes::new(policy, plan);
        PoolEngine { pool, classes, files, buffers, punts: Default::default() }
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
        // From the end, so that each work is known before one is linked to it.
        for (place, request) in chain.iter().enumerate().rev() {
            let flags = self.classes.flags(request, place);
            let call = Call::new(request, self.files, self.buffers[request.slot as usize]);
            if request.measured {
                let punts = &mut self.punts[request.op.kind.index()];
                let counted =
                    if flags.bucket.is_some() { &mut punts.hashed } else { &mut punts.unhashed };
                *counted += 1;
            }
            let link = chain.get(place + 1).map(|next| next.slot);
            if place > 0 {
                self.pool.define(request.slot, call, flags, link);
            } else {
                self.pool.submit(request.slot, call, flags, link);
            }
        }
    }

    fn flush(&mut self) {
        self.pool.run_creations();
    }

    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError> {
        self.pool.wait(want, until, out);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Remains {
        let remains = self.pool.exit();
        let mut recorder = Recorder::default();
        for worker in &remains.recorders {
            recorder.merge(worker);
        }
        Remains {
            recorder,
            tally: Some(remains.tally),
            lives: remains.lives,
            punts: Some(self.punts),
        }
    }
}
