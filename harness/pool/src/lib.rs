//! io-wq's rules in userspace: a pure state machine, policies, and real threads around them.
//!
//! - [`State`] is the pool without threads, lock or clock: each method is one step under the lock,
//!   and returns [`Effects`] for its caller to carry out. It was written from what io-wq does;
//!   the README beside this crate is the protocol, with the kernel commits.
//! - [`policy`] decides when workers come and go. A preset stands for a range of kernel releases;
//!   a policy of your own needs three methods.
//! - [`Pool`] runs a [`State`] on threads, for one submitter. A work is a [`Job`].
//!
//! Times are [`Nanos`](clock::Nanos) of `CLOCK_MONOTONIC`, or whole nanoseconds with the suffix
//! `_ns`. A pool has two accounts, bounded and unbounded, each with a limit, a queue and workers of
//! its own.
//!
//! ```
//! use std::time::Duration;
//!
//! use iowq_pool::counters::LocalCounters;
//! use iowq_pool::policy::Registry;
//! use iowq_pool::sync::Arc;
//! use iowq_pool::work::{Account, Flags, WorkId};
//! use iowq_pool::{Config, Job, ParkedWait, Pool, SelfReported, WorkOutcome, teardown};
//!
//! #[derive(Clone, Copy)]
//! struct Nap;
//!
//! impl Job for Nap {
//!     type Seen = ();
//!
//!     fn run(self) -> (WorkOutcome, ()) {
//!         std::thread::sleep(Duration::from_millis(1));
//!         (WorkOutcome::Done, ())
//!     }
//!
//!     fn may_block(&self) -> bool {
//!         true
//!     }
//! }
//!
//! let policy = Registry::builtin().parse("6.17")?.build();
//! let config = Config {
//!     works: 8,
//!     slots: 16,
//!     limits: [4, 4],
//!     idle_timeout: Duration::from_secs(5),
//!     teardown: teardown::measured(),
//! };
//! let (counters, wait) = (LocalCounters::default(), Box::new(ParkedWait::default()));
//! let mut pool = Pool::new(policy, counters, &config, Arc::new(SelfReported), wait);
//! pool.open();
//! let flags = Flags { account: Account::Bounded, bucket: None, concurrent: true };
//! for work in (0..8).map(WorkId) {
//!     pool.submit(work, Nap, flags, None);
//! }
//! let mut completions = Vec::new();
//! pool.wait(8, None, &mut completions);
//! let report = pool.exit();
//! assert_eq!(completions.len(), 8);
//! assert!((1..=4).contains(&report.tally.created));
//! # Ok::<(), iowq_pool::policy::NameError>(())
//! ```

pub mod clock;
mod core;
pub mod counters;
mod create;
mod in_flight;
mod job;
mod nanos;
mod parker;
pub mod policy;
mod queue;
mod reaping;
mod shared;
mod state;
mod step;
mod submitter;
pub mod sync;
pub mod teardown;
mod threads;
mod waiting;
pub mod work;
mod worker;

pub use counters::SpawnRequest;
pub use create::AfterFailure;
pub use job::{BlockingObserver, Job, SelfReported, Submission};
pub use shared::STACK_BYTES;
pub use state::{Completion, Effects, PoolTally, State, WorkOutcome, WorkerState};
pub use step::NextStep;
pub use submitter::{ParkedWait, SubmitterWait, SubmitterWake};
pub use threads::{Config, Pool, PoolReport};
pub use work::{WorkId, WorkerId};
