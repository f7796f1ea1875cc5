//! The tracepoints of the running kernel: their numbers, and where they have their fields.

use std::fs;
use std::path::Path;

use iowq_ebpf::kernel::{CLONE_THREAD, IO_THREAD, MAX_WORKERS};

use super::perf::Wanted;
use crate::probes::error::ProbeError;
use crate::probes::events::{self, Event};
use crate::probes::trace::events::{LIVES, QUEUED, SUBMITTED};

/// An event of the running kernel.
pub(super) struct Found {
    pub(super) event: &'static Event,
    /// Its number, which the kernel chose.
    pub(super) id: u64,
    /// Of its fields, in the order of [`Event::fields`].
    pub(super) offsets: Vec<usize>,
}

/// The events of the running kernel, and what stays unseen.
pub(super) struct AllFound {
    pub(super) lives: Vec<Found>,
    pub(super) requests: Vec<Found>,
    pub(super) unseen: Vec<String>,
}

/// Finds them below `tracefs`.
pub(super) fn find(tracefs: &Path) -> Result<AllFound, ProbeError> {
    let all = |events: &'static [Event]| -> Result<Vec<Found>, ProbeError> {
        events.iter().map(|event| Found::of(tracefs, event)).collect()
    };
    let mut unseen = [
        "which account a worker or a request belongs to, and limits that were set",
        "which file a request is about",
        "how long requests wait for a worker",
    ]
    .map(|what| format!("{what}: only BPF programs see it"))
    .to_vec();
    let mut requests = all(&QUEUED)?;
    match SUBMITTED.iter().find_map(|event| Found::of(tracefs, event).ok()) {
        // First, or else more would be queued than were submitted.
        Some(found) => requests.insert(0, found),
        None => {
            unseen.push(format!("requests that need no worker: no event {}", SUBMITTED[0].title));
        }
    }
    Ok(AllFound { lives: all(&LIVES)?, requests, unseen })
}

impl Found {
    fn of(tracefs: &Path, event: &'static Event) -> Result<Found, ProbeError> {
        let offsets = events::offsets(tracefs, event)?;
        let path = tracefs.join("events").join(event.category).join(event.name).join("id");
        let failed = |cause: String| ProbeError::Kernel {
            what: format!("reading the number of the event {}", event.title),
            cause,
        };
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let id = text.trim().parse().map_err(|_| failed(format!("{text:?} is no number")))?;
        let offsets = offsets.into_iter().map(|(_, offset)| offset as usize).collect();
        Ok(Found { event, id, offsets })
    }
}

/// What to open. Filters spare records that would only be thrown away.
pub(super) fn wanted(found: &[Found], some: bool) -> Vec<Wanted> {
    let filter = |event: &Event| match event.program {
        // Threads of io_uring, and processes, which may be children of traced ones.
        "trace_born" if some => {
            Some(format!("clone_flags == {IO_THREAD:#x} || !(clone_flags & {CLONE_THREAD:#x})"))
        }
        "trace_born" => Some(format!("clone_flags == {IO_THREAD:#x}")),
        "trace_named" => Some("newcomm ~ \"iou-*\"".to_owned()),
        "trace_registered" => Some(format!("opcode == {MAX_WORKERS}")),
        _ => None,
    };
    let wanted = |it: &Found| Wanted { title: it.event.title, id: it.id, filter: filter(it.event) };
    found.iter().map(wanted).collect()
}
