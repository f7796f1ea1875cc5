//! The pool: io-wq's rules in userspace, as a pure state machine with real threads around it.

pub mod board;
pub mod clock;
mod create;
mod parker;
pub mod policy;
mod queue;
mod state;
pub mod sync;
pub mod teardown;
mod threads;
mod turn;
mod waiter;
pub mod work;
mod worker;

pub use create::{AfterFailure, Request};
pub use state::{Completion, Effects, Outcome, State, Tally, WorkerId, WorkerState};
pub use threads::{Config, Job, Pool, Remains, STACK_BYTES, Sleeps};
pub use turn::Turn;
pub use waiter::{Parked, Waiter, Waker};

use crate::sync::PoisonError;

/// What is behind a lock, also where a thread panicked while it held it: the books are changed in
/// steps that do not panic half-way.
fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}
