//! What the records of tracepoints come to: the counts and events that BPF programs would make.

use std::collections::{HashMap, HashSet, VecDeque};

use iowq_ebpf::kernel::{CLONE_THREAD, CQE_SKIP, FIXED_FILE, FORCE_ASYNC, IO_THREAD, MAX_WORKERS};
use iowq_ebpf::trace::{
    CLASS_FORCED, CLASS_HASHED, CLASS_QUEUED, FILE_REGISTERED, Flight, LIFE_BORN, LIFE_EXITED,
    LIFE_LIMITS, LIFE_NAMED, LIFE_PROCESS, LIFE_RING, LifeEvent, OpCounts, OpKey, RequestEvent,
    TRACE_LOST_FLIGHTS, TRACE_LOST_OPS, TRACE_LOST_REQUESTS, bucket,
};

use crate::probes::source::named;
use crate::probes::trace::TraceOptions;

/// Ops that are counted, as many as the programs have room for at most.
const OPS_MAX: usize = 8192;
/// Requests in io-wq that are followed at one time, likewise.
const FLIGHTS_MAX: usize = 1 << 17;
/// How late a record may become visible after others of its time.
const LATE_NS: u64 = 10_000_000;

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) time_ns: u64,
    pub(super) tgid: u32,
    pub(super) tid: u32,
    pub(super) cpu: u32,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Born { tid: u32, comm: [u8; 16], flags: u64 },
    Named { tid: u32, comm: [u8; 16] },
    Exited { comm: [u8; 16] },
    Ring { fd: u32, entries: u32 },
    Registered { opcode: u32 },
    Submitted { opcode: u8, flags: u32 },
    Queued { request: u64, opcode: u8, flags: u32, hashed: bool },
    Completed { request: u64, result: i32 },
}

/// The request that a processor queued last: what a birth right after it is for.
#[derive(Clone, Copy)]
struct Last {
    queued_ns: u64,
    tid: u32,
    op: OpKey,
}

/// The counts so far.
pub(super) struct Sums {
    /// Processes to trace, if not all.
    traced: Option<HashSet<u32>>,
    ops: HashMap<OpKey, OpCounts>,
    flights: HashMap<u64, Flight>,
    last: HashMap<u32, Last>,
    lives: VecDeque<LifeEvent>,
    requests: VecDeque<RequestEvent>,
    requests_max: usize,
    /// Completions of the end of the last batch whose queueing was not seen by then.
    early: Vec<Seen>,
    lost_ops: u64,
    lost_flights: u64,
    lost_requests: u64,
}

impl Sums {
    pub(super) fn new(options: &TraceOptions) -> Sums {
        Sums {
            traced: options.some.then(HashSet::new),
            ops: HashMap::new(),
            flights: HashMap::new(),
            last: HashMap::new(),
            lives: VecDeque::new(),
            requests: VecDeque::new(),
            requests_max: options.requests_ring_bytes as usize / size_of::<RequestEvent>(),
            early: Vec::new(),
            lost_ops: 0,
            lost_flights: 0,
            lost_requests: 0,
        }
    }

    pub(super) fn trace(&mut self, tgid: u32) {
        self.traced.iter_mut().for_each(|traced| _ = traced.insert(tgid));
    }

    pub(super) fn forget(&mut self, over: &[u32]) {
        self.traced.iter_mut().for_each(|traced| traced.retain(|tgid| !over.contains(tgid)));
        self.ops.retain(|op, _| !over.contains(&op.tgid));
        self.flights.retain(|_, flight| !over.contains(&flight.op.tgid));
    }

    pub(super) fn ops(&self) -> Vec<(OpKey, OpCounts)> {
        self.ops.iter().map(|(op, counts)| (*op, *counts)).collect()
    }

    pub(super) fn take_lives(&mut self) -> impl Iterator<Item = LifeEvent> {
        self.lives.drain(..)
    }

    pub(super) fn take_requests(&mut self) -> impl Iterator<Item = RequestEvent> {
        self.requests.drain(..)
    }

    /// What found no room here, by cause.
    pub(super) fn lost(&self) -> Vec<(String, u64)> {
        let lost = [
            (TRACE_LOST_OPS, self.lost_ops),
            (TRACE_LOST_FLIGHTS, self.lost_flights),
            (TRACE_LOST_REQUESTS, self.lost_requests),
        ];
        lost.map(|(cause, count)| (named(cause), count)).to_vec()
    }

