//! Starting the probes, or saying why not.

#[path = "skip.rs"]
mod says_skipped;

use iowq_harness::probes::{Bpf, BpfOptions, ProbeError};
pub(crate) use says_skipped::skip;

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
