//! Starting the probes, or saying why not.

use std::io::Write as _;

use iowq_harness::probes::{Bpf, BpfOptions, ProbeError};

/// Starts the probes. If this machine cannot run them the test is skipped, with the reason printed;
/// anything else that keeps them from starting is a failure.
pub(crate) fn start_or_skip(test: &str, options: &BpfOptions) -> Option<Bpf> {
    match Bpf::start(options) {
        Ok(bpf) => Some(bpf),
        Err(
            reason @ (ProbeError::NotPermitted { .. }
            | ProbeError::NoTracefs { .. }
            | ProbeError::NoEvent { .. }
            | ProbeError::ClosedEvent { .. }
            | ProbeError::Denied { .. }),
        ) => {
            skip(test, &reason.to_string());
            None
        }
        Err(error) => panic!("the probes did not start: {error}"),
    }
}

/// Says that a test is skipped, and why.
pub(crate) fn skip(test: &str, reason: &str) {
    // Not `eprintln`, whose output the test runner hides if a test passes. In one write and on
    // a line of its own, whatever the runner prints at the same time.
    let line = format!("\nskipped: {test}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