    /// Takes events in the order of time, all that there were until then; but some of another
    /// processor may still turn up.
    pub(super) fn take(&mut self, events: impl Iterator<Item = Seen>, until_ns: u64) {
        let mut early = Vec::new();
        for event in events {
            let seen = self.one(&event);
            if !seen && event.time_ns.saturating_add(LATE_NS) > until_ns {
                early.push(event);
            }
        }
        self.early = early;
    }

    /// Takes an event. Returns false for a completion of a request that was not queued.
    fn one(&mut self, event: &Seen) -> bool {
        if let What::Completed { request, result } = event.what {
            return self.completed(event, request, result);
        }
        let Seen { tgid, tid, .. } = *event;
        if self.traced.as_ref().is_some_and(|traced| !traced.contains(&tgid)) {
            return true;
        }
        match event.what {
            What::Born { tid: child, comm, flags } => self.born(event, child, comm, flags),
            What::Named { tid: named, comm } if named == tid && is_io_thread(&comm) => {
                self.lives.push_back(life(LIFE_NAMED, event, tid, comm));
            }
            What::Exited { comm } if is_io_thread(&comm) => {
                self.lives.push_back(life(LIFE_EXITED, event, tid, comm));
            }
            What::Exited { comm } if tid == tgid => {
                self.lives.push_back(life(LIFE_PROCESS, event, tid, comm));
                // Its number may be another's next.
                self.traced.iter_mut().for_each(|traced| _ = traced.remove(&tgid));
            }
            What::Ring { fd, entries } => {
                let event = life(LIFE_RING, event, fd, [0; 16]);
                self.lives.push_back(LifeEvent { account: entries, ..event });
            }
            What::Registered { opcode: MAX_WORKERS } => {
                self.lives.push_back(life(LIFE_LIMITS, event, 0, [0; 16]));
            }
            What::Submitted { opcode, flags } => {
                let class = if flags & FORCE_ASYNC == 0 { 0 } else { CLASS_FORCED };
                self.enter(OpKey { tgid, opcode, class, reserved: 0 }, false);
            }
            What::Queued { request, opcode, flags, hashed } => {
                self.queued(event, request, (opcode, flags, hashed));
            }
            _ => {}
        }
        true
    }

    fn born(&mut self, event: &Seen, child: u32, comm: [u8; 16], flags: u64) {
        if flags & CLONE_THREAD == 0 {
            // A child of a traced process is traced, too.
            return self.trace(child);
        }
        if flags != IO_THREAD {
            return;
        }
        let mut birth = life(LIFE_BORN, event, child, comm);
        if let Some(last) = self.last.get(&event.cpu).filter(|last| last.tid == event.tid) {
            birth.queued_ns = last.queued_ns;
            (birth.opcode, birth.class) = (last.op.opcode, last.op.class);
            self.last.remove(&event.cpu);
        }
        self.lives.push_back(birth);
    }

    fn queued(&mut self, event: &Seen, request: u64, (opcode, flags, hashed): (u8, u32, bool)) {
        let Seen { time_ns, tgid, tid, cpu, .. } = *event;
        let mut class = CLASS_QUEUED;
        class |= if flags & FORCE_ASYNC == 0 { 0 } else { CLASS_FORCED };
        class |= if hashed { CLASS_HASHED } else { 0 };
        let op = OpKey { tgid, opcode, class, reserved: 0 };
        self.last.insert(cpu, Last { queued_ns: time_ns, tid, op });
        let known = self.flights.get(&request).map(|flight| flight.op);
        if known == Some(op) {
            // A request that waited in a poll is queued again.
            return;
        }
        let silent = flags & CQE_SKIP != 0;
        let is_full = !silent && known.is_none() && self.flights.len() >= FLIGHTS_MAX;
        self.lost_flights += u64::from(is_full);
        self.enter(op, silent || is_full);
        if silent || is_full {
            return;
        }
        let flags = if flags & FIXED_FILE == 0 { 0 } else { FILE_REGISTERED as u16 };
        let flight = Flight { queued_ns: time_ns, op, flags, ..Flight::of(request) };
        self.flights.insert(request, flight);
        let done = |early: &Seen| {
            let is_it = matches!(early.what, What::Completed { request: it, .. } if it == request);
            is_it && early.time_ns >= time_ns
        };
        if let Some(at) = self.early.iter().position(done) {
            let early = self.early.swap_remove(at);
            self.one(&early);
        }
    }

