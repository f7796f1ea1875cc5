//! Loads and attaches the programs: those on bare trace points where the kernel takes them, else
//! those on events.

use std::path::Path;

use aya::{Ebpf, EbpfLoader};
use iowq_ebpf::trace::{FileRow, OpRow};

use super::bare;
use super::events::{LIVES, QUEUED, SUBMITTED};
use super::options::TraceOptions;
use crate::probes::advice;
use crate::probes::bpf::attach;
use crate::probes::error::ProbeError;
use crate::probes::events::{Offset, offsets};
use crate::probes::tracefs::with_tracefs;

/// Bytes that the tables of ops and files may take at most each, on all CPUs together.
const TABLE_BYTES_MAX: usize = 64 << 20;
/// Ops and files that are counted on a CPU at least, and at most.
const ROWS: (usize, usize) = (512, 8192);
/// Requests in io-wq that are followed at one time.
const FLIGHTS_MAX: u32 = 1 << 17;
/// Size of a ring that is not used: a page on most processors, and any that has smaller ones takes it.
const RING_BYTES_MIN: u32 = 1 << 16;
/// Processes that a trace of some processes may have.
const TRACED_MAX: u32 = 1 << 14;

/// The programs at work.
pub(super) struct Loaded {
    pub(super) programs: Ebpf,
    pub(super) sizes: Sizes,
    /// What cannot be seen, each with the reason.
    pub(super) unseen: Vec<String>,
}

/// Rows of the tables, on all CPUs together.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) ops: u32,
    pub(super) files: u32,
    pub(super) flights: u32,
}

/// Loads the programs and attaches them.
///
/// # Errors
///
/// What this process may not do, and what the kernel refuses of the programs on events.
pub(super) fn load(options: &TraceOptions) -> Result<Loaded, ProbeError> {
    let offsets = if options.on_events { Err("not wanted".to_owned()) } else { bare::offsets() };
    let reason = match offsets {
        Err(reason) => reason,
        Ok(offsets) => {
            advice::check_permission_to_load()?;
            match load_bare(options, &offsets) {
                Ok(loaded) => return Ok(loaded),
                Err(error) => error.to_string(),
            }
        }
    };
    advice::check_permission()?;
    let loading = options.clone();
    let mut loaded = with_tracefs(move |tracefs| load_events(&loading, tracefs))?;
    loaded.unseen.extend([
        format!(
            "which account a worker belongs to, limits that were set, how long requests wait for a \
             worker, and which file a request is about: {reason}"
        ),
        "events while other BPF work is under way on the same processor: likewise".to_owned(),
    ]);
    Ok(loaded)
}

fn load_bare(options: &TraceOptions, offsets: &[Offset]) -> Result<Loaded, ProbeError> {
    let (mut programs, sizes) = open(options, offsets)?;
    let unseen = bare::attach(&mut programs)?;
    Ok(Loaded { programs, sizes, unseen })
}

fn load_events(options: &TraceOptions, tracefs: &Path) -> Result<Loaded, ProbeError> {
    let mut unseen = Vec::new();
    let mut found: Vec<Offset> = Vec::new();
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
    let (mut programs, sizes) = open(options, &found)?;
    // First those that are submitted, or else more would be queued than were.
    let submitted = submitted.map(|(event, _)| event);
    let events = LIVES.iter().chain(submitted).chain(&QUEUED);
    events.into_iter().try_for_each(|event| attach(&mut programs, event))?;
    Ok(Loaded { programs, sizes, unseen })
}

/// Opens the object, with sizes of tables for this machine.
fn open(options: &TraceOptions, offsets: &[Offset]) -> Result<(Ebpf, Sizes), ProbeError> {
    let cpus = u32::try_from(aya::util::nr_cpus().unwrap_or(1)).unwrap_or(1);
    let (ops, files) = (rows(size_of::<OpRow>(), cpus), rows(size_of::<FileRow>(), cpus));
    let sizes = Sizes { ops: ops * cpus, files: files * cpus, flights: FLIGHTS_MAX };
    let some = u32::from(options.some);
    let requests = u32::from(options.requests_ring_bytes > 0);
    let mut loader = EbpfLoader::new();
    loader
        .btf(None)
        .override_global("TRACE_SOME", &some, true)
        .override_global("TRACE_REQUESTS", &requests, true)
        .override_global("OPS_ROWS", &ops, true)
        .override_global("FILES_ROWS", &files, true)
        .override_global("FLIGHTS_ROWS", &sizes.flights, true)
        .map_max_entries("LIVES", options.lives_ring_bytes)
        .map_max_entries("REQUESTS_DONE", options.requests_ring_bytes.max(RING_BYTES_MIN))
        .map_max_entries("TRACED", TRACED_MAX)
        .map_max_entries("OPS", sizes.ops)
        .map_max_entries("FILES", sizes.files)
        .map_max_entries("FLIGHTS", sizes.flights);
    for (global, offset) in offsets {
        loader.override_global(global, offset, true);
    }
    let programs = loader.load(iowq_ebpf::object()).map_err(advice::of_load)?;
    Ok((programs, sizes))
}

/// Rows of a table for each CPU, where one takes this many bytes: a power of two.
fn rows(bytes: usize, cpus: u32) -> u32 {
    let fit = TABLE_BYTES_MAX / bytes / (cpus as usize).max(1);
    let rows = fit.clamp(ROWS.0, ROWS.1);
    1 << rows.ilog2()
}

const _: () = assert!(FLIGHTS_MAX.is_power_of_two());
