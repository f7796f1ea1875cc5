//! The tracer: takes what the programs saw, and makes lines of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use iowq_contract::trace::{
    Account, BirthCause, EndedProcesses, Snapshot, TRACE_SCHEMA, TraceBirth, TraceExit, TraceLine,
    TraceRequest, TraceRing, TraceStart, Way,
};
use iowq_contract::{Tier, clean};
use iowq_ebpf::trace::{
    LIFE_BORN, LIFE_EXITED, LIFE_LIMITS, LIFE_PROCESS, LIFE_RING, LifeEvent, RequestEvent,
};
use iowq_ebpf::{ACCOUNT_BOUNDED, ACCOUNT_UNBOUNDED};
use iowq_harness::clock::{self, Nanos};
use iowq_harness::machine;
use iowq_harness::machine::rights::{Capabilities, Rights};
use iowq_harness::probes::{LIVES_LOST, ProbeError, TraceOptions, TraceSource, UNREADABLE};

use crate::order::{Life, Order};
use crate::process::{Process, way};
use crate::source::{self, Started};
use crate::target::Target;
use crate::{opcode, procfs};

/// Bytes of the ring for births and exits: 58,000 of them.
const LIVES_RING_BYTES: u32 = 4 << 20;
/// Bytes of the ring for requests, if each is recorded: 349,000 of them.
const REQUESTS_RING_BYTES: u32 = 16 << 20;
/// Processes that are over and still listed.
const ENDED_MAX: usize = 64;
/// Workers that are looked at in one go.
const SAMPLE_MAX: usize = 1024;

/// A trace that is under way.
pub struct Tracer {
    probes: Box<dyn TraceSource>,
    tier: Tier,
    /// Why it is not a better one.
    reason: String,
    target: Target,
    start: Nanos,
    /// Processor time that it took to start.
    start_cpu_ns: u64,
    cpus: u32,
    processes: BTreeMap<u32, Process>,
    order: Order,
    /// Processes that are over and of which all events were taken, to be added up.
    over: Vec<u32>,
    /// Processes that are over and that were not known to be targets at the last snapshot.
    left: BTreeSet<u32>,
    requests: Vec<RequestEvent>,
    /// Names of processes that opened a ring or ended just now, or of which something waits: `/proc` may
    /// not have them any more.
    names: HashMap<u32, String>,
    ended: EndedProcesses,
    strange: u64,
    /// Births and exits that were lost, and whether workers may be gone whose exit was.
    lives_lost: u64,
    may_have_vanished: bool,
    tells_waits: bool,
}

impl Tracer {
    /// Starts to trace by BPF programs, with a line for each request if that is wanted.
    ///
    /// # Errors
    ///
    /// Says what is missing and what helps, see [`ProbeError`].
    pub fn start(target: Target, with_requests: bool) -> Result<Tracer, ProbeError> {
        Tracer::start_by(Some(Tier::Bpf), target, with_requests)
    }

    /// Starts to trace by this tier, or by the best that starts.
    ///
    /// # Errors
    ///
    /// As [`Tracer::start`]; without a tier that is asked for, `/proc` is always left.
    pub fn start_by(
        tier: Option<Tier>,
        target: Target,
        with_requests: bool,
    ) -> Result<Tracer, ProbeError> {
        let options = TraceOptions {
            some: target.is_named(),
            on_events: false,
            lives_ring_bytes: LIVES_RING_BYTES,
            requests_ring_bytes: if with_requests { REQUESTS_RING_BYTES } else { 0 },
        };
        let Started { source: mut probes, reason } = source::start(tier, &options)?;
        if let Target::Pid(pid) = target {
            probes.trace(pid)?;
        }
        let mut tracer = Tracer {
            tier: probes.tier(),
            probes,
            reason,
            start: clock::now(),
            start_cpu_ns: clock::process_cpu_ns(),
            cpus: machine::cpus_online(),
            processes: BTreeMap::new(),
            order: Order::default(),
            over: Vec::new(),
            left: BTreeSet::new(),
            requests: Vec::new(),
            names: HashMap::new(),
            ended: EndedProcesses::default(),
            strange: 0,
            lives_lost: 0,
            may_have_vanished: false,
            tells_waits: procfs::tells_waits(),
            target,
        };
        tracer.find_processes();
        Ok(tracer)
    }

    /// Traces this process, too, and its children.
    ///
    /// # Errors
    ///
    /// As [`TraceSource::trace`].
    pub fn trace(&mut self, pid: u32) -> Result<(), ProbeError> {
        self.probes.trace(pid)
    }

