//! `iowq trace`: which processes make io-wq workers, for which requests, at what cost.
//!
//! The kernel counts, see [`iowq_harness::probes::TraceProbes`]; or, where BPF programs are not allowed,
//! a lesser source stands in, see [`iowq_harness::probes::TraceSource`]. A [`Tracer`] reads its counts
//! and makes lines of them, the same for every sink: see [`iowq_contract::trace`].

mod findings;
mod opcode;
mod openmetrics;
mod order;
mod perfetto;
mod polled;
mod process;
mod procfs;
mod reader;
mod record;
mod run;
mod screen;
mod sinks;
mod source;
mod story;
mod target;
pub mod text;
mod times;
mod to_spec;
mod tracer;
mod words;

pub use findings::of as findings;
pub use openmetrics::{OpenMetrics, Server};
pub use perfetto::Perfetto;
pub use reader::Reader;
pub use record::Run;
pub use run::{Limits, run};
pub use screen::Screen;
pub use sinks::Sink;
pub use story::Story;
pub use target::Target;
pub use to_spec::to_spec;
pub use tracer::Tracer;

/// Asks a process to end.
pub fn terminate(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may be gone already.
        let _ = kill_process(pid, Signal::TERM);
    }
}
