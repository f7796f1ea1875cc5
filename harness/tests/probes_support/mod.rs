//! What the probes' tests share: starting the probes or saying why not.

use std::io::Write as _;
use std::time::Duration;

use iowq_harness::probes::{Bpf, BpfOptions, ProbeError};

/// Long enough for anything that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the probes. Where this machine has no place for them the test is skipped, aloud;
/// anything else that keeps them from starting is a failure.
pub(crate) fn start_or_skip(test: &str, options: &BpfOptions) -> Option<Bpf> {
    match Bpf::start(options) {
        Ok(bpf) => Some(bpf),
        Err(
            reason @ (ProbeError::NotPermitted { .. }
            | ProbeError::NoTracefs { .. }
            | ProbeError::NoEvent { .. }
            | ProbeError::LockedDown { .. }),
        ) => {
            // Not `eprintln`, whose output the test runner hides where a test passes. In one
            // write and on a line of its own, whatever the runner prints at the same time.
            let line = format!("\nskipped: {test}: {reason}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
        Err(error) => panic!("the probes did not start: {error}"),
    }
}

/// Id of the calling thread.
pub(crate) fn own_tid() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}
