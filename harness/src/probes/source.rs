//! Where a trace comes from: BPF programs, or what stands in for them if there are none.

use iowq_contract::Tier;
use iowq_ebpf::trace::{
    FileKey, LifeEvent, OpCounts, OpKey, RequestEvent, TRACE_LOST_CAUSES, TRACE_LOST_FILES,
    TRACE_LOST_FLIGHTS, TRACE_LOST_LEFT_OUT, TRACE_LOST_LIVES, TRACE_LOST_OPS, TRACE_LOST_REQUESTS,
    TRACE_LOST_UNREADABLE,
};

use super::error::ProbeError;
use super::trace::TraceProbes;

/// The cause of loss that [`TraceSource::take_lives`] and [`TraceSource::take_requests`] count.
pub const UNREADABLE: &str = "events that could not be read";

/// The cause of loss of births and exits.
pub const LIVES_LOST: &str = "births and exits: the reader came too late";

/// What a trace is made of: counts since the start, and events that are taken once.
pub trait TraceSource {
    /// What kind of source it is.
    fn tier(&self) -> Tier;

    /// What it does not see, each with the reason.
    fn unseen(&self) -> Vec<String>;

    /// Traces a process from here on, and its children; of use if only some are traced.
    ///
    /// # Errors
    ///
    /// If there are too many.
    fn trace(&mut self, tgid: u32) -> Result<(), ProbeError>;

    /// Forgets processes, to make room. Their children stay traced.
    fn forget(&mut self, over: &[u32]);

    /// Counts of all ops since the start.
    fn ops(&mut self) -> Vec<(OpKey, OpCounts)>;

    /// Requests that went to io-wq since the start, by file.
    fn files(&mut self) -> Vec<(FileKey, u64)>;

    /// Passes on births and exits, oldest first. Returns how many could not be understood.
    fn take_lives(&mut self, take: &mut dyn FnMut(LifeEvent)) -> u64;

    /// Passes on requests that are done, in the order in which they were. Returns how many could not be
    /// understood.
    fn take_requests(&mut self, take: &mut dyn FnMut(RequestEvent)) -> u64;

    /// Measures what it costs the kernel: the caller comes a few times a second.
    fn measure_cost(&mut self) {}

    /// Processor time that it took of the kernel in a trace of this length, by what was measured now and
    /// then; `None` if that is not known.
    fn cost_ns(&self, _trace_ns: u64) -> Option<u64> {
        None
    }

    /// What was lost since the start, by cause; causes without losses may be left out.
    ///
    /// # Errors
    ///
    /// If the counters cannot be read.
    fn lost(&mut self) -> Result<Vec<(String, u64)>, ProbeError>;
}

impl TraceSource for TraceProbes {
    fn tier(&self) -> Tier {
        Tier::Bpf
    }

    fn unseen(&self) -> Vec<String> {
        TraceProbes::unseen(self).to_vec()
    }

    fn trace(&mut self, tgid: u32) -> Result<(), ProbeError> {
        TraceProbes::trace(self, tgid)
    }

    fn forget(&mut self, over: &[u32]) {
        TraceProbes::forget(self, over);
    }

    fn ops(&mut self) -> Vec<(OpKey, OpCounts)> {
        TraceProbes::ops(self)
    }

    fn files(&mut self) -> Vec<(FileKey, u64)> {
        TraceProbes::files(self)
    }

    fn take_lives(&mut self, take: &mut dyn FnMut(LifeEvent)) -> u64 {
        TraceProbes::take_lives(self, take)
    }

    fn take_requests(&mut self, take: &mut dyn FnMut(RequestEvent)) -> u64 {
        TraceProbes::take_requests(self, take)
    }

    fn measure_cost(&mut self) {
        TraceProbes::measure_cost(self);
    }

    fn cost_ns(&self, trace_ns: u64) -> Option<u64> {
        TraceProbes::cost_ns(self, trace_ns)
    }

    fn lost(&mut self) -> Result<Vec<(String, u64)>, ProbeError> {
        let lost = TraceProbes::lost(self)?;
        Ok((0..TRACE_LOST_CAUSES).zip(lost).map(|(cause, lost)| (named(cause), lost)).collect())
    }
}

/// The name of a cause of loss, `TRACE_LOST_*`.
pub(super) fn named(cause: u32) -> String {
    let name = match cause {
        TRACE_LOST_LIVES => LIVES_LOST,
        TRACE_LOST_UNREADABLE => UNREADABLE,
        TRACE_LOST_OPS => "requests: too many processes or ops",
        TRACE_LOST_FLIGHTS => "times: too many requests in io-wq",
        TRACE_LOST_FILES => "files: too many",
        TRACE_LOST_REQUESTS => "single requests: the reader came too late",
        TRACE_LOST_LEFT_OUT => "events while other BPF work was under way on the processor",
        _ => "for an unknown cause",
    };
    name.to_owned()
}
