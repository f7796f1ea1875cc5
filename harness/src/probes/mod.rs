//! What watches a run from outside: BPF programs on trace events of the kernel.
//!
//! They count the births, names and exits of this process's threads, and with
//! [`BpfOptions::sched`] they know when a worker falls asleep over its work, as io-wq itself
//! does. With [`BpfOptions::requests`] they write down when io-wq had each request of an io_uring.
//! Whatever could not be recorded is counted by cause and reported in the [`Census`].

mod advice;
mod blocks;
mod bpf;
mod btf;
mod census;
mod detach;
mod error;
mod events;
mod first_steps;
pub mod format;
pub(crate) mod kept;
mod layout;
pub(crate) mod lives;
mod namespace;
pub mod procfs;
mod raw;
mod requests;
mod ring;
mod shared;
mod source;
mod starts;
mod switches;
mod threads;
pub mod timeline;
mod trace;
mod tracefs;
mod tracepoints;
mod tracker;
pub(crate) mod watch;

pub use blocks::BlockReader;
pub use bpf::{Bpf, SchedPart};
pub use census::{Census, Counts};
pub use error::ProbeError;
pub use events::titles as event_titles;
pub use first_steps::median;
pub use requests::{Queued, Requests, Times};
pub use shared::Page;
pub use source::{LIVES_LOST, TraceSource, UNREADABLE};
pub use switches::{BothCounts, SwitchCount};
pub use threads::Pause;
pub use trace::{TraceOptions, TraceProbes};
pub use tracepoints::Tracepoints;
pub use tracker::{TrackError, Tracker};

/// What to watch, and how much room there is for what is seen.
#[derive(Clone, Debug)]
pub struct BpfOptions {
    /// Whether to watch the sleep of workers, too. It costs a little at every context switch of
    /// the machine.
    pub sched: bool,
    /// Whether to watch sleep and requests by events alone, as on a kernel without BTF, and not by
    /// bare trace points.
    pub on_events: bool,
    /// Slots of requests whose way through io-wq to watch, [`iowq_ebpf::REQUESTS_MAX`] at most; 0
    /// for none. It costs CPU time for each, as much again on events alone.
    pub requests: u32,
    /// Size of the ring for thread events, in bytes: a power of two, a page at least. An event
    /// takes 56.
    pub threads_ring_bytes: u32,
    /// Size of the ring for block events, in bytes, likewise. An event takes 32.
    pub blocks_ring_bytes: u32,
}

impl Default for BpfOptions {
    fn default() -> BpfOptions {
        BpfOptions {
            sched: false,
            on_events: false,
            requests: 0,
            threads_ring_bytes: 1 << 20,
            blocks_ring_bytes: 1 << 18,
        }
    }
}
