//! The programs of `iowq trace`: loads and attaches them, and reads what they counted.

mod bare;
mod cost;
pub(super) mod events;
mod load;
mod options;
mod records;
mod table;

use std::collections::HashMap as Sums;
use std::os::fd::AsFd as _;

use aya::Ebpf;
use aya::maps::{HashMap, Map, MapData, PerCpuArray, RingBuf};
use iowq_ebpf::trace::{
    CLASS_QUEUED, FileKey, FileRow, Flight, LifeEvent, OpCounts, OpKey, OpRow, RequestEvent,
    TRACE_LOST_CAUSES, TRACE_LOST_LEFT_OUT,
};

use super::bpf::{map, ring, sums};
use super::error::ProbeError;
use super::{advice, ring as records_of};
use crate::machine::rights::Rights;
use cost::Cost;
use load::{Loaded, load};
pub use options::TraceOptions;
use records::Row;
use table::Table;

/// The programs at work. Dropping it detaches them and leaves nothing behind.
pub struct TraceProbes {
    // Also kept for their links: programs that are dropped are detached.
    programs: Ebpf,
    cost: Cost,
    ops: Table<OpRow>,
    files: Table<FileRow>,
    flights: Table<Flight>,
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
        if Rights::here().pid_namespace {
            return Err(ProbeError::PidNamespace);
        }
        let Loaded { mut programs, sizes, unseen } = load(options)?;
        Ok(TraceProbes {
            ops: table(&mut programs, "OPS", sizes.ops)?,
            files: table(&mut programs, "FILES", sizes.files)?,
            flights: table(&mut programs, "FLIGHTS", sizes.flights)?,
            traced: map(&mut programs, "TRACED", HashMap::try_from)?,
            lives: ring(&mut programs, "LIVES")?,
            requests: ring(&mut programs, "REQUESTS_DONE")?,
            lost: map(&mut programs, "TRACE_LOST", PerCpuArray::try_from)?,
            programs,
            cost: Cost::default(),
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
    #[must_use]
    pub fn ops(&self) -> Vec<(OpKey, OpCounts)> {
        let mut sums = Sums::new();
        // First what was queued: of what is submitted meanwhile, more may be seen, but never less.
        for queued in [CLASS_QUEUED, 0] {
            for row in self.ops.taken().filter(|row| row.key.class & CLASS_QUEUED == queued) {
                let counts: &mut OpCounts = sums.entry(row.key).or_insert(OpCounts::ZERO);
                counts.add(&row.counts);
            }
        }
        // What stands behind a request that has not come yet is done, but for a few.
        let settle = |(op, counts): (OpKey, OpCounts)| {
            (op, OpCounts { done: counts.done + counts.pending, pending: 0, ..counts })
        };
        sums.into_iter().map(settle).collect()
    }

    /// Requests that went to io-wq since the start, by file.
    #[must_use]
    pub fn files(&self) -> Vec<(FileKey, u64)> {
        let mut sums = Sums::new();
        self.files.taken().for_each(|row| *sums.entry(row.key).or_insert(0) += row.count);
        sums.into_iter().collect()
    }

    /// Forgets processes that are over, to make room.
    pub fn forget(&mut self, over: &[u32]) {
        // What is gone already needs no removal.
        over.iter().for_each(|tgid| drop(self.traced.remove(tgid)));
        self.ops.free(|row| over.contains(&row.key.tgid));
        self.files.free(|row| over.contains(&row.key.op.tgid));
        self.flights.free(|row| over.contains(&row.op.tgid));
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

    /// Measures what the programs cost: the caller comes a few times a second.
    pub fn measure_cost(&mut self) {
        self.cost.look(&self.programs);
    }

    /// Processor time of the programs in a trace of this length, by what was measured now and then;
    /// `None` if the kernel does not tell, which takes `CAP_SYS_ADMIN`.
    #[must_use]
    pub fn cost_ns(&self, trace_ns: u64) -> Option<u64> {
        self.cost.in_all_ns(trace_ns)
    }

    /// What was lost, by cause: `TRACE_LOST_*` of [`iowq_ebpf::trace`].
    ///
    /// # Errors
    ///
    /// If the counters cannot be read.
    pub fn lost(&self) -> Result<[u64; TRACE_LOST_CAUSES as usize], ProbeError> {
        let mut lost = [0; TRACE_LOST_CAUSES as usize];
        sums(&self.lost, &mut lost)?;
        lost[TRACE_LOST_LEFT_OUT as usize] = cost::left_out(&self.programs);
        Ok(lost)
    }
}

fn table<R: Row>(programs: &mut Ebpf, name: &str, rows: u32) -> Result<Table<R>, ProbeError> {
    let Some(Map::Array(array)) = programs.take_map(name) else {
        return Err(advice::no_such("map", name));
    };
    Table::map(array.fd().as_fd(), rows)
        .map_err(|error| advice::kernel(&format!("mapping the table {name}"), &error))
}
