//! Perf events on tracepoints: open on each processor, several of them with one ring.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::AsRawFd as _;

use perf_event::events::Tracepoint;
use perf_event::{Builder, Clock, Counter, ReadFormat, SampleFlag, Sampler};
use perf_event_open_sys::bindings::{
    __IncompleteArrayField, PERF_RECORD_SAMPLE, perf_event_query_bpf,
};
use perf_event_open_sys::ioctls;

use crate::probes::advice;
use crate::probes::error::ProbeError;

/// The least that a ring may shrink to if its memory may not be locked.
const RING_BYTES_MIN: usize = 1 << 16;

/// An event to open.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) title: &'static str,
    pub(super) id: u64,
    /// What the kernel is to record of it, in the language of tracefs' `filter`.
    pub(super) filter: Option<String>,
}

/// All rings of all processors.
pub(super) struct Opened {
    rings: Vec<Ring>,
}

impl Opened {
    /// Opens each group of events with a ring of its own on each processor. The rings are smaller than
    /// wanted, down to a limit, if this process may not lock as much memory.
    pub(super) fn open(
        cpus: &[u32],
        groups: &[Vec<Wanted>],
        bytes: &[usize],
    ) -> Result<Opened, ProbeError> {
        let mut shrink = 0;
        loop {
            // The largest first: births are few, and to miss one is worse.
            let most = (bytes.iter().copied().max().unwrap_or(0) >> shrink).max(RING_BYTES_MIN);
            let sizes: Vec<_> = bytes.iter().map(|bytes| *bytes.min(&most)).collect();
            let can_shrink = most > RING_BYTES_MIN;
            match open_all(cpus, groups, &sizes) {
                Ok(rings) => return Ok(Opened { rings }),
                Err(Failed::Ring(_)) if can_shrink => shrink += 1,
                Err(Failed::Ring(error)) => {
                    return Err(advice::of_ring("mapping a ring for tracepoints", error));
                }
                Err(Failed::Event(title, error)) => {
                    return Err(advice::of_perf(&format!("opening the event {title}"), error));
                }
            }
        }
    }

    /// Passes on all records that there are, those of a ring in order, until the answer is false: that
    /// record and those after it in its ring stay. Of a processor, what is in a later group is read
    /// after what is in an earlier one.
    pub(super) fn take(&mut self, mut take: impl FnMut(&[u8]) -> bool) {
        self.rings.iter_mut().for_each(|ring| ring.take(&mut take));
    }

    /// Whether BPF programs sit on any of the events. The kernel records nothing of an event for which
    /// such a program returns 0, and many do.
    pub(super) fn has_programs(&self) -> bool {
        // An event's programs are the same on all processors.
        let first = self.rings.first().map(|ring| ring.cpu);
        let mut rings = self.rings.iter().filter(|ring| Some(ring.cpu) == first);
        rings.any(Ring::has_programs)
    }

    /// Records that found no room, by event.
    pub(super) fn lost(&mut self) -> io::Result<BTreeMap<&'static str, u64>> {
        let mut lost = BTreeMap::new();
        for ring in &mut self.rings {
            ring.add_lost(&mut lost)?;
        }
        Ok(lost)
    }
}

