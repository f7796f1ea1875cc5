//! Workloads: from the spec that a user writes to the stream of ops that an engine executes.
//!
//! Pure: no clock, no thread, no file handle.

pub mod block;
pub mod bucket;
pub mod builtin;
mod check;
mod error;
mod fio;
pub mod grid;
mod grid_names;
pub mod ledger;
pub mod limits;
pub mod op;
mod order;
mod pace;
mod parse;
pub mod plan;
mod rng;
mod rounds;
mod spec;
pub mod stream;

pub use builtin::{builtin, builtins};
pub use error::SpecError;
pub use grid::{grid, grid_with};
pub use ledger::{Expect, Ledger};
pub use op::{Op, OpKind};
pub use plan::{Arrival, FileState, Length, Life, Log, Mix, Open, Order, Plan};
pub use rounds::Rounds;
pub use stream::Stream;
