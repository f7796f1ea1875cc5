//! A traced process: its rings, its workers and its requests, up to now.

mod counts;
mod files;
mod pools;
mod workers;

use iowq_contract::trace::{Limits, TraceOp, TraceProcess, TraceRing, Way};
use iowq_ebpf::trace::{
    CLASS_FORCED, CLASS_HASHED, CLASS_QUEUED, CLASS_UNBOUNDED, OpCounts, OpKey,
};

use crate::times::quantiles;
use crate::{opcode, procfs};
use counts::since;
pub(crate) use files::Files;
pub(crate) use pools::Pools;
pub(crate) use workers::Workers;

/// Files that are listed for each process.
const FILES_MAX: usize = 20;
/// Submitting threads that are listed for each.
const SUBMITTERS_MAX: usize = 8;

/// A process that uses an `io_uring`.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pid: u32,
    comm: String,
    /// [`procfs::started`].
    started: Option<u64>,
    pub(crate) ended: bool,
    /// When that was noticed.
    pub(crate) ended_ns: u64,
    /// Its last thread has left; or its first one, and it is over, or another of its threads called exec,
    /// or goes on.
    leader_left: bool,
    rings: Vec<TraceRing>,
    /// Entries of the largest ring, on which the default limit depends.
    entries_max: Option<u32>,
    nproc: Option<u64>,
    closed_ns: Option<u64>,
    opened: u64,
    limits_set: Option<bool>,
    pub(crate) workers: Workers,
    pub(crate) pools: Pools,
    pub(crate) files: Files,
    ops: Vec<(OpKey, OpCounts)>,
    /// What the tables have of processes that had its number before.
    before: Vec<(OpKey, OpCounts)>,
    pinned: String,
}

impl Process {
    /// A process as `/proc` has it now.
    pub(crate) fn find(pid: u32) -> Process {
        let mut process = Process::new(pid);
        process.workers = Workers::of(procfs::workers(pid));
        process
    }

    /// A process that showed itself by an event. It had no worker before, or else it would have been
    /// found at the start, so that all of them come as events; a ring it may have of its parent.
    /// Limits that it set are known, if they are seen at all.
    pub(crate) fn seen(pid: u32, sees_limits: bool, at_ns: u64) -> Process {
        Process { limits_set: sees_limits.then_some(false), ended_ns: at_ns, ..Process::new(pid) }
    }

    fn new(pid: u32) -> Process {
        let (started, nproc) = (procfs::started(pid), procfs::nproc_limit(pid));
        let ended = started.is_none();
        let mut process = Process { pid, started, ended, nproc, ..Process::default() };
        if !ended {
            for fd in procfs::rings(pid) {
                let entries = procfs::ring_entries(pid, fd);
                process.ring(TraceRing { fd, entries, by_tid: None });
            }
        }
        process.refresh();
        process
    }

    /// A process with the number of this one, which is over. The tables go on counting.
    pub(crate) fn successor(&self, sees_limits: bool, at_ns: u64) -> Process {
        let mut before = self.before.clone();
        for (op, counts) in &self.ops {
            match before.iter_mut().find(|(known, _)| known == op) {
                Some((_, known)) => known.add(counts),
                None => before.push((*op, *counts)),
            }
        }
        let files = self.files.successor();
        Process { before, files, ..Process::seen(self.pid, sees_limits, at_ns) }
    }

    /// It has this name, if `/proc` did not tell.
    pub(crate) fn is_named(&mut self, comm: &str) {
        if self.comm.is_empty() {
            comm.clone_into(&mut self.comm);
        }
    }

    /// Its last thread has left, or else its first, where the kernel does not tell.
    pub(crate) fn leader_left(&mut self, at_ns: u64) {
        self.leader_left = true;
        self.look_whether_ended(at_ns);
    }

    /// Sees whether it is over. Its workers and rings are gone then.
    pub(crate) fn look_whether_ended(&mut self, at_ns: u64) {
        if self.ended || procfs::started(self.pid) == self.started {
            return;
        }
        (self.ended, self.ended_ns) = (true, at_ns);
        if !self.rings.is_empty() {
            self.rings.clear();
            self.closed_ns = Some(at_ns);
        }
    }

