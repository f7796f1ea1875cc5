//! The running kernel's io-wq as an engine: each op goes through a real io_uring.
//!
//! The engine belongs to the thread that submits. io-wq's workers belong to that thread too, and
//! the kernel ends them when it exits.

use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{IoUring, squeue};
use iowq_contract::DispatchCounts;
use iowq_workloads::{OpKind, Plan};

use super::entry::{self, Special};
use super::register::{confine, limit, register};
use super::ring::{outcome, ring_of};
use super::sampling::Sampling;
use crate::clock::{self, Nanos};
use crate::engine::api::{Engine, EngineError, EngineReport, Request};
use crate::engine::books::{Books, InFlight};
use crate::engine::buffers::Buffer;
use crate::files::{NamedFile, Names};
use crate::probes::{Queued, Requests, Times};
use crate::sync::{Arc, thread};
use iowq_pool::{Completion, WorkId, WorkOutcome};

/// Real io_uring on real files.
pub struct UringEngine<'a> {
    plan: &'a Plan,
    files: &'a [OwnedFd],
    names: Option<&'a Names>,
    buffers: Vec<Buffer>,
    /// What the probes record of each request, by slot, if they are on.
    seen: Option<Arc<Requests>>,
    /// Of those, the first slot that is this engine's.
    seen_from: u32,
    ring: Option<IoUring>,
    books: Books,
    /// User data and result of what was just taken out of the ring; kept for its memory.
    reaped: Vec<(u64, i32)>,
    /// Set if a request found no room; the ring has as much as the plan is deep.
    no_room: bool,
    /// Ops whose completion the probes missed.
    timed_at_reaping: u64,
    /// Which ops are timed.
    sampling: Sampling,
}

impl<'a> UringEngine<'a> {
    /// An engine for this plan. The buffers must outlive it, and if it fails, the process:
    /// the kernel may still be using them.
    #[must_use]
    pub fn new(
        plan: &'a Plan,
        files: &'a [OwnedFd],
        buffers: Vec<Buffer>,
        seen: Option<(Arc<Requests>, u32)>,
    ) -> UringEngine<'a> {
        let (seen, seen_from) = seen.map_or((None, 0), |(seen, from)| (Some(seen), from));
        let sampling = if seen.is_some() { Sampling::of(plan) } else { Sampling::ALL };
        UringEngine {
            plan,
            files,
            names: None,
            buffers,
            seen,
            seen_from,
            sampling,
            ring: None,
            books: Books::new(plan, true),
            reaped: Vec::with_capacity(plan.depth as usize),
            no_room: false,
            timed_at_reaping: 0,
        }
    }

    /// With the names that ops by name use.
    #[must_use]
    pub fn with_names(mut self, names: Option<&'a Names>) -> Self {
        self.names = names;
        self
    }

    /// How many completions to wait for in one system call.
    ///
    /// Without probes the time at which an op is reaped is the only one known, so the submitter is
    /// woken for each. With them it sleeps until all are there or time is up.
    fn wanted(&self, missing: Option<usize>) -> usize {
        match missing {
            _ if self.seen.is_none() => 1,
            Some(missing) => missing,
            // More than can ever be there.
            None => self.plan.depth as usize + 1,
        }
    }

    /// Takes what is done out of the ring.
    fn reap(&mut self, out: &mut Vec<Completion>) {
        let Some(ring) = &mut self.ring else { return };
        self.reaped.extend(ring.completion().map(|entry| (entry.user_data(), entry.result())));
        if self.reaped.is_empty() {
            return;
        }
        let now = clock::now();
        let mut reaped = std::mem::take(&mut self.reaped);
        for (slot, result) in reaped.drain(..) {
            let slot = Requests::slot(slot).wrapping_sub(self.seen_from);
            let Some(done) = self.books.end(slot) else { continue };
            let outcome = outcome(&done.request.op, result, self.plan.block_bytes);
            self.book(&done, outcome, now);
            entry::close_opened(&done.request.op, result);
            out.push(Completion { work: WorkId(slot), outcome });
        }
        self.reaped = reaped;
    }

    /// Writes down one op that is done.
    fn book(&mut self, done: &InFlight, outcome: WorkOutcome, reaped: Nanos) {
        if !done.request.measured || outcome == WorkOutcome::Cancelled {
            return;
        }
        let times =
            |seen: &Arc<Requests>| seen.times(self.seen_from + done.request.slot, done.handed_over);
        let seen = self.seen.as_ref().map(times);
        if let Some(times) = &seen {
            let dispatch = &mut self.books.dispatch[done.request.op.kind.index()];
            count(dispatch, times, done.behind_link);
        }
        if outcome != WorkOutcome::Done || !done.is_timed() {
            return;
        }
        let at = seen.and_then(|times| times.done);
        self.timed_at_reaping += u64::from(at.is_none());
        let at = at.unwrap_or(reaped);
        let queue_ns = seen.and_then(|times| Some(times.started?.since(times.queued?.at?)));
        self.books.record(done, at, queue_ns);
    }
}