/// What could not be had.
enum Failed {
    Event(&'static str, io::Error),
    Ring(io::Error),
}

fn open_all(cpus: &[u32], groups: &[Vec<Wanted>], bytes: &[usize]) -> Result<Vec<Ring>, Failed> {
    let mut rings = Vec::new();
    for cpu in cpus {
        for (events, bytes) in groups.iter().zip(bytes) {
            rings.extend(Ring::open(*cpu, events, *bytes)?);
        }
    }
    // Only now, so that no event is missed on one processor that is seen on another.
    rings.iter_mut().try_for_each(Ring::enable)?;
    Ok(rings)
}

/// Events of one processor, with the ring of the first.
struct Ring {
    cpu: u32,
    first: (&'static str, Sampler),
    others: Vec<(&'static str, Counter)>,
}

impl Ring {
    /// Opens events; none if there are none.
    fn open(cpu: u32, events: &[Wanted], bytes: usize) -> Result<Option<Ring>, Failed> {
        let Some((first, others)) = events.split_first() else { return Ok(None) };
        let sampler = open(cpu, first)?.sampled(bytes).map_err(Failed::Ring)?;
        let with_ring = |event: &Wanted| {
            let counter = open(cpu, event)?;
            // SAFETY: both descriptors are open.
            let result = unsafe { ioctls::SET_OUTPUT(counter.as_raw_fd(), sampler.as_raw_fd()) };
            checked(result).map_err(|error| Failed::Event(event.title, error))?;
            Ok((event.title, counter))
        };
        let others = others.iter().map(with_ring).collect::<Result<_, _>>()?;
        Ok(Some(Ring { cpu, first: (first.title, sampler), others }))
    }

    fn enable(&mut self) -> Result<(), Failed> {
        let (title, sampler) = &mut self.first;
        sampler.enable().map_err(|error| Failed::Event(title, error))?;
        self.others.iter_mut().try_for_each(|(title, counter)| {
            counter.enable().map_err(|error| Failed::Event(title, error))
        })
    }

    fn take(&mut self, take: &mut impl FnMut(&[u8]) -> bool) {
        while let Some(record) = self.first.1.next_record() {
            // What says how many were lost comes late, and is not by event: see `add_lost`.
            if record.ty() == PERF_RECORD_SAMPLE && !take(&record.to_contiguous()) {
                // Dropped, it would be taken as read.
                std::mem::forget(record);
                return;
            }
        }
    }

    fn has_programs(&self) -> bool {
        let others = self.others.iter().map(|(_, counter)| counter.as_raw_fd());
        let mut all = std::iter::once(self.first.1.as_raw_fd()).chain(others);
        all.any(|descriptor| {
            let mut query = perf_event_query_bpf {
                ids_len: 0,
                prog_cnt: 0,
                ids: __IncompleteArrayField::new(),
            };
            // SAFETY: the descriptor is open, and there is room for as many ids as it is told: none.
            let result = unsafe { ioctls::QUERY_BPF(descriptor, &raw mut query) };
            result == 0 && query.prog_cnt > 0
        })
    }

    fn add_lost(&mut self, lost: &mut BTreeMap<&'static str, u64>) -> io::Result<()> {
        let first = (self.first.0, &mut *self.first.1);
        let others = self.others.iter_mut().map(|(title, counter)| (*title, counter));
        for (title, counter) in std::iter::once(first).chain(others) {
            *lost.entry(title).or_default() += counter.read_full()?.lost().unwrap_or_default();
        }
        Ok(())
    }
}

/// Opens an event for all processes of a processor; it is still off.
fn open(cpu: u32, event: &Wanted) -> Result<Counter, Failed> {
    let failed = |error| Failed::Event(event.title, error);
    let counter = Builder::new(Tracepoint::with_id(event.id))
        .any_pid()
        .one_cpu(cpu as usize)
        .include_kernel()
        .include_hv()
        .sample(SampleFlag::TID | SampleFlag::TIME | SampleFlag::CPU | SampleFlag::RAW)
        .sample_period(1)
        // The clock that the BPF programs read.
        .clockid(Clock::MONOTONIC)
        // By event and at any time, since Linux 6.0.
        .read_format(ReadFormat::LOST)
        .build()
        .map_err(failed)?;
    if let Some(filter) = event.filter.as_deref().and_then(|filter| CString::new(filter).ok()) {
        // SAFETY: the descriptor is open, and the kernel copies the text.
        let result = unsafe { ioctls::SET_FILTER(counter.as_raw_fd(), filter.as_ptr().cast_mut()) };
        checked(result).map_err(failed)?;
    }
    Ok(counter)
}

fn checked(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