    fn completed(&mut self, event: &Seen, request: u64, result: i32) -> bool {
        let Some(flight) = self.flights.remove(&request) else { return false };
        let time_ns = event.time_ns.saturating_sub(flight.queued_ns);
        if self.requests_max > 0 {
            let done = RequestEvent { flight, done_ns: event.time_ns, tid: event.tid, result };
            if self.requests.len() < self.requests_max {
                self.requests.push_back(done);
            } else {
                self.lost_requests += 1;
            }
        }
        let Some(counts) = self.counts(flight.op) else { return true };
        counts.done += 1;
        counts.failed += u64::from(result < 0);
        counts.time_ns_sum += time_ns;
        counts.time_ns_max = counts.time_ns_max.max(time_ns);
        counts.buckets[bucket(time_ns)] += 1;
        true
    }

    fn enter(&mut self, op: OpKey, silent: bool) {
        if let Some(counts) = self.counts(op) {
            counts.entered += 1;
            counts.silent += u64::from(silent);
        }
    }

    fn counts(&mut self, op: OpKey) -> Option<&mut OpCounts> {
        if self.ops.len() >= OPS_MAX && !self.ops.contains_key(&op) {
            self.lost_ops += 1;
            return None;
        }
        Some(self.ops.entry(op).or_insert(OpCounts::ZERO))
    }
}

fn is_io_thread(comm: &[u8; 16]) -> bool {
    comm.starts_with(b"iou-")
}

fn life(kind: u32, event: &Seen, tid: u32, comm: [u8; 16]) -> LifeEvent {
    LifeEvent { by_tid: event.tid, comm, ..LifeEvent::of(kind, event.time_ns, event.tgid, tid) }
}

#[cfg(test)]
mod tests {
    use iowq_ebpf::trace::CLASS_UNBOUNDED;

    use super::*;

    const WRITE: u8 = 23;

    fn sums(some: bool) -> Sums {
        let requests_ring_bytes = 4096;
        let (on_events, lives_ring_bytes) = (false, 4096);
        Sums::new(&TraceOptions { some, on_events, lives_ring_bytes, requests_ring_bytes })
    }

    fn at(time_ns: u64, what: What) -> Seen {
        Seen { time_ns, tgid: 7, tid: 8, cpu: 0, what }
    }

    fn queued(time_ns: u64, request: u64) -> Seen {
        at(time_ns, What::Queued { request, opcode: WRITE, flags: FORCE_ASYNC, hashed: true })
    }

    fn completed(time_ns: u64, request: u64, result: i32) -> Seen {
        at(time_ns, What::Completed { request, result })
    }

    fn of(sums: &Sums, class: u8) -> OpCounts {
        let op = OpKey { tgid: 7, opcode: WRITE, class, reserved: 0 };
        sums.ops.get(&op).copied().unwrap_or(OpCounts::ZERO)
    }

    const FORCED_HASHED: u8 = CLASS_QUEUED | CLASS_FORCED | CLASS_HASHED;

    #[test]
    fn requests_are_counted_by_class_with_their_times() {
        let mut sums = sums(false);
        let submitted = What::Submitted { opcode: WRITE, flags: FORCE_ASYNC };
        let events = [
            at(10, submitted),
            queued(20, 0xa),
            at(25, submitted),
            queued(30, 0xb),
            completed(1020, 0xa, 512),
            completed(2030, 0xb, -5),
            completed(2040, 0xc, 0),
        ];
        sums.take(events.into_iter(), 1 << 40);
        assert_eq!(of(&sums, CLASS_FORCED).entered, 2);
        let counts = of(&sums, FORCED_HASHED);
        assert_eq!((counts.entered, counts.done, counts.failed), (2, 2, 1));
        assert_eq!((counts.time_ns_sum, counts.time_ns_max), (3000, 2000));
        assert_eq!((counts.buckets[bucket(1000)], counts.buckets[bucket(2000)]), (1, 1));
        let requests: Vec<_> = sums.take_requests().map(|it| (it.done_ns, it.result)).collect();
        assert_eq!(requests, [(1020, 512), (2030, -5)]);
        assert_eq!(of(&sums, FORCED_HASHED | CLASS_UNBOUNDED).entered, 0, "it is not seen");
    }

