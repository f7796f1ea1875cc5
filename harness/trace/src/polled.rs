//! The tier `proc` of a trace: looks at `/proc` again and again, which takes no rights for one's own
//! processes.
//!
//! What is born and gone between two looks goes unseen, and so do requests. Processes that use no ring
//! as far as is known are looked at in turn, so that a look costs little; and the time between two
//! looks grows with what a look takes.

use std::collections::{BTreeMap, BTreeSet};

use iowq_contract::Tier;
use iowq_ebpf::trace::{
    FileKey, LIFE_BORN, LIFE_EXITED, LIFE_NAMED, LIFE_PROCESS, LIFE_RING, LifeEvent, OpCounts,
    OpKey, RequestEvent,
};
use iowq_harness::clock::{self, Nanos};
use iowq_harness::probes::{ProbeError, TraceSource};

use crate::procfs;

/// Of the processes that use no ring, one in as many is looked at each time; and the rings of those that
/// use some.
const TURNS: u32 = 10;
/// A look is followed by a pause that is as many times as long, at least.
const PAUSES_PER_LOOK: u64 = 9;
/// After this time a thread is taken to keep its name: a worker begins with its creator's, until it
/// runs.
const NAMING_NS_MAX: u64 = 1_000_000_000;

/// What the looks found.
pub(crate) struct Polled {
    /// Processes to trace, if not all.
    traced: Option<BTreeSet<u32>>,
    /// Processes whose parents are known.
    seen: BTreeSet<u32>,
    known: BTreeMap<u32, Known>,
    turn: u32,
    next: Nanos,
    /// What was found beside a look that was asked for.
    found: Vec<LifeEvent>,
}

/// A process.
#[derive(Debug, Default)]
struct Known {
    threads: BTreeMap<u32, Thread>,
    rings: BTreeSet<u32>,
}

/// A thread of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thread {
    Worker,
    /// It has another name, and was there first at this time.
    Other(Nanos),
}

impl Polled {
    /// Takes a first look, at what is there already.
    pub(crate) fn start(some: bool) -> Polled {
        let mut polled = Polled {
            traced: some.then(BTreeSet::new),
            seen: BTreeSet::new(),
            known: BTreeMap::new(),
            turn: 0,
            next: clock::now(),
            found: Vec::new(),
        };
        for pid in polled.pids() {
            polled.known.insert(pid, Known::of(pid));
        }
        polled
    }

    /// Processes to look at. Children of traced ones are traced, too.
    fn pids(&mut self) -> BTreeSet<u32> {
        let pids: BTreeSet<u32> = procfs::pids().into_iter().collect();
        let Some(traced) = &mut self.traced else { return pids };
        self.seen.retain(|pid| pids.contains(pid));
        let mut new: Vec<u32> = pids.difference(&self.seen).copied().collect();
        self.seen.extend(&new);
        // Until a pass finds none, because a child may have a lower number than its parent.
        loop {
            let before = new.len();
            new.retain(|pid| {
                let is_child = procfs::parent(*pid).is_some_and(|parent| traced.contains(&parent));
                if is_child {
                    traced.insert(*pid);
                }
                !is_child
            });
            if new.len() == before {
                break;
            }
        }
        traced.iter().copied().filter(|pid| pids.contains(pid)).collect()
    }

    fn look(&mut self) {
        let now = clock::now();
        self.turn = (self.turn + 1) % TURNS;
        let pids = self.pids();
        let gone: Vec<u32> = self.known.keys().copied().filter(|pid| !pids.contains(pid)).collect();
        for pid in gone {
            let known = self.known.remove(&pid).unwrap_or_default();
            let workers = known.workers().into_iter();
            self.found.extend(workers.map(|tid| LifeEvent::of(LIFE_EXITED, now.0, pid, tid)));
            self.found.push(LifeEvent::of(LIFE_PROCESS, now.0, pid, pid));
        }
        for pid in pids {
            let is_new = !self.known.contains_key(&pid);
            let known = self.known.entry(pid).or_default();
            let its_turn = is_new || self.traced.is_some() || pid % TURNS == self.turn;
            if its_turn {
                known.look_at_rings(pid, now, &mut self.found);
            }
            if its_turn || known.uses_rings() {
                known.look_at_threads(pid, now, &mut self.found);
            }
        }
        let took_ns = clock::now().since(now);
        self.next = Nanos(clock::now().0 + took_ns * PAUSES_PER_LOOK);
    }
}