    /// Whether its number is that of another process now.
    pub(crate) fn has_successor(&mut self) -> bool {
        if !self.ended && !self.leader_left {
            return false;
        }
        let started = procfs::started(self.pid);
        // Only its first thread was gone: an event that comes now is its own.
        self.leader_left &= started != self.started;
        started.is_some_and(|started| Some(started) != self.started)
    }

    /// Whether there is anything to say of it.
    pub(crate) fn uses_rings(&self) -> bool {
        !self.rings.is_empty() || !self.workers.is_empty() || !self.ops.is_empty()
    }

    /// It opened a ring.
    pub(crate) fn opened(&mut self, ring: TraceRing) {
        self.opened += 1;
        self.ring(ring);
    }

    /// It set limits on workers.
    pub(crate) fn set_limits(&mut self) {
        self.limits_set = Some(true);
    }

    fn ring(&mut self, ring: TraceRing) {
        self.entries_max = self.entries_max.max(ring.entries);
        if self.ended {
            return;
        }
        self.rings.retain(|known| known.fd != ring.fd);
        self.rings.push(ring);
        self.closed_ns = None;
    }

    /// Takes its counts since the start.
    pub(crate) fn count(&mut self, op: OpKey, counts: OpCounts) {
        let before = self.before.iter().find(|(known, _)| *known == op);
        let counts = before.map_or(counts, |(_, before)| since(&counts, before));
        if counts.entered + counts.done == 0 {
            return;
        }
        match self.ops.iter_mut().find(|(known, _)| *known == op) {
            // What is taken to be done may turn out to be on its way, and a counter must not fall.
            Some((_, known)) => *known = OpCounts { done: counts.done.max(known.done), ..counts },
            None => self.ops.push((op, counts)),
        }
    }

    /// Looks at what may have changed without an event.
    pub(crate) fn refresh(&mut self) {
        let pid = self.pid;
        if let Some(comm) = procfs::comm(pid) {
            self.comm = comm;
        }
        self.pools.look(|tid| procfs::has_thread(pid, tid));
        if let Some(worker) = self.workers.any() {
            let cpus = [worker, pid].map(|tid| procfs::allowed_cpus(pid, tid));
            if let [Some(workers), Some(submitters)] = cpus {
                self.pinned = if workers == submitters { String::new() } else { workers };
            }
        }
    }

    /// Sees whether its rings are still open.
    pub(crate) fn look_at_rings(&mut self, at_ns: u64) {
        let open = self.rings.len();
        self.rings.retain(|ring| procfs::is_ring(self.pid, ring.fd));
        if open > 0 && self.rings.is_empty() {
            self.closed_ns = Some(at_ns);
        }
    }

    /// Requests submitted, and those that went to io-wq.
    pub(crate) fn totals(&self) -> (u64, u64) {
        self.ops.iter().fold((0, 0), |(submitted, queued), (op, counts)| {
            match op.class & CLASS_QUEUED {
                0 => (submitted + counts.entered, queued),
                _ => (submitted, queued + counts.entered),
            }
        })
    }

    /// Its figures.
    pub(crate) fn figures(&self, cpus: u32) -> TraceProcess {
        let (files, files_more) = self.files.most(FILES_MAX);
        let queued = self.ops.iter().filter(|(op, _)| op.class & CLASS_QUEUED != 0);
        let in_flight = queued
            .map(|(_, counts)| counts.entered.saturating_sub(counts.done + counts.silent))
            .sum();
        let (submitters, submitters_more) = self.pools.most(SUBMITTERS_MAX);
        let (tasks, told) = (self.pools.count(), self.pools.limits());
        let default = || Some(self.entries_max?.min(4 * cpus).saturating_mul(tasks));
        TraceProcess {
            pid: self.pid,
            comm: self.comm.clone(),
            ended: self.ended,
            ended_ns: self.ended.then_some(self.ended_ns),
            rings: self.rings.clone(),
            rings_opened: self.opened,
            closed_ns: self.closed_ns,
            limits_set: self.limits_set,
            limits: Limits {
                bounded: told.bounded.or_else(default),
                unbounded: told.unbounded.or(self.nproc),
            },
            limits_told: told.bounded.is_some(),
            submitters,
            submitters_more,
            pinned: self.pinned.clone(),
            // What is left when a process ends is cancelled without a word.
            in_flight: if self.ended { 0 } else { in_flight },
            ops: ops(&self.ops),
            files,
            files_more,
            ..self.workers.figures()
        }
    }
}

