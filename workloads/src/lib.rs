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
mod meta;
mod only;
pub mod op;
mod order;
mod order_name;
mod pace;
mod parse;
mod places;
pub mod plan;
mod rng;
mod rounds;
pub mod set;
mod skew;
mod sockets;
mod source;
mod spec;
pub mod stream;
mod task;
mod visited;

pub use builtin::{builtin, builtins};
pub use error::SpecError;
pub use fio::Engines;
pub use grid::{grid, grid_with};
pub use ledger::{Expect, Ledger};
pub use op::{Op, OpKind};
pub use order_name::OrderError;
pub use plan::{
    Arrival, FileState, Later, Length, Life, Log, Meta, Mix, Only, OpSize, Open, Order, Plan,
    SocketKind, Sockets, Task,
};
pub use rounds::Rounds;
pub use set::Setting;
pub use source::Source;
pub use stream::{Stream, seed_of_stream};