    /// Traces this process no longer; its children stay traced.
    pub fn leave(&mut self, pid: u32) {
        self.probes.forget(&[pid]);
    }

    /// The first line.
    #[must_use]
    pub fn first_line(&self, interval: Duration) -> TraceLine {
        let mut unseen = self.probes.unseen();
        if !self.tells_waits {
            unseen.push("whether workers wait for work: /proc/PID/wchan does not tell".to_owned());
        }
        if !Rights::here().effective.has(Capabilities::SYS_PTRACE) {
            unseen.push(
                "rings, files and waits of other users' processes: CAP_SYS_PTRACE is missing"
                    .to_owned(),
            );
        }
        TraceLine::Start(Box::new(TraceStart {
            schema: TRACE_SCHEMA.to_owned(),
            started: clock::wall_clock(),
            target: self.target.to_string(),
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
            tier: self.tier,
            reason: self.reason.clone(),
            unseen,
            caveats: source::caveats(self.tier, &self.reason),
            host: machine::describe("/".as_ref()),
        }))
    }

    /// Time since the start, in ns.
    #[must_use]
    pub fn at_ns(&self) -> u64 {
        clock::now().since(self.start)
    }

    /// Takes births and exits. They come out in the order of time, each as soon as its worker has
    /// said for which account it is.
    pub fn lives(&mut self) -> Vec<TraceLine> {
        // Before the events, so that what comes meanwhile is still told.
        self.over = self.find_over();
        let vanished = if self.may_have_vanished { self.vanished() } else { Vec::new() };
        // A request before the ring that it was for: a process may be known by that alone.
        let requests = &mut self.requests;
        self.strange += self.probes.take_requests(&mut |event| requests.push(event));
        let mut events = Vec::new();
        self.strange += self.probes.take_lives(&mut |event| events.push(event));
        self.names.retain(|pid, _| self.order.has(*pid));
        let named = events.iter().filter(|event| [LIFE_RING, LIFE_PROCESS].contains(&event.kind));
        self.names.extend(named.filter_map(|event| Some((event.tgid, name(event)?))));
        events.into_iter().for_each(|event| self.order.push(event));
        let now = clock::now().0;
        let mut lines = Vec::new();
        while let Some(life) = self.order.pop(now) {
            lines.extend(self.happened(&life));
        }
        if self.may_have_vanished && self.order.is_empty() {
            for (pid, tid) in vanished {
                self.processes.get_mut(&pid).into_iter().for_each(|it| it.workers.vanish(tid));
            }
            self.may_have_vanished = false;
        }
        lines
    }

    /// Workers that are alive by their events, and not there.
    fn vanished(&self) -> Vec<(u32, u32)> {
        let alive = self.processes.iter();
        let alive = alive.flat_map(|(pid, it)| it.workers.tids().map(move |tid| (*pid, tid)));
        alive.filter(|(pid, tid)| !procfs::has_thread(*pid, *tid)).collect()
    }

    /// Requests that were done at the last look at [`Tracer::lives`], if each is recorded.
    pub fn requests(&mut self) -> Vec<TraceLine> {
        let events = std::mem::take(&mut self.requests);
        events.into_iter().filter_map(|event| self.request(&event)).collect()
    }

    fn request(&mut self, event: &RequestEvent) -> Option<TraceLine> {
        let RequestEvent { flight, done_ns, tid, result } = *event;
        let (pid, start) = (flight.op.tgid, self.start);
        let process = self.counted(pid)?;
        Some(TraceLine::Request(TraceRequest {
            pid,
            tid,
            op: opcode::name(flight.op.opcode),
            way: way(flight.op.class),
            file: process.files.name_of_request(pid, &flight),
            queued_ns: Nanos(flight.queued_ns).since(start),
            started_ns: (flight.started_ns > 0).then(|| Nanos(flight.started_ns).since(start)),
            done_ns: Nanos(done_ns).since(start),
            result,
        }))
    }

    /// Looks at rings, whether they are still open, and at workers, whether they wait for work.
    pub fn sample(&mut self) {
        self.probes.measure_cost();
        let at_ns = self.at_ns();
        // What another user's process has open and waits for takes more rights.
        let seen = |(pid, process): &(&u32, &mut Process)| !process.ended && procfs::is_open(**pid);
        let mut left = SAMPLE_MAX;
        for (pid, process) in self.processes.iter_mut().filter(seen) {
            process.look_at_rings(at_ns);
            if !self.tells_waits {
                continue;
            }
            let tids: Vec<_> = process.workers.tids().take(left).collect();
            left -= tids.len();
            for idle in tids.into_iter().filter_map(|tid| procfs::is_idle(*pid, tid)) {
                process.workers.sample(idle);
            }
        }
    }

