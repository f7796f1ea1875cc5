//! What the probes' tests share.

mod start;

use std::time::Duration;

pub(crate) use start::start_or_skip;

/// Long enough for anything that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Id of the calling thread.
pub(crate) fn own_tid() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}