impl Engine for UringEngine<'_> {
    fn open(&mut self) -> Result<(), EngineError> {
        let ring = ring_of(self.plan).map_err(|cause| EngineError {
            what: "opening a ring",
            cause,
            advice: "see `ulimit -n` for open files, and `ulimit -l` on kernels before 5.12",
        })?;
        if !self.plan.kernel_limits {
            limit(&ring, self.plan.limits)?;
        }
        confine(&ring, self.plan)?;
        register(&ring, self.plan, self.files, &self.buffers)?;
        self.ring = Some(ring);
        Ok(())
    }

    fn close(&mut self) {
        self.ring = None;
    }

    fn set_limits(&mut self, limits: [Option<u32>; 2]) -> Result<(), EngineError> {
        // Zero changes nothing.
        let limits = limits.map(Option::unwrap_or_default);
        self.ring.as_ref().map_or(Ok(()), |ring| limit(ring, limits))
    }

    fn submit(&mut self, chain: &[Request]) {
        let Some(ring) = &mut self.ring else { return };
        let sockets = self.plan.sockets.map(|sockets| sockets.kind);
        let only = &self.plan.only;
        // No-ops need none.
        let file = |file: Option<&OwnedFd>| file.map_or(-1, AsRawFd::as_raw_fd);
        let sink = file(self.files.last());
        let mut queue = ring.submission();
        for (place, request) in chain.iter().enumerate() {
            let special = Special {
                sockets,
                place: only.registered_files.then_some(request.op.file),
                buffer: only.registered_buffers.then_some(request.slot),
            };
            let file = file(self.files.get(request.op.file as usize));
            let buffer = self.buffers[request.slot as usize];
            let mut flags = squeue::Flags::empty();
            flags.set(squeue::Flags::IO_LINK, place + 1 < chain.len());
            let registered = only.registered_files && !request.op.kind.is_by_name();
            flags.set(squeue::Flags::FIXED_FILE, registered);
            let forced = self.plan.force_async || request.op.kind == OpKind::Nop;
            flags.set(squeue::Flags::ASYNC, forced);
            let timed = self.sampling.takes_next();
            let seen_slot = self.seen_from + request.slot;
            let named = NamedFile::of(self.names, &request.op, request.slot);
            let entry = entry::of(&request.op, file, sink, named, buffer, &special)
                .flags(flags)
                .user_data(Requests::user_data(seen_slot, timed));
            if let Some(seen) = &self.seen {
                seen.prepare(seen_slot);
            }
            self.books.begin(request, place, timed);
            // SAFETY: files, names and buffers outlive the engine, and while its op is in flight a buffer
            // is not used by the submitter, see `Buffers`.
            self.no_room |= unsafe { queue.push(&entry) }.is_err();
        }
    }

    /// Nothing: the wait that follows submits and waits in one system call.
    fn flush(&mut self) {}

    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError> {
        let target = out.len() + want;
        loop {
            self.reap(out);
            let missing = (want > 0).then(|| target.saturating_sub(out.len()));
            let left = until.map(|until| until.until(clock::now()));
            let Some(ring) = &mut self.ring else {
                // Without a ring only time can pass.
                thread::sleep(left.unwrap_or_default());
                return Ok(());
            };
            if self.no_room {
                return Err(EngineError {
                    what: "handing a request to the ring",
                    cause: ErrorKind::StorageFull.into(),
                    advice: "this is a mistake in iowq; please report it",
                });
            }
            let over = missing == Some(0) || left.is_some_and(|left| left.is_zero());
            let unsubmitted = !ring.submission().is_empty();
            if over && !unsubmitted {
                return Ok(());
            }
            let wanted = if over { 0 } else { self.wanted(missing) };
            self.enter(wanted, left)?;
        }
    }

    fn finish(self: Box<Self>) -> EngineReport {
        let dispatch = self.seen.is_some().then_some(self.books.dispatch);
        let timed_at_reaping = self.seen.is_some().then_some(self.timed_at_reaping);
        let timed_one_in = self.sampling.one_in();
        let recorder = self.books.into_recorder();
        EngineReport {
            recorder,
            dispatch,
            timed_at_reaping,
            timed_one_in,
            ..EngineReport::default()
        }
    }
}

impl UringEngine<'_> {
    /// One system call: submits all there is and waits for `wanted` completions, or until the time
    /// that is left is over.
    fn enter(
        &mut self,
        wanted: usize,
        left: Option<std::time::Duration>,
    ) -> Result<(), EngineError> {
        let Some(ring) = &self.ring else { return Ok(()) };
        let entered = match left.map(Timespec::from) {
            Some(time) if wanted > 0 => {
                ring.submitter().submit_with_args(wanted, &SubmitArgs::new().timespec(&time))
            }
            _ => ring.submitter().submit_and_wait(wanted),
        };
        match entered {
            Ok(_) => Ok(()),
            // Time is up, a signal came, or completions must be reaped before more is taken.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::ResourceBusy
                ) || error.raw_os_error() == Some(TIMER_EXPIRED) =>
            {
                Ok(())
            }
            Err(cause) => Err(EngineError {
                what: "submitting to the ring and waiting on it (io_uring_enter)",
                cause,
                advice: "see `dmesg`, and whether memory is short",
            }),
        }
    }
}

/// The error of io_uring_enter when its time is over.
const TIMER_EXPIRED: i32 = 62; // ETIME

/// Counts how a request reached a worker, or that it did not.
fn count(dispatch: &mut DispatchCounts, times: &Times, behind_link: bool) {
    let counted = match times {
        Times { queued: None, .. } if behind_link => &mut dispatch.linked,
        Times { queued: None, .. } => &mut dispatch.inline,
        Times { queued: Some(Queued { hashed: true, .. }), .. } => &mut dispatch.hashed,
        Times { queued: Some(Queued { hashed: false, .. }), .. } => &mut dispatch.unhashed,
    };
    *counted += 1;
}
