//! The tier `bpf`: loads the programs, attaches them, and makes sure that they see anything.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use aya::maps::{HashMap, Map, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::TracePoint;
use aya::{Ebpf, EbpfLoader};
use iowq_ebpf::{
    LOST_THREADS, LOST_UNREADABLE, POOLS_MAX, REQUESTS_MAX, SLOTS_MAX, THREAD_BORN, THREAD_EXITED,
    THREAD_NAMED, ThreadEvent,
};

use super::census::{Census, Counts};
use super::detach::begin_to_detach;
use super::error::ProbeError;
use super::events::{self, Event, LIFE, Offset, REQUESTS, SWITCH, WORK};
use super::layout::Layout;
use super::namespace::Namespace;
use super::threads::{self, Pause, ThreadReader};
use super::tracefs::{self, with_tracefs};
use super::{BlockReader, BpfOptions, Page, Requests, Tracker, advice, raw, starts};
use crate::clock::{self, Nanos};
use crate::sync::{Arc, thread};

/// How long the self test waits for what it did a moment ago.
const SELF_TEST: Duration = Duration::from_secs(5);
/// Name of its thread.
const SELF_TEST_NAME: &str = "iowq-selftest";

/// Threads in a PID namespace whose ids the programs remember: twice as many as there are workers.
const TIDS_MAX: u32 = 2 * SLOTS_MAX as u32;

/// The tables of requests: when they were queued, started and done.
const TABLES: [&str; 3] = ["QUEUED_AT", "STARTED_AT", "DONE_AT"];

/// The programs at work. Dropping it detaches them and leaves nothing behind.
pub struct Bpf {
    // Kept for their links: programs that are dropped are detached.
    programs: Ebpf,
    threads: ThreadReader,
    lost: PerCpuArray<MapData, u64>,
    queued: PerCpuArray<MapData, u64>,
    sched: Option<Sched>,
    requests: Option<Arc<Requests>>,
    unseen: Vec<String>,
}

/// What the scheduler probe shares.
struct Sched {
    page: Arc<Page>,
    tracker: Tracker,
    blocks: Option<RingBuf<MapData>>,
}

/// What a pool shares with the scheduler probe.
pub struct SchedPart {
    /// Its part of the page.
    pub page: Arc<Page>,
    /// Registers its workers.
    pub tracker: Tracker,
    /// Reads its block events.
    pub blocks: BlockReader,
    /// How many slots are its own.
    pub slots: u32,
}

impl Bpf {
    /// Loads and attaches the programs, starts the reader, and sees a thread come and go.
    ///
    /// From here on every thread of this process is counted, and no other. Takes some tens of
    /// milliseconds.
    ///
    /// # Errors
    ///
    /// Says what is missing and what helps, see [`ProbeError`].
    pub fn start(options: &BpfOptions) -> Result<Bpf, ProbeError> {
        check_ring_size(options.threads_ring_bytes)?;
        check_ring_size(options.blocks_ring_bytes)?;
        if options.requests > REQUESTS_MAX {
            return Err(ProbeError::TooManyRequests { requests: options.requests });
        }
        advice::check_permission()?;
        let (namespace, loading) = (Namespace::here(), options.clone());
        let Loaded { mut programs, timed, unseen } =
            with_tracefs(move |tracefs| load(&loading, tracefs, namespace))?;
        let threads = ThreadReader::start(ring(&mut programs, "THREADS")?)
            .map_err(|error| advice::kernel("starting the reader of thread events", &error))?;
        let lost = map(&mut programs, "LOST", PerCpuArray::try_from)?;
        let queued = map(&mut programs, "QUEUED", PerCpuArray::try_from)?;
        let sched = if options.sched { Some(sched(&mut programs, namespace)?) } else { None };
        let requests = match timed {
            false => None,
            true => Some(Arc::new(requests(&mut programs, options.requests)?)),
        };
        let bpf = Bpf { programs, threads, lost, queued, sched, requests, unseen };
        bpf.see_a_thread_come_and_go()?;
        Ok(bpf)
    }

    /// The page shared with the scheduler probe, with [`BpfOptions::sched`].
    #[must_use]
    pub fn page(&self) -> Option<Arc<Page>> {
        self.sched.as_ref().map(|sched| Arc::clone(&sched.page))
    }

    /// Registers workers with the scheduler probe, with [`BpfOptions::sched`].
    #[must_use]
    pub fn tracker(&self) -> Option<Tracker> {
        self.sched.as_ref().map(|sched| sched.tracker.clone())
    }