impl Known {
    /// A process as it is.
    fn of(pid: u32) -> Known {
        let mut known = Known::default();
        // Births before the first look are nobody's to count.
        let (now, mut before) = (clock::now(), Vec::new());
        known.look_at_rings(pid, now, &mut before);
        known.look_at_threads(pid, now, &mut before);
        known
    }

    fn uses_rings(&self) -> bool {
        !self.rings.is_empty() || self.threads.values().any(|thread| *thread == Thread::Worker)
    }

    fn workers(&self) -> Vec<u32> {
        let workers = self.threads.iter().filter(|(_, thread)| **thread == Thread::Worker);
        workers.map(|(tid, _)| *tid).collect()
    }

    fn look_at_rings(&mut self, pid: u32, now: Nanos, found: &mut Vec<LifeEvent>) {
        let rings: BTreeSet<u32> = procfs::rings(pid).into_iter().collect();
        for fd in rings.difference(&self.rings) {
            let account = procfs::ring_entries(pid, *fd).unwrap_or_default();
            // Who created it is not seen.
            found.push(LifeEvent {
                account,
                by_tid: 0,
                ..LifeEvent::of(LIFE_RING, now.0, pid, *fd)
            });
        }
        self.rings = rings;
    }

    fn look_at_threads(&mut self, pid: u32, now: Nanos, found: &mut Vec<LifeEvent>) {
        let tids: BTreeSet<u32> = procfs::threads(pid).into_iter().collect();
        let gone = self.workers().into_iter().filter(|tid| !tids.contains(tid));
        found.extend(gone.map(|tid| LifeEvent::of(LIFE_EXITED, now.0, pid, tid)));
        self.threads.retain(|tid, _| tids.contains(tid));
        for &tid in &tids {
            let thread = self.threads.entry(tid).or_insert(Thread::Other(now));
            let Thread::Other(first) = *thread else { continue };
            if now.since(first) > NAMING_NS_MAX {
                continue;
            }
            let Some(name) = procfs::worker_name(pid, tid) else { continue };
            *thread = Thread::Worker;
            let mut born = LifeEvent::of(LIFE_BORN, now.0, pid, tid);
            // Its name ends with the thread that it works for, by the machine's number.
            let by_tid = name.rsplit('-').next().and_then(|it| it.parse().ok());
            born.by_tid = by_tid.filter(|it| tids.contains(it)).unwrap_or(pid);
            found.push(born);
            let mut named = LifeEvent { kind: LIFE_NAMED, ..born };
            named.comm.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
            found.push(named);
        }
    }
}

impl TraceSource for Polled {
    fn tier(&self) -> Tier {
        Tier::Proc
    }

    fn unseen(&self) -> Vec<String> {
        ["requests, their files, and what workers are born for", "accounts of workers"]
            .map(|what| format!("{what}: /proc does not show them"))
            .to_vec()
    }

    fn trace(&mut self, tgid: u32) -> Result<(), ProbeError> {
        if let Some(traced) = &mut self.traced
            && traced.insert(tgid)
        {
            // It may have children already.
            self.seen.clear();
            self.known.insert(tgid, Known::of(tgid));
        }
        Ok(())
    }

    fn forget(&mut self, over: &[u32]) {
        // Their children are known by then.
        self.look();
        if let Some(traced) = &mut self.traced {
            traced.retain(|tgid| !over.contains(tgid));
            self.known.retain(|tgid, _| !over.contains(tgid));
        }
    }

    fn ops(&mut self) -> Vec<(OpKey, OpCounts)> {
        Vec::new()
    }

    fn files(&mut self) -> Vec<(FileKey, u64)> {
        Vec::new()
    }

    fn take_lives(&mut self, take: &mut dyn FnMut(LifeEvent)) -> u64 {
        if clock::now() >= self.next {
            self.look();
        }
        self.found.drain(..).for_each(take);
        0
    }

    fn take_requests(&mut self, _: &mut dyn FnMut(RequestEvent)) -> u64 {
        0
    }

    fn lost(&mut self) -> Result<Vec<(String, u64)>, ProbeError> {
        Ok(Vec::new())
    }
}
