//! Engines: what carries out ops. The driver hands requests over and waits; an engine does the rest.

pub mod begun;
mod books;
pub mod call;
mod classes;
pub mod pool;
pub mod sleeps;
pub mod uring;

use iowq_contract::Punts;
use iowq_workloads::{Op, OpKind};

use crate::clock::{self, Nanos};
use iowq_pool::work::Account;
use iowq_pool::{Completion, Tally};

use crate::recorder::Recorder;

/// An op in flight.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is to be done.
    pub op: Op,
    /// Which of the places for ops in flight it has, and so which buffer.
    pub slot: u32,
    /// When it was meant to start.
    pub intended: Nanos,
    /// Whether it is counted; not so in the warm-up.
    pub measured: bool,
}

/// What an engine leaves behind.
#[derive(Debug, Default)]
pub struct Remains {
    /// All that was recorded.
    pub recorder: Recorder,
    /// Workers by the engine's own books, where it keeps any.
    pub tally: Option<Tally>,
    /// When a worker of an account was born (true) or gone (false), by the engine's own books, in
    /// order.
    pub lives: Vec<(Nanos, bool, Account)>,
    /// What making each worker took its creator in nanoseconds, where the engine makes them.
    pub creation_ns: Vec<u64>,
    /// How measured ops reached a worker, by [`OpKind::index`], where that was seen.
    pub punts: Option<[Punts; OpKind::ALL.len()]>,
    /// Ops whose completion no probe saw though probes watched, and which count as done when they
    /// were reaped; none where the engine stamps them itself or no probe watched.
    pub timed_at_reaping: Option<u64>,
}

/// An engine cannot go on; what is in flight may never end.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {cause}; {advice}")]
pub struct EngineError {
    /// What it was about to do.
    pub what: &'static str,
    /// What came of it.
    pub cause: std::io::Error,
    /// What helps.
    pub advice: &'static str,
}

/// What carries out ops.
pub trait Engine {
    /// The time by which this engine goes: it may have a clock of its own.
    fn now(&self) -> Nanos {
        clock::now()
    }

    /// Opens a ring.
    ///
    /// # Errors
    /// Where the kernel gives none.
    fn open(&mut self) -> Result<(), EngineError>;

    /// Closes the ring, all of whose ops are done.
    fn close(&mut self);

    /// Hands over one op, or several of which each starts only after the one before succeeded.
    fn submit(&mut self, chain: &[Request]);

    /// Says that a round of submitting is over.
    fn flush(&mut self);

    /// Waits until `want` more ops are done or until `until`, whichever is first, and moves what
    /// is done to `out`. One of the two must be given.
    ///
    /// # Errors
    /// Where the kernel refuses to wait; the engine is then of no more use.
    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError>;

    /// Ends: all workers have left on return.
    fn finish(self: Box<Self>) -> Remains;
}