    /// The reader of block events for a pool that has all slots, with [`BpfOptions::sched`]; once.
    pub fn take_blocks(&mut self) -> Option<BlockReader> {
        self.take_parts(1)?.ok()?.pop().map(|part| part.blocks)
    }

    /// What each of `pools` pools shares with the scheduler probe, all with as many slots, with
    /// [`BpfOptions::sched`]; once. At most [`POOLS_MAX`]. Fails if no file descriptor is left.
    pub fn take_parts(&mut self, pools: usize) -> Option<io::Result<Vec<SchedPart>>> {
        let sched = self.sched.as_mut()?;
        let pools = pools.clamp(1, POOLS_MAX);
        let slots = (SLOTS_MAX / pools) as u32;
        let readers = match BlockReader::several(sched.blocks.take()?, pools, slots) {
            Ok(readers) => readers,
            Err(error) => return Some(Err(error)),
        };
        let part = |(pool, blocks)| {
            let slot_first = slots * pool as u32;
            let page = Arc::new(sched.page.of_pool(pool, slot_first));
            SchedPart {
                tracker: sched.tracker.of_slots_from(page.slot_first()),
                page,
                blocks,
                slots,
            }
        };
        Some(Ok(readers.into_iter().enumerate().map(part).collect()))
    }

    /// The tables of requests, with [`BpfOptions::requests`].
    #[must_use]
    pub fn requests(&self) -> Option<Arc<Requests>> {
        self.requests.clone()
    }

    /// What was wanted and cannot be seen on this kernel, each with the reason.
    #[must_use]
    pub fn unseen(&self) -> &[String] {
        &self.unseen
    }

    /// Births and exits up to now.
    #[must_use]
    pub fn seen_so_far(&self) -> Counts {
        self.threads.look(|events| Counts::of(events))
    }

    /// Reads on until `done` says of the events so far that it is enough, or the deadline has
    /// passed. Returns what `done` said last.
    ///
    /// A thread can be joined a moment before its exit is seen, so a comparison of counts waits
    /// for [`Counts::of`] to have as many exits as births first.
    pub fn drain_until(&self, deadline: Nanos, done: impl FnMut(&[ThreadEvent]) -> bool) -> bool {
        self.threads.drain_until(deadline, done)
    }

    /// Keeps thread events from being read while the answer lives, to see what a full ring does.
    #[must_use]
    pub fn pause(&self) -> Pause<'_> {
        self.threads.pause()
    }

    /// Reads what is left, returns everything, and has the programs detached, which takes a moment more.
    ///
    /// # Errors
    ///
    /// [`ProbeError::Kernel`] if the programs' counters cannot be read, which leaves the rest
    /// without worth.
    pub fn finish(self) -> Result<Census, ProbeError> {
        let Bpf { programs, threads, lost, queued, .. } = self;
        let (events, over, strange) = threads.finish();
        let mut census = Census { events, ..Census::default() };
        sums(&lost, &mut census.lost)?;
        sums(&queued, &mut census.queued)?;
        census.lost[LOST_THREADS as usize] += over;
        census.lost[LOST_UNREADABLE as usize] += strange;
        // Threads that detach are no part of it.
        begin_to_detach(programs);
        Ok(census)
    }

    /// The self test. Afterwards the events of the probes' own threads are forgotten. They are told
    /// by their names: events have the machine's ids, and a thread may know its own by another.
    fn see_a_thread_come_and_go(&self) -> Result<(), ProbeError> {
        let failed = |cause: String| ProbeError::Kernel { what: "the self test".into(), cause };
        let thread = thread::Builder::new()
            .name(SELF_TEST_NAME.into())
            .spawn(|| {})
            .map_err(|error| failed(error.to_string()))?;
        thread.join().map_err(|_| failed("its thread panicked".into()))?;
        let seen = self.drain_until(clock::now().after(SELF_TEST), |events| {
            let exited = |name: &str| {
                let is_it =
                    |it: &&ThreadEvent| it.kind == THREAD_EXITED && it.name() == name.as_bytes();
                events.iter().find(is_it).map(|it| it.tid)
            };
            let born = |tid| events.iter().any(|it| it.kind == THREAD_BORN && it.tid == tid);
            // The loader's thread was there before; its exit must not turn up later, either.
            exited(SELF_TEST_NAME).is_some_and(born) && exited(tracefs::THREAD_NAME).is_some()
        });
        if !seen {
            return Err(ProbeError::Blind);
        }
        let names = [SELF_TEST_NAME, tracefs::THREAD_NAME, threads::THREAD_NAME];
        let is_own = |it: &&ThreadEvent| {
            matches!(it.kind, THREAD_NAMED | THREAD_EXITED)
                && names.iter().any(|name| it.name() == name.as_bytes())
        };
        self.threads.look(|events| {
            let own: Vec<u32> = events.iter().filter(is_own).map(|it| it.tid).collect();
            events.retain(|event| !own.contains(&event.tid));
        });
        Ok(())
    }
}