    #[test]
    fn a_completion_that_is_visible_before_its_request_counts() {
        let mut sums = sums(false);
        sums.take([completed(950, 0xa, 0)].into_iter(), 1000);
        sums.take([queued(940, 0xa), queued(1500, 0xb)].into_iter(), 2000);
        let counts = of(&sums, FORCED_HASHED);
        assert_eq!((counts.entered, counts.done, counts.time_ns_max), (2, 1, 10));
    }

    #[test]
    fn a_request_that_is_queued_again_counts_once_and_a_silent_one_is_not_waited_for() {
        let mut sums = sums(false);
        let flags = FORCE_ASYNC | CQE_SKIP;
        let silent = What::Queued { request: 0xb, opcode: WRITE, flags, hashed: true };
        let events = [queued(20, 0xa), queued(30, 0xa), at(40, silent), completed(50, 0xa, 0)];
        sums.take(events.into_iter(), 1 << 40);
        let counts = of(&sums, FORCED_HASHED);
        assert_eq!((counts.entered, counts.done, counts.silent), (2, 1, 1));
        assert_eq!(counts.time_ns_max, 30, "from when it was queued first");
    }

    #[test]
    fn a_birth_right_after_a_request_of_the_same_thread_is_for_it() {
        let mut sums = sums(false);
        let birth =
            |tid| What::Born { tid, comm: *b"fio\0\0\0\0\0\0\0\0\0\0\0\0\0", flags: IO_THREAD };
        let thread = What::Born { tid: 30, comm: [0; 16], flags: CLONE_THREAD };
        let other = Seen { tid: 9, ..at(26, birth(32)) };
        let events = [queued(20, 0xa), at(21, thread), other, at(27, birth(33)), at(28, birth(34))];
        sums.take(events.into_iter(), 1 << 40);
        let lives: Vec<_> = sums.take_lives().map(|it| (it.tid, it.queued_ns, it.class)).collect();
        assert_eq!(lives, [(32, 0, 0), (33, 20, FORCED_HASHED), (34, 0, 0)]);
    }

    #[test]
    fn children_of_traced_processes_are_traced_and_others_are_not() {
        let mut sums = sums(true);
        let child = What::Born { tid: 20, comm: [0; 16], flags: 0 };
        let ring = |tgid| Seen { tgid, ..at(50, What::Ring { fd: 5, entries: 8 }) };
        sums.trace(7);
        sums.take([at(10, child), ring(7), ring(20), ring(21)].into_iter(), 1 << 40);
        let lives: Vec<_> = sums.take_lives().map(|it| (it.tgid, it.tid, it.account)).collect();
        assert_eq!(lives, [(7, 5, 8), (20, 5, 8)]);
        sums.forget(&[7]);
        sums.take([ring(7), ring(20)].into_iter(), 1 << 40);
        assert_eq!(sums.take_lives().map(|it| it.tgid).collect::<Vec<_>>(), [20]);
    }

    #[test]
    fn what_finds_no_room_is_counted_by_cause() {
        let mut sums = sums(false);
        let room = sums.requests_max as u64;
        let all = (0..room + 3).flat_map(|nth| [queued(nth, nth), completed(nth, nth, 0)]);
        sums.take(all, 1 << 40);
        let ops = (0..OPS_MAX as u32 + 5).map(|tgid| Seen {
            tgid: 100 + tgid,
            ..at(9, What::Submitted { opcode: 0, flags: 0 })
        });
        sums.take(ops, 1 << 40);
        let lost: Vec<_> = sums.lost().into_iter().map(|(_, count)| count).collect();
        assert_eq!(lost, [6, 0, 3]);
    }

    #[test]
    fn a_request_that_finds_no_room_is_not_waited_for() {
        let mut sums = sums(false);
        let all = FLIGHTS_MAX as u64 + 2;
        sums.take((0..all).map(|nth| queued(nth, nth)), 1 << 40);
        sums.take((0..all).map(|nth| completed(all + nth, nth, 0)), 1 << 40);
        let counts = of(&sums, FORCED_HASHED);
        assert_eq!((counts.entered, counts.done, counts.silent), (all, all - 2, 2));
        assert_eq!(sums.lost()[1].1, 2);
    }
}