/// How a class came to io-wq.
pub(crate) fn way(class: u8) -> Way {
    Way {
        forced: class & CLASS_FORCED != 0,
        hashed: class & CLASS_HASHED != 0,
        unbounded: class & CLASS_UNBOUNDED != 0,
    }
}

/// The counts of all classes, by op.
fn ops(counts: &[(OpKey, OpCounts)]) -> Vec<TraceOp> {
    let mut opcodes: Vec<u8> = counts.iter().map(|(op, _)| op.opcode).collect();
    opcodes.sort_unstable();
    opcodes.dedup();
    let of = |opcode| counts.iter().filter(move |(op, _)| op.opcode == opcode);
    opcodes.into_iter().map(|opcode| sum(opcode, of(opcode))).collect()
}

fn sum<'a>(opcode: u8, classes: impl Iterator<Item = &'a (OpKey, OpCounts)>) -> TraceOp {
    let mut sum = TraceOp { op: opcode::name(opcode), ..TraceOp::default() };
    let mut times = OpCounts::ZERO;
    for (op, counts) in classes {
        let way = way(op.class);
        if op.class & CLASS_QUEUED == 0 {
            sum.submitted += counts.entered;
            sum.forced += if way.forced { counts.entered } else { 0 };
            continue;
        }
        sum.queued += counts.entered;
        sum.queued_forced += if way.forced { counts.entered } else { 0 };
        sum.hashed += if way.hashed { counts.entered } else { 0 };
        sum.unbounded += if way.unbounded { counts.entered } else { 0 };
        sum.done += counts.done;
        sum.failed += counts.failed;
        sum.time_ns += counts.time_ns_sum;
        times.time_ns_max = times.time_ns_max.max(counts.time_ns_max);
        times.buckets.iter_mut().zip(counts.buckets).for_each(|(sum, more)| *sum += more);
        times.started += counts.started;
        times.wait_ns_max = times.wait_ns_max.max(counts.wait_ns_max);
        let waits = times.wait_buckets.iter_mut().zip(counts.wait_buckets);
        waits.for_each(|(sum, more)| *sum += more);
    }
    sum.time = quantiles(&times.buckets, times.time_ns_max);
    let waits = || quantiles(&times.wait_buckets, times.wait_ns_max);
    sum.wait = (times.started > 0).then(waits);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(opcode: u8, class: u8, entered: u64, done: u64) -> (OpKey, OpCounts) {
        let key = OpKey { tgid: 7, opcode, class, reserved: 0 };
        (key, OpCounts { entered, done, ..OpCounts::ZERO })
    }

    #[test]
    fn requests_that_were_done_stay_done_also_if_some_were_taken_to_be() {
        let mut process = Process::default();
        let counted = [(300, 296), (301, 284), (301, 301)].map(|(entered, done)| {
            let (op, counts) = counts(23, CLASS_QUEUED, entered, done);
            process.count(op, counts);
            process.figures(2).ops[0].done
        });
        assert_eq!(counted, [296, 296, 301]);
    }

    #[test]
    fn classes_of_an_op_are_added_up() {
        let rows = [
            counts(23, 0, 10, 0),
            counts(23, CLASS_FORCED, 5, 0),
            counts(23, CLASS_QUEUED | CLASS_HASHED, 8, 7),
            counts(23, CLASS_QUEUED | CLASS_HASHED | CLASS_FORCED, 5, 4),
            counts(3, CLASS_QUEUED, 1, 0),
        ];
        let found = ops(&rows);
        assert_eq!([found[0].op.as_str(), found[1].op.as_str()], ["FSYNC", "WRITE"]);
        let write = &found[1];
        assert_eq!((write.submitted, write.forced, write.queued, write.hashed), (15, 5, 13, 13));
        assert_eq!((write.queued_forced, write.unbounded, write.done), (5, 0, 11));
        let process = Process { ops: rows.to_vec(), ..Process::default() };
        assert_eq!(process.totals(), (15, 14));
        assert_eq!(process.figures(2).in_flight, 3);
    }
}