/// The programs at work.
struct Loaded {
    programs: Ebpf,
    /// Whether they write down when each request was done.
    timed: bool,
    /// What was wanted and stays unseen, each with the reason.
    unseen: Vec<String>,
}

/// Loads the programs and attaches them, with the offsets of this kernel's events.
fn load(options: &BpfOptions, tracefs: &Path, namespace: Namespace) -> Result<Loaded, ProbeError> {
    let layout = Layout::of_kernel();
    let mut offsets: Vec<Offset> = vec![
        ("FIRST_ARGUMENT", starts::first_argument()),
        ("STARTS_SEEN", starts::may_be_seen().into()),
    ];
    // Births and exits are worth having without the requests.
    let mut unseen = Vec::new();
    let mut timed = options.requests > 0;
    if timed {
        match request_offsets(tracefs) {
            Ok(found) => offsets.extend(found),
            Err(error) => unseen.push(untimed(&error)),
        }
        timed = unseen.is_empty();
        match layout.account {
            Ok(found) => offsets.extend(found),
            Err(reason) => unseen
                .push(format!("which account a worker belongs to, where both have work: {reason}")),
        }
    }
    let wanted = |offsets| if options.on_events { Err("not wanted".to_owned()) } else { offsets };
    let bare = wanted(layout.requests);
    offsets.extend(bare.iter().flatten());
    let task_pid = if options.on_events { Err("not wanted".into()) } else { layout.task_pid };
    offsets.push(("TASK_PID", task_pid.clone().unwrap_or_default()));
    for event in LIFE.iter().chain(options.sched.then_some(&SWITCH)) {
        offsets.extend(events::offsets(tracefs, event)?);
    }
    let tgid = std::process::id();
    let wake_bytes = u64::from(options.threads_ring_bytes / 4);
    let mut loader = EbpfLoader::new();
    // The programs are relocated against nothing, so that a kernel without BTF will do.
    loader
        .btf(None)
        .override_global("TGID", &tgid, true)
        .override_global("NAMESPACE_DEV", &namespace.dev, true)
        .override_global("NAMESPACE_INO", &namespace.ino, true)
        .override_global("THREADS_WAKE_BYTES", &wake_bytes, true)
        .map_max_entries("THREADS", options.threads_ring_bytes)
        .map_max_entries("BLOCKS", options.blocks_ring_bytes)
        .map_max_entries("TIDS", if namespace.is_first() { 1 } else { TIDS_MAX })
        // Twice as large as needed, for works whose start goes unseen.
        .map_max_entries("WORKS", 2 * options.requests.max(1));
    for table in TABLES {
        loader.map_max_entries(table, options.requests.max(1));
    }
    for (global, offset) in &offsets {
        loader.override_global(global, offset, true);
    }
    let mut programs = loader.load(iowq_ebpf::object()).map_err(advice::of_load)?;
    for event in &LIFE {
        attach(&mut programs, event)?;
    }
    if options.sched {
        unseen.extend(attach_switches(&mut programs, &task_pid)?);
    }
    if timed {
        match attach_requests(&mut programs, &bare) {
            Ok(also) => unseen.extend(also),
            Err(error) => {
                unseen.push(untimed(&error));
                timed = false;
            }
        }
    }
    if timed {
        unseen.extend(attach_starts(&mut programs, bare.is_ok()).err());
    }
    Ok(Loaded { programs, timed, unseen })
}

/// Attaches the programs that see requests. Returns what they cannot see, if so.
fn attach_requests(
    programs: &mut Ebpf,
    bare: &Result<Vec<Offset>, String>,
) -> Result<Option<String>, ProbeError> {
    let Err(reason) = raw::attach_requests(programs, bare) else { return Ok(None) };
    REQUESTS.iter().try_for_each(|event| attach(programs, event))?;
    Ok(Some(raw::unseen("requests", &reason)))
}

