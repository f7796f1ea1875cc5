//! The tracer: takes what the programs saw, and makes lines of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use iowq_contract::Tier;
use iowq_contract::trace::{
    Account, BirthCause, EndedProcesses, Snapshot, TRACE_SCHEMA, TraceBirth, TraceExit, TraceLine,
    TraceRequest, TraceRing, TraceStart, Way,
};
use iowq_ebpf::trace::{
    LIFE_BORN, LIFE_EXITED, LIFE_LIMITS, LIFE_NAMED, LIFE_PROCESS, LIFE_RING, LifeEvent,
    RequestEvent,
};
use iowq_ebpf::{ACCOUNT_BOUNDED, ACCOUNT_UNBOUNDED};
use iowq_harness::clock::{self, Nanos};
use iowq_harness::machine;
use iowq_harness::machine::rights::{Capabilities, Rights};
use iowq_harness::probes::{ProbeError, TraceOptions, TraceSource, UNREADABLE};

use crate::process::{Process, way};
use crate::source::{self, Started};
use crate::target::Target;
use crate::{opcode, procfs};

/// Bytes of the ring for births and exits: 58,000 of them.
const LIVES_RING_BYTES: u32 = 4 << 20;
/// Bytes of the ring for requests, if each is recorded: 349,000 of them.
const REQUESTS_RING_BYTES: u32 = 16 << 20;
/// How long a birth waits for the worker to name itself.
const NAMING_NS_MAX: u64 = 1_000_000_000;
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
    /// Births whose worker has not named itself yet, and what came after them.
    waiting: VecDeque<Life>,
    ended: EndedProcesses,
    strange: u64,
    tells_waits: bool,
}

/// A birth or an exit.
struct Life {
    event: LifeEvent,
    /// What the worker said of itself when it gave itself its name.
    named: Option<LifeEvent>,
    settled: bool,
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
            waiting: VecDeque::new(),
            ended: EndedProcesses::default(),
            strange: 0,
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
        let mut events = Vec::new();
        self.strange += self.probes.take_lives(&mut |event| events.push(event));
        events.into_iter().for_each(|event| self.take(event));
        let now = clock::now().0;
        let mut lines = Vec::new();
        while let Some(life) = self.waiting.front() {
            if !life.settled && now.saturating_sub(life.event.time_ns) < NAMING_NS_MAX {
                break;
            }
            let Some(life) = self.waiting.pop_front() else { break };
            lines.extend(self.line(&life));
        }
        lines
    }

    /// Takes requests that are done, if each is recorded.
    pub fn requests(&mut self) -> Vec<TraceLine> {
        let mut events = Vec::new();
        self.strange += self.probes.take_requests(&mut |event| events.push(event));
        events.into_iter().filter_map(|event| self.request(&event)).collect()
    }

    fn request(&mut self, event: &RequestEvent) -> Option<TraceLine> {
        let RequestEvent { flight, done_ns, tid, result } = *event;
        let (pid, start) = (flight.op.tgid, self.start);
        let process = self.process(pid)?;
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
        for (op, counts) in self.probes.ops() {
            if let Some(process) = self.process(op.tgid) {
                process.count(op, counts);
            }
        }
        for (key, count) in self.probes.files() {
            if let Some(process) = self.process(key.op.tgid) {
                process.files.count(key.op.tgid, key, count);
            }
        }
        let at_ns = self.at_ns();
        for (pid, process) in &mut self.processes {
            process.ended |= !procfs::is_there(*pid);
            if !process.ended {
                process.refresh();
            }
        }
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
        self.forget_ended();
        Ok(snapshot)
    }

    fn lost(&mut self) -> Result<BTreeMap<String, u64>, ProbeError> {
        let mut lost: BTreeMap<_, _> = self.probes.lost()?.into_iter().collect();
        *lost.entry(UNREADABLE.to_owned()).or_default() += self.strange;
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

    /// The process of this number, if it is a target.
    fn process(&mut self, pid: u32) -> Option<&mut Process> {
        // Its number is another's now.
        if self.processes.get(&pid).is_some_and(|it| it.ended) && procfs::is_there(pid) {
            self.add_up(pid);
        }
        if !self.processes.contains_key(&pid) {
            if !self.target.has(pid) {
                return None;
            }
            // Limits that it set before could only be missed if its rings could not be looked for.
            let sees_limits = self.tier != Tier::Proc && procfs::is_open(pid);
            let process = Process::seen(pid, sees_limits);
            self.processes.insert(pid, process);
        }
        self.processes.get_mut(&pid)
    }

    fn take(&mut self, event: LifeEvent) {
        match event.kind {
            LIFE_BORN | LIFE_EXITED => {
                let settled = event.kind == LIFE_EXITED;
                if settled {
                    // A worker that is gone will not name itself any more.
                    self.settle(&event, None);
                }
                self.waiting.push_back(Life { event, named: None, settled });
            }
            LIFE_NAMED => self.settle(&event, Some(event)),
            LIFE_RING => {
                if let Some(process) = self.process(event.tgid) {
                    let known = |number: u32| (number > 0).then_some(number);
                    let (entries, by_tid) = (known(event.account), known(event.by_tid));
                    process.opened(TraceRing { fd: event.tid, entries, by_tid });
                }
            }
            LIFE_LIMITS => {
                if let Some(process) = self.process(event.tgid) {
                    process.set_limits();
                }
            }
            LIFE_PROCESS => {
                if let Some(process) = self.processes.get_mut(&event.tgid) {
                    process.ended |= !procfs::is_there(event.tgid);
                }
            }
            _ => self.strange += 1,
        }
    }

    fn settle(&mut self, event: &LifeEvent, named: Option<LifeEvent>) {
        let birth = self.waiting.iter_mut().rev().find(|life| {
            !life.settled && life.event.tid == event.tid && life.event.tgid == event.tgid
        });
        if let Some(life) = birth {
            (life.settled, life.named) = (true, named);
        }
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

    /// Adds up processes that are over, but for the last few, and makes room in the tables.
    fn forget_ended(&mut self) {
        let ended: Vec<u32> =
            self.processes.iter().filter(|(_, it)| it.ended).map(|(pid, _)| *pid).collect();
        let over = &ended[..ended.len().saturating_sub(ENDED_MAX)];
        if !over.is_empty() {
            self.probes.forget(over);
            over.iter().for_each(|pid| self.add_up(*pid));
        }
    }

    fn add_up(&mut self, pid: u32) {
        let Some(process) = self.processes.remove(&pid) else { return };
        let ((born, exited), (submitted, queued)) = (process.workers.totals(), process.totals());
        self.ended = EndedProcesses {
            count: self.ended.count + u64::from(process.uses_rings()),
            born: self.ended.born + born,
            exited: self.ended.exited + exited,
            submitted: self.ended.submitted + submitted,
            queued: self.ended.queued + queued,
        };
    }
}
