//! What only io_uring has, and limits that change in the middle of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What only io_uring has, and no pool in userspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// Whether a thread of the kernel submits (`IORING_SETUP_SQPOLL`), whose io-wq it then is.
    pub sqpoll: bool,
    /// Whether completions of direct reads and writes are polled for (`IORING_SETUP_IOPOLL`).
    pub iopoll: bool,
    /// Whether ops name files by their place in a table of the ring.
    pub registered_files: bool,
    /// Whether ops use buffers that the ring holds in memory.
    pub registered_buffers: bool,
    /// The processors of workers (`IORING_REGISTER_IOWQ_AFF`); none for all of the task's.
    pub worker_cpus: Vec<u32>,
}

impl Only {
    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Only::default()
    }

    /// The fields of a spec that are set.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("ring.sqpoll", self.sqpoll),
            ("ring.iopoll", self.iopoll),
            ("ring.registered_files", self.registered_files),
            ("ring.registered_buffers", self.registered_buffers),
            ("workers.cpus", !self.worker_cpus.is_empty()),
        ];
        all.into_iter().filter_map(|(field, is_set)| is_set.then_some(field))
    }
}

/// Limits that take the place of the first ones, as by a second `IORING_REGISTER_IOWQ_MAX_WORKERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// How long after the run began, its warm-up included. A submitter that waits then sets them
    /// when it is next awake.
    pub after: Duration,
    /// On bounded and on unbounded workers; none for no change.
    pub limits: [Option<u32>; 2],
}
