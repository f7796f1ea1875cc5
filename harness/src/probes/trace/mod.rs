//! The programs of `iowq trace`: loads and attaches them, and reads what they counted.

mod events;
mod records;

use std::path::Path;

use aya::maps::{HashMap, MapData, PerCpuArray, PerCpuHashMap, RingBuf};
use aya::{Ebpf, EbpfLoader};
use iowq_ebpf::trace::{FileKey, LifeEvent, OpCounts, OpKey, RequestEvent, TRACE_LOST_CAUSES};

use super::bpf::{attach, map, ring, sums};
use super::error::ProbeError;
use super::events::{Event, Offset, offsets};
use super::layout::{self, Layout};
use super::tracefs::with_tracefs;
use super::{advice, ring as records_of};
use crate::machine::rights::Rights;
use events::{LIVES, QUEUED, SUBMITTED};
use records::{Counts, File, InFlight, Op};

/// Bytes that the tables of ops and files may take at most, on all CPUs together.
const TABLES_BYTES_MAX: usize = 64 << 20;
/// Ops and files that are counted at least, and at most.
const ENTRIES: (usize, usize) = (512, 8192);
/// Size of a ring that is not used: a page on most processors, and any that has smaller ones takes it.
const RING_BYTES_MIN: u32 = 1 << 16;
/// Requests in io-wq that are followed at one time.
const FLIGHTS_MAX: u32 = 1 << 17;
/// Processes that a trace of some processes may have.
const TRACED_MAX: u32 = 1 << 14;

/// What to trace, and how much room there is for what is seen.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// Whether only processes are traced that [`TraceProbes::trace`] names, and their children.
    pub some: bool,
    /// Size of the ring for births and exits, in bytes: a power of two, a page at least. An event
    /// takes 72.
    pub lives_ring_bytes: u32,
    /// Size of the ring for requests that are done, likewise; 0 if they are not to be recorded one by
    /// one. A request takes 48.
    pub requests_ring_bytes: u32,
}

/// The programs at work. Dropping it detaches them and leaves nothing behind.
pub struct TraceProbes {
    // Kept for their links: programs that are dropped are detached.
    _programs: Ebpf,
    ops: PerCpuHashMap<MapData, Op, Counts>,
    files: PerCpuHashMap<MapData, File, u64>,
    flights: HashMap<MapData, u64, InFlight>,
    traced: HashMap<MapData, u32, u8>,
    lives: RingBuf<MapData>,
    requests: RingBuf<MapData>,
    lost: PerCpuArray<MapData, u64>,
    unseen: Vec<String>,
}

impl TraceProbes {
    /// Loads and attaches the programs.
    ///
    /// # Errors
    ///
    /// Says what is missing and what helps, see [`ProbeError`].
    pub fn start(options: &TraceOptions) -> Result<TraceProbes, ProbeError> {
        advice::check_permission()?;
        if Rights::here().pid_namespace {
            return Err(ProbeError::PidNamespace);
        }
        let loading = options.clone();
        let (mut programs, unseen) = with_tracefs(move |tracefs| load(&loading, tracefs))?;
        Ok(TraceProbes {
            ops: map(&mut programs, "OPS", PerCpuHashMap::try_from)?,
            files: map(&mut programs, "FILES", PerCpuHashMap::try_from)?,
            flights: map(&mut programs, "FLIGHTS", HashMap::try_from)?,
            traced: map(&mut programs, "TRACED", HashMap::try_from)?,
            lives: ring(&mut programs, "LIVES")?,
            requests: ring(&mut programs, "REQUESTS_DONE")?,
            lost: map(&mut programs, "TRACE_LOST", PerCpuArray::try_from)?,
            _programs: programs,
            unseen,
        })
    }

    /// What cannot be seen on this kernel, each with the reason.
    #[must_use]
    pub fn unseen(&self) -> &[String] {
        &self.unseen
    }

