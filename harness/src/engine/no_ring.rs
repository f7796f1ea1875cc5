//! No ring at all: each op is a system call of the thread that submits, one after the other.
//!
//! What a program would do without io_uring, beside which the cost of handing ops to workers, and what
//! their overlap gains, can be read. There is no worker, so no policy has a say.

use std::os::fd::OwnedFd;

use iowq_workloads::Plan;

use super::api::{Engine, EngineError, EngineReport, Request};
use super::books::Books;
use super::buffers::Buffer;
use super::call::Call;
use crate::clock::{self, Nanos};
use crate::files::Names;
use crate::sync::thread;
use iowq_pool::{Completion, Job as _, WorkId, WorkOutcome};

/// System calls on real files.
pub struct NoRing<'a> {
    files: &'a [OwnedFd],
    names: Option<&'a Names>,
    buffers: Vec<Buffer>,
    books: Books,
    /// Ops that ended since the last wait.
    ended: Vec<Completion>,
}

impl<'a> NoRing<'a> {
    /// An engine for this plan.
    #[must_use]
    pub fn new(plan: &'a Plan, files: &'a [OwnedFd], buffers: Vec<Buffer>) -> NoRing<'a> {
        let ended = Vec::with_capacity(plan.depth as usize);
        NoRing { files, names: None, buffers, books: Books::new(plan, true), ended }
    }

    /// With the names that ops by name use.
    #[must_use]
    pub fn with_names(mut self, names: Option<&'a Names>) -> Self {
        self.names = names;
        self
    }

    /// Makes the call of an op, at this place of its chain.
    fn make(&mut self, request: &Request, place: usize) -> WorkOutcome {
        self.books.begin(request, place, true);
        let timed = self.books.times(request);
        let buffer = self.buffers[request.slot as usize];
        let (outcome, times) = Call::new(request, self.files, self.names, buffer, timed).run();
        if let Some(it) = self.books.end(request.slot)
            && outcome == WorkOutcome::Done
        {
            self.books.record(&it, times.done, None);
        }
        outcome
    }
}

impl Engine for NoRing<'_> {
    fn open(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn close(&mut self) {}

    fn submit(&mut self, chain: &[Request]) {
        let mut before = WorkOutcome::Done;
        for (place, request) in chain.iter().enumerate() {
            before = match before {
                WorkOutcome::Done => self.make(request, place),
                _ => WorkOutcome::Cancelled,
            };
            self.ended.push(Completion { work: WorkId(request.slot), outcome: before });
        }
    }

    fn flush(&mut self) {}

    /// Nothing is ever in flight, so only time can be waited for.
    fn wait(
        &mut self,
        _want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError> {
        if self.ended.is_empty()
            && let Some(until) = until
        {
            thread::sleep(until.until(clock::now()));
        }
        out.append(&mut self.ended);
        Ok(())
    }

    fn finish(self: Box<Self>) -> EngineReport {
        EngineReport { recorder: self.books.into_recorder(), ..EngineReport::default() }
    }
}