    /// Figures up to now.
    ///
    /// # Errors
    ///
    /// If the programs' tables cannot be read.
    pub fn snapshot(&mut self) -> Result<Snapshot, ProbeError> {
        let over = std::mem::take(&mut self.over);
        let at_ns = self.at_ns();
        self.processes.values_mut().for_each(|process| process.look_whether_ended(at_ns));
        let mut gone = self.take_counts();
        self.processes.values_mut().filter(|it| !it.ended).for_each(Process::refresh);
        let (cpus, lost) = (self.cpus, self.lost()?);
        let listed = self.processes.values().filter(|process| process.uses_rings());
        let mut snapshot = Snapshot {
            at_ns,
            processes: listed.map(|process| process.figures(cpus)).collect(),
            ended: self.ended,
            lost,
            own_cpu_ns: clock::process_cpu_ns().saturating_sub(self.start_cpu_ns),
            programs_cpu_ns: self.probes.cost_ns(at_ns),
        };
        snapshot
            .processes
            .sort_by_key(|process| std::cmp::Reverse((process.born, process.in_flight)));
        gone.extend(over.into_iter().filter(|pid| self.may_be_added_up(*pid)));
        for pid in &gone {
            self.add_up(*pid);
        }
        if !gone.is_empty() {
            self.probes.forget(&gone);
        }
        Ok(snapshot)
    }

    /// Takes what the tables have. Returns processes that are over, and no targets even after all their
    /// events: what is left of them would fill the tables.
    fn take_counts(&mut self) -> Vec<u32> {
        let mut strangers = BTreeSet::new();
        for (op, counts) in self.probes.ops() {
            let pid = op.tgid;
            if counts.entered == 0 && !self.processes.contains_key(&pid) {
                // Requests that were cancelled after their process was added up, if it is over.
                strangers.insert(pid);
                continue;
            }
            match self.counted(pid) {
                Some(process) => process.count(op, counts),
                None => drop(strangers.insert(pid)),
            }
        }
        for (key, count) in self.probes.files() {
            let pid = key.op.tgid;
            if let Some(process) = self.processes.get_mut(&pid) {
                process.files.count(pid, key, count);
            }
        }
        strangers.retain(|pid| procfs::started(*pid).is_none());
        let left = std::mem::replace(&mut self.left, strangers);
        left.intersection(&self.left).copied().collect()
    }

    fn lost(&mut self) -> Result<BTreeMap<String, u64>, ProbeError> {
        let mut lost: BTreeMap<_, _> = self.probes.lost()?.into_iter().collect();
        *lost.entry(UNREADABLE.to_owned()).or_default() += self.strange;
        let lives_lost = lost.get(LIVES_LOST).copied().unwrap_or_default();
        self.may_have_vanished |= lives_lost > self.lives_lost;
        self.lives_lost = lives_lost;
        lost.retain(|_, count| *count > 0);
        Ok(lost)
    }

    /// Processes that have a ring or a worker already.
    fn find_processes(&mut self) {
        let pids = match self.target {
            Target::Pid(pid) => vec![pid],
            Target::Command(_) => Vec::new(),
            _ => procfs::pids(),
        };
        for pid in pids {
            if self.target.has(pid) {
                let process = Process::find(pid);
                if process.uses_rings() {
                    self.processes.insert(pid, process);
                }
            }
        }
    }

    /// The process of this number to which something happened, if it is a target.
    fn process(&mut self, pid: u32) -> Option<&mut Process> {
        if self.processes.get_mut(&pid).is_some_and(Process::has_successor)
            && let Some(process) = self.add_up(pid)
        {
            let next = process.successor(self.sees_limits(pid), self.at_ns());
            self.processes.insert(pid, next);
        }
        self.counted(pid)
    }

    /// The process of this number that the tables count, if it is a target. One that is over stays the
    /// one until something happens to another.
    fn counted(&mut self, pid: u32) -> Option<&mut Process> {
        if !self.processes.contains_key(&pid) {
            let name = self.names.get(&pid);
            if !self.target.has(pid) && !name.is_some_and(|comm| self.target.has_name(comm)) {
                return None;
            }
            let mut process = Process::seen(pid, self.sees_limits(pid), self.at_ns());
            process.is_named(name.map_or("", String::as_str));
            self.processes.insert(pid, process);
        }
        self.processes.get_mut(&pid)
    }

