//! Contenders: the pools that are held against each other, behind one trait.

mod bare;
mod iowq;
mod threads;
mod uring;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::task::Task;

/// How the submitter learns that ops ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
pub enum Wait {
    /// It looks again and again, and never sleeps.
    Polling,
    /// It asks its contender to wait for one.
    Sleeping,
}

impl Wait {
    /// The name, as in tables and records.
    pub fn name(self) -> &'static str {
        match self {
            Wait::Polling => "polling",
            Wait::Sleeping => "sleeping",
        }
    }
}

/// A pool with one submitter. Ops are numbers below the depth, each in flight once at most.
pub trait Contender {
    /// Hands over these ops, all at once if that is possible.
    fn submit(&mut self, ops: &[(u32, Task)]);

    /// Moves ops that ended to `out`: whatever is there, or with [`Wait::Sleeping`] one at least.
    fn reap(&mut self, wait: Wait, out: &mut Vec<u32>);
}

/// The kernel's io-wq under the probes of a run.
const KERNEL_PROBED: &str = "kernel-probed";

/// The pool under the scheduler's probe.
const POOL_PROBED: &str = "pool-6.17-probed";

/// All contenders that are no policies of the pool.
const PEERS: [&str; 11] = [
    "bare",
    "kernel",
    KERNEL_PROBED,
    "rayon",
    "threadpool",
    "tokio",
    "blocking",
    "channel-parking",
    "channel-spinning",
    "pool-fixed",
    POOL_PROBED,
];

/// The names of all: the pool under each preset first.
pub fn names() -> Vec<String> {
    let presets = iowq::presets().map(|name| format!("pool-{name}"));
    presets.chain(PEERS.map(str::to_owned)).collect()
}

/// Starts a contender with this many workers and room for `depth` ops.
///
/// # Errors
/// An unknown name, or what the system refuses.
pub fn start(name: &str, workers: u32, depth: u32) -> anyhow::Result<Box<dyn Contender>> {
    if name == "pool-fixed" {
        return Ok(Box::new(iowq::start(&format!("fixed:{workers}"), workers, depth)?));
    }
    if let Some(policy) = name.strip_prefix("pool-") {
        return Ok(match policy.strip_suffix("-probed") {
            Some(policy) => Box::new(iowq::probed(policy, workers, depth)?),
            None => Box::new(iowq::start(policy, workers, depth)?),
        });
    }
    Ok(match name {
        "kernel" => Box::new(uring::Uring::new(workers, depth)?),
        KERNEL_PROBED => Box::new(uring::Uring::probed(workers, depth)?),
        "bare" => Box::new(bare::Bare::new(workers)),
        "rayon" => Box::new(threads::rayon(workers, depth)?),
        "threadpool" => Box::new(threads::threadpool(workers, depth)),
        "tokio" => Box::new(threads::tokio(workers, depth)?),
        "blocking" => Box::new(threads::blocking(workers, depth)),
        "channel-parking" => Box::new(threads::channel(workers, depth, false)),
        "channel-spinning" => Box::new(threads::channel(workers, depth, true)),
        _ => anyhow::bail!("no contender is called {name}: there are {}", names().join(", ")),
    })
}