    /// Traces a process from here on.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub fn trace(&mut self, tgid: u32) -> Result<(), ProbeError> {
        let inserted = self.traced.insert(tgid, 1, 0);
        inserted.map_err(|error| advice::kernel("tracing one more process", &error))
    }

    /// Counts of all ops since the start.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    pub fn ops(&self) -> Result<Vec<(OpKey, OpCounts)>, ProbeError> {
        let rows = self.ops.iter().map(|row| {
            let (op, per_cpu) = row.map_err(|error| advice::kernel("reading the ops", &error))?;
            Ok((op.0, per_cpu.iter().fold(OpCounts::ZERO, |sum, counts| added(sum, &counts.0))))
        });
        rows.collect()
    }

    /// Requests that went to io-wq since the start, by file.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    pub fn files(&self) -> Result<Vec<(FileKey, u64)>, ProbeError> {
        let rows = self.files.iter().map(|row| {
            let (file, per_cpu) =
                row.map_err(|error| advice::kernel("reading the files", &error))?;
            Ok((file.0, per_cpu.iter().sum()))
        });
        rows.collect()
    }

    /// Forgets a process that is over, to make room.
    pub fn forget(&mut self, tgid: u32) {
        // What is gone already needs no removal.
        let _ = self.traced.remove(&tgid);
        let ops: Vec<_> = self.ops.keys().flatten().filter(|op| op.0.tgid == tgid).collect();
        ops.iter().for_each(|op| drop(self.ops.remove(op)));
        let files: Vec<_> =
            self.files.keys().flatten().filter(|file| file.0.op.tgid == tgid).collect();
        files.iter().for_each(|file| drop(self.files.remove(file)));
        let flights: Vec<_> = self.flights.iter().flatten().collect();
        let of_it = flights.iter().filter(|(_, flight)| flight.0.op.tgid == tgid);
        of_it.for_each(|(request, _)| drop(self.flights.remove(request)));
    }

    /// Passes on births and exits, oldest first. Nothing tells that there are any, so that a birth
    /// costs no wake-up: the caller comes often enough. Returns how many could not be understood.
    pub fn take_lives(&mut self, take: impl FnMut(LifeEvent)) -> u64 {
        records_of::take_all(&mut self.lives, take)
    }

    /// Passes on requests that are done, in the order in which they were. Returns how many could not be
    /// understood.
    pub fn take_requests(&mut self, take: impl FnMut(RequestEvent)) -> u64 {
        records_of::take_all(&mut self.requests, take)
    }

    /// What was lost, by cause: `TRACE_LOST_*` of [`iowq_ebpf::trace`].
    ///
    /// # Errors
    ///
    /// If the counters cannot be read.
    pub fn lost(&self) -> Result<[u64; TRACE_LOST_CAUSES as usize], ProbeError> {
        let mut lost = [0; TRACE_LOST_CAUSES as usize];
        sums(&self.lost, &mut lost)?;
        Ok(lost)
    }
}

/// Adds the counts of one more CPU.
fn added(mut sum: OpCounts, more: &OpCounts) -> OpCounts {
    sum.entered += more.entered;
    sum.done += more.done;
    sum.failed += more.failed;
    sum.time_ns_sum += more.time_ns_sum;
    sum.time_ns_max = sum.time_ns_max.max(more.time_ns_max);
    sum.buckets.iter_mut().zip(more.buckets).for_each(|(sum, more)| *sum += more);
    sum
}

/// Entries of a table that has this many bytes in each, on every CPU.
fn entries(bytes: usize, cpus: usize) -> u32 {
    let fit = TABLES_BYTES_MAX / bytes / cpus.max(1);
    u32::try_from(fit.clamp(ENTRIES.0, ENTRIES.1)).unwrap_or(u32::MAX)
}

/// Loads the programs and attaches them, with the offsets of this kernel's events. Returns what
/// stays unseen, too.
fn load(options: &TraceOptions, tracefs: &Path) -> Result<(Ebpf, Vec<String>), ProbeError> {
    let cpus = aya::util::nr_cpus().map_or(1, |cpus| cpus);
    let mut unseen = Vec::new();
    let mut found: Vec<Offset> = Vec::new();
    match Layout::of_kernel().account {
        Ok(account) => found.extend(account),
        Err(reason) => unseen.push(format!("which account a worker belongs to: {reason}")),
    }
    match layout::request_fd() {
        Ok(offset) => found.push(("REQ_FD", offset)),
        Err(reason) => unseen.push(format!("which file a request is about: {reason}")),
    }
    for event in LIVES.iter().chain(&QUEUED) {
        found.extend(offsets(tracefs, event)?);
    }
    let submitted = SUBMITTED.iter().find_map(|it| Some((it, offsets(tracefs, it).ok()?)));
    match &submitted {
        Some((_, offsets)) => found.extend(offsets),
        None => {
            unseen.push(format!("requests that need no worker: no event {}", SUBMITTED[0].title));
        }
    }
    let some = u32::from(options.some);
    let requests = u32::from(options.requests_ring_bytes > 0);
    let mut loader = EbpfLoader::new();
    loader
        .btf(None)
        .override_global("TRACE_SOME", &some, true)
        .override_global("TRACE_REQUESTS", &requests, true)
        .map_max_entries("LIVES", options.lives_ring_bytes)
        .map_max_entries("REQUESTS_DONE", options.requests_ring_bytes.max(RING_BYTES_MIN))
        .map_max_entries("TRACED", TRACED_MAX)
        .map_max_entries("OPS", entries(size_of::<OpCounts>(), cpus))
        .map_max_entries("FILES", entries(size_of::<u64>(), cpus))
        .map_max_entries("FLIGHTS", FLIGHTS_MAX);
    for (global, offset) in &found {
        loader.override_global(global, offset, true);
    }
    let mut programs = loader.load(iowq_ebpf::object()).map_err(advice::of_load)?;
    let events = LIVES.iter().chain(&QUEUED).chain(submitted.map(|(event, _)| event));
    events.into_iter().try_for_each(|event: &Event| attach(&mut programs, event))?;
    Ok((programs, unseen))
}