    /// Whether limits that a process set before could only be missed if its rings could not be looked for.
    fn sees_limits(&self, pid: u32) -> bool {
        self.tier != Tier::Proc && procfs::is_open(pid)
    }

    /// Takes what happened, and returns its line, if it has one.
    fn happened(&mut self, life: &Life) -> Option<TraceLine> {
        let event = &life.event;
        match event.kind {
            LIFE_BORN | LIFE_EXITED => return self.line(life),
            LIFE_RING => {
                let known = |number: u32| (number > 0).then_some(number);
                let (entries, by_tid) = (known(event.account), known(event.by_tid));
                self.process(event.tgid)?.opened(TraceRing { fd: event.tid, entries, by_tid });
            }
            LIFE_LIMITS => self.process(event.tgid)?.set_limits(),
            LIFE_PROCESS => {
                let at_ns = Nanos(event.time_ns).since(self.start);
                self.processes.get_mut(&event.tgid)?.leader_left(at_ns);
            }
            _ => self.strange += 1,
        }
        None
    }

    /// The line of a birth or an exit; none if it is not one of a worker.
    fn line(&mut self, life: &Life) -> Option<TraceLine> {
        let LifeEvent { tgid: pid, tid, by_tid, time_ns, .. } = life.event;
        let at_ns = Nanos(time_ns).since(self.start);
        let tells_causes = self.tier != Tier::Proc;
        let process = self.process(pid)?;
        if life.event.kind == LIFE_EXITED {
            let born_ns = process.workers.exited(tid, at_ns)?.born_ns;
            return Some(TraceLine::Exit(TraceExit { at_ns, pid, tid, born_ns }));
        }
        if life.named.is_some_and(|named| !named.comm.starts_with(b"iou-wrk-")) {
            return None;
        }
        let account = match life.named.map(|named| named.account) {
            Some(ACCOUNT_BOUNDED) => Some(Account::Bounded),
            Some(ACCOUNT_UNBOUNDED) => Some(Account::Unbounded),
            _ => None,
        };
        let cause = (life.event.queued_ns > 0).then(|| BirthCause {
            op: opcode::name(life.event.opcode),
            way: way(life.event.class),
            file: process.files.name_of(pid, life.event.fd),
            paid_ns: time_ns.saturating_sub(life.event.queued_ns),
        });
        let short = cause.as_ref().map_or_else(
            || (None, Way::default(), 0),
            |cause| (Some(cause.op.clone()), cause.way, cause.paid_ns),
        );
        process.workers.born(tid, at_ns, account, Some(short).filter(|_| tells_causes));
        let limit = life.named.map(|named| named.limit).filter(|limit| *limit > 0);
        process.pools.born(by_tid, account, limit, || procfs::thread_comm(pid, by_tid));
        Some(TraceLine::Birth(TraceBirth { at_ns, pid, tid, by_tid, account, cause }))
    }

    /// Processes that are over, but for the last few.
    fn find_over(&self) -> Vec<u32> {
        let ended = self.processes.iter().filter(|(_, process)| process.ended);
        let mut ended: Vec<_> = ended.map(|(pid, process)| (process.ended_ns, *pid)).collect();
        ended.sort_unstable();
        ended.truncate(ended.len().saturating_sub(ENDED_MAX));
        ended.into_iter().map(|(_, pid)| pid).collect()
    }

    /// Whether nothing more will be said of a process, and none has its number now.
    fn may_be_added_up(&self, pid: u32) -> bool {
        let is_over = self.processes.get(&pid).is_some_and(|process| process.ended);
        is_over && !self.order.has(pid) && procfs::started(pid).is_none()
    }

    fn add_up(&mut self, pid: u32) -> Option<Process> {
        let process = self.processes.remove(&pid)?;
        let ((born, exited), (submitted, queued)) = (process.workers.totals(), process.totals());
        self.ended = EndedProcesses {
            count: self.ended.count + u64::from(process.uses_rings()),
            born: self.ended.born + born,
            exited: self.ended.exited + exited,
            submitted: self.ended.submitted + submitted,
            queued: self.ended.queued + queued,
        };
        Some(process)
    }
}

/// The name that an event has of its process, if it is none of a worker.
fn name(event: &LifeEvent) -> Option<String> {
    let name = event.comm.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let is_of_process = !name.is_empty() && !name.starts_with(b"iou-");
    is_of_process.then(|| clean(&String::from_utf8_lossy(name)).into_owned())
}
