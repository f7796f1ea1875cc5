//! Sums over processes and ops, which are what is served.

use std::collections::BTreeMap;

use iowq_contract::trace::{TraceOp, TraceProcess};

/// Bounds of the histogram's buckets, in ns; one more has what is longer.
pub(super) const BOUNDS_NS: [u64; 8] = [
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
];

/// Sums of all processes of a name. Counters never fall, also when a process ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) born: u64,
    pub(super) exited: u64,
    pub(super) alive: [u64; 3],
    pub(super) in_flight: u64,
    pub(super) ops: BTreeMap<String, OpSums>,
}

/// Sums of one op.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OpSums {
    pub(super) submitted: u64,
    pub(super) queued: u64,
    pub(super) forced: u64,
    pub(super) hashed: u64,
    pub(super) unbounded: u64,
    pub(super) failed: u64,
    /// Requests that are done, by time; each bucket has those of the buckets before, too.
    pub(super) at_most: [u64; BOUNDS_NS.len()],
    pub(super) done: u64,
    pub(super) time_ns: u64,
}

impl Sums {
    pub(super) fn of(process: &TraceProcess) -> Sums {
        let alive = process.alive;
        Sums {
            born: process.born,
            exited: process.exited,
            alive: [alive.bounded, alive.unbounded, alive.unknown].map(u64::from),
            in_flight: process.in_flight,
            ops: process.ops.iter().map(|op| (op.op.clone(), OpSums::of(op))).collect(),
        }
    }

    pub(super) fn add(&mut self, more: &Sums) {
        self.born += more.born;
        self.exited += more.exited;
        self.alive.iter_mut().zip(more.alive).for_each(|(sum, more)| *sum += more);
        self.in_flight += more.in_flight;
        for (op, more) in &more.ops {
            self.ops.entry(op.clone()).or_default().add(more);
        }
    }

    /// Whether these may be later ones of the same process, whose counters never fall.
    pub(super) fn may_follow(&self, before: &Sums) -> bool {
        let none = OpSums::default();
        self.born >= before.born
            && self.exited >= before.exited
            && before.ops.iter().all(|(op, before)| {
                let now = self.ops.get(op).unwrap_or(&none);
                now.submitted >= before.submitted
                    && now.queued >= before.queued
                    && now.done >= before.done
            })
    }

    /// What stays when the process is over: its counters.
    pub(super) fn counters(mut self) -> Sums {
        (self.alive, self.in_flight) = ([0; 3], 0);
        self
    }
}

impl OpSums {
    fn of(op: &TraceOp) -> OpSums {
        let histogram = op.time.histogram();
        let at_most = |bound| histogram.as_ref().map_or(0, |times| times.count_between(0, bound));
        OpSums {
            submitted: op.submitted,
            queued: op.queued,
            forced: op.queued_forced,
            hashed: op.hashed,
            unbounded: op.unbounded,
            failed: op.failed,
            at_most: BOUNDS_NS.map(at_most),
            done: op.done,
            time_ns: op.time_ns,
        }
    }

    fn add(&mut self, more: &OpSums) {
        self.submitted += more.submitted;
        self.queued += more.queued;
        self.forced += more.forced;
        self.hashed += more.hashed;
        self.unbounded += more.unbounded;
        self.failed += more.failed;
        self.at_most.iter_mut().zip(more.at_most).for_each(|(sum, more)| *sum += more);
        self.done += more.done;
        self.time_ns += more.time_ns;
    }
}