/// Attaches the kprobe that sees requests start, and unless it is `known` where a work's request has
/// its user data, the program that remembers it. Returns what stays unseen, and why.
fn attach_starts(programs: &mut Ebpf, known: bool) -> Result<(), String> {
    starts::attach(programs)?;
    if known { Ok(()) } else { attach(programs, &WORK).map_err(starts::unseen) }
}

/// Attaches the program that sees workers sleep. Returns what it cannot see, if so.
fn attach_switches(
    programs: &mut Ebpf,
    task_pid: &Result<u32, String>,
) -> Result<Option<String>, ProbeError> {
    let Err(reason) = raw::attach_switches(programs, task_pid) else { return Ok(None) };
    attach(programs, &SWITCH)?;
    Ok(Some(raw::unseen("switches", &reason)))
}

/// Where the events of requests have their fields.
fn request_offsets(tracefs: &Path) -> Result<Vec<Offset>, ProbeError> {
    let mut offsets = events::offsets(tracefs, &WORK)?;
    for event in &REQUESTS {
        offsets.extend(events::offsets(tracefs, event)?);
    }
    Ok(offsets)
}

/// What to say if requests cannot be timed.
fn untimed(error: &ProbeError) -> String {
    format!("when requests are queued and done: {error}")
}

pub(super) fn attach(programs: &mut Ebpf, event: &Event) -> Result<(), ProbeError> {
    let missing = || advice::no_such("program", event.program);
    let program = programs.program_mut(event.program).ok_or_else(missing)?;
    let failed = |error| advice::of_program(event.program, error);
    let program: &mut TracePoint = program.try_into().map_err(failed)?;
    program.load().map_err(failed)?;
    program.attach(event.category, event.name).map_err(failed)?;
    Ok(())
}

/// Takes what belongs to the scheduler probe out of the object.
fn sched(programs: &mut Ebpf, namespace: Namespace) -> Result<Sched, ProbeError> {
    let shared = programs.take_map("SHARED");
    let Some(Map::Array(shared)) = shared else { return Err(advice::no_such("map", "SHARED")) };
    let page = Page::map(shared.fd().as_fd())
        .map_err(|error| advice::kernel("mapping the shared page", &error))?;
    let blocks = ring(programs, "BLOCKS")?;
    let slot_of = map(programs, "SLOT_OF", HashMap::try_from)?;
    let tids = match namespace.is_first() {
        true => None,
        false => Some(map(programs, "TIDS", HashMap::try_from)?),
    };
    Ok(Sched { page: Arc::new(page), tracker: Tracker::new(slot_of, tids), blocks: Some(blocks) })
}

/// Maps the tables of requests.
fn requests(programs: &mut Ebpf, slots: u32) -> Result<Requests, ProbeError> {
    let mut table = |name| match programs.take_map(name) {
        Some(Map::Array(table)) => Ok(table),
        _ => Err(advice::no_such("map", name)),
    };
    let [queued, started, done] = TABLES;
    let tables = [table(queued)?, table(started)?, table(done)?];
    Requests::map(tables.each_ref().map(|table| table.fd().as_fd()), slots)
        .map_err(|error| advice::kernel("mapping the tables of requests", &error))
}

/// Sums of counters that each CPU has for itself.
pub(super) fn sums(
    per_cpu: &PerCpuArray<MapData, u64>,
    sums: &mut [u64],
) -> Result<(), ProbeError> {
    for (index, sum) in (0..).zip(sums) {
        let counts = per_cpu
            .get(&index, 0)
            .map_err(|error| advice::kernel("reading the programs' counters", &error))?;
        *sum = counts.iter().sum();
    }
    Ok(())
}

pub(super) fn ring(programs: &mut Ebpf, name: &str) -> Result<RingBuf<MapData>, ProbeError> {
    map(programs, name, RingBuf::try_from)
}

pub(super) fn map<M>(
    programs: &mut Ebpf,
    name: &str,
    convert: impl FnOnce(Map) -> Result<M, MapError>,
) -> Result<M, ProbeError> {
    let map = programs.take_map(name).ok_or_else(|| advice::no_such("map", name))?;
    convert(map).map_err(|error| advice::kernel(&format!("opening the map {name}"), &error))
}

fn check_ring_size(bytes: u32) -> Result<(), ProbeError> {
    let min = u32::try_from(rustix::param::page_size()).unwrap_or(u32::MAX);
    if bytes.is_power_of_two() && bytes >= min {
        return Ok(());
    }
    Err(ProbeError::RingSize { bytes, min })
}
