//! The trait of an engine, the requests that it carries out and the report that it ends with.

use iowq_contract::DispatchCounts;
use iowq_workloads::{Op, OpKind};

use crate::clock::{self, Nanos};
use iowq_pool::work::Account;
use iowq_pool::{Completion, PoolTally};

use crate::recorder::Recorder;

/// An op in flight.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is to be done.
    pub op: Op,
    /// Its place among the ops in flight, and so its buffer.
    pub slot: u32,
    /// When it was meant to start.
    pub intended: Nanos,
    /// Whether it is counted; false in the warm-up.
    pub measured: bool,
}

/// What an engine reports at its end.
#[derive(Debug, Default)]
pub struct EngineReport {
    /// All that was recorded.
    pub recorder: Recorder,
    /// Counts of workers, if the engine creates them.
    pub tally: Option<PoolTally>,
    /// When a worker of an account was born (true) or exited (false), in order, if the engine
    /// creates them.
    pub lives: Vec<(Nanos, bool, Account)>,
    /// Time that the creation of each worker took its creator, in nanoseconds.
    pub creation_ns: Vec<u64>,
    /// How measured ops reached a worker, by [`OpKind::index`], if that was seen.
    pub dispatch: Option<[DispatchCounts; OpKind::ALL.len()]>,
    /// Ops whose completion the probes missed, and which count as done when they were reaped; none
    /// if no probe watched or the engine times them itself.
    pub timed_at_reaping: Option<u64>,
    /// Of how many ops one was timed, unless each was.
    pub timed_one_in: Option<u32>,
}

/// An engine cannot continue; what is in flight may never end.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {cause}; {advice}")]
pub struct EngineError {
    /// What it was about to do.
    pub what: &'static str,
    /// The error.
    pub cause: std::io::Error,
    /// What helps.
    pub advice: &'static str,
}

/// What carries out ops.
pub trait Engine {
    /// The engine's time: it may have a clock of its own.
    fn now(&self) -> Nanos {
        clock::now()
    }

    /// Opens a ring.
    ///
    /// # Errors
    /// If the kernel has none.
    fn open(&mut self) -> Result<(), EngineError>;

    /// Closes the ring, all of whose ops are done.
    fn close(&mut self);

    /// Sets other limits on bounded and unbounded workers; none for no change.
    ///
    /// # Errors
    /// If the kernel refuses them.
    fn set_limits(&mut self, _limits: [Option<u32>; 2]) -> Result<(), EngineError> {
        Ok(())
    }

    /// Submits one op, or a chain in which each starts only after the one before succeeded.
    fn submit(&mut self, chain: &[Request]);

    /// Ends a round of submissions.
    fn flush(&mut self);

    /// Waits until `want` more ops are done or until `until`, whichever is first, and moves what
    /// is done to `out`. One of the two must be given.
    ///
    /// # Errors
    /// If the kernel refuses to wait; the engine is then of no more use.
    fn wait(
        &mut self,
        want: usize,
        until: Option<Nanos>,
        out: &mut Vec<Completion>,
    ) -> Result<(), EngineError>;

    /// Ends it: all workers have exited on return.
    fn finish(self: Box<Self>) -> EngineReport;
}
