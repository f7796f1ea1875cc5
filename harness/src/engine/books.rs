//! The accounting of an engine: requests in flight, and what is recorded of those that end.
//!
//! Only the submitter writes them, with either engine, so that recording costs both the same, and
//! a worker nothing.

use iowq_contract::DispatchCounts;
use iowq_workloads::{OpKind, Plan};

use super::api::Request;
use crate::clock::{self, Nanos};
use crate::recorder::Recorder;

/// A request in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    pub(super) request: Request,
    /// Whether it waits for the one before it in its chain.
    pub(super) behind_link: bool,
    /// Zero if it is not to be timed.
    pub(super) handed_over: Nanos,
}

impl InFlight {
    /// Whether it is to be timed.
    pub(super) fn is_timed(&self) -> bool {
        self.handed_over != Nanos(0)
    }
}

/// By slot what is in flight, and all that was recorded.
pub(super) struct Books {
    in_flight: Vec<Option<InFlight>>,
    recorder: Recorder,
    /// How measured ops reached a worker, by [`OpKind::index`].
    pub(super) dispatch: [DispatchCounts; OpKind::ALL.len()],
    /// Whether latencies are recorded; else ops are only counted.
    records: bool,
}

impl Books {
    /// Empty books for this plan, with all memory that a run of it uses.
    pub(super) fn new(plan: &Plan, records: bool) -> Books {
        Books {
            in_flight: vec![None; plan.depth as usize],
            recorder: Recorder::of(plan.kinds()),
            dispatch: Default::default(),
            records,
        }
    }

    /// Records a request that is submitted now, at this place of its chain. If it is not `timed`, its
    /// end is only counted.
    pub(super) fn begin(&mut self, request: &Request, place: usize, timed: bool) {
        let handed_over = if timed && self.times(request) { clock::now() } else { Nanos(0) };
        let it = InFlight { request: *request, behind_link: place > 0, handed_over };
        self.in_flight[request.slot as usize] = Some(it);
    }

    /// Whether this request is to be timed.
    pub(super) fn times(&self, request: &Request) -> bool {
        request.measured && self.records
    }

    /// The request in flight in this slot.
    pub(super) fn request(&self, slot: u32) -> Option<Request> {
        self.in_flight.get(slot as usize)?.map(|it| it.request)
    }

    /// What is in flight in this slot, which is then empty.
    pub(super) fn end(&mut self, slot: u32) -> Option<InFlight> {
        self.in_flight.get_mut(slot as usize)?.take()
    }

    /// Records an op that was done at this time; `queue_ns` is how long it waited for a worker, if
    /// known.
    pub(super) fn record(&mut self, it: &InFlight, done: Nanos, queue_ns: Option<u64>) {
        if !it.is_timed() {
            return;
        }
        let kind = it.request.op.kind;
        self.recorder.record(kind, done.since(it.request.intended), done.since(it.handed_over));
        if let Some(queue_ns) = queue_ns {
            self.recorder.record_queue(kind, queue_ns);
        }
    }

    /// All that was recorded.
    pub(super) fn into_recorder(self) -> Recorder {
        self.recorder
    }
}
