//! What a driver measured.

use std::collections::BTreeMap;

use crate::clock::Nanos;

/// What the driver measured.
#[derive(Debug, Default)]
pub struct DriveStats {
    /// When the first ring was opened.
    pub opened: Nanos,
    /// When the measured part began.
    pub measured_from: Nanos,
    /// When its last op was done.
    pub measured_until: Nanos,
    /// When the last ring was closed.
    pub closed: Nanos,
    /// Measured ops that were done.
    pub done: u64,
    /// Measured ops that failed.
    pub failed: u64,
    /// Ops that were due by the rate of an open loop and never submitted; none if it kept up.
    pub never_started: Option<u64>,
    /// Processor time of the process, from just before the first measured op was submitted until
    /// the last one was done; none if no op was measured.
    pub cpu_ns: Option<u64>,
    /// Failed ops by error, `ECANCELED` for those that never ran.
    pub failures: BTreeMap<String, u64>,
}

impl DriveStats {
    /// Counts an op that failed with this error.
    pub(super) fn count_failure(&mut self, error: &str) {
        self.failed += 1;
        *self.failures.entry(error.to_owned()).or_default() += 1;
    }
}
