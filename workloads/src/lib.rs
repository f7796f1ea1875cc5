//! Workloads: what is asked of an engine, from the spec that a person writes to the stream of ops.
//!
//! Pure: no clock, no thread, no file handle.

pub mod op;
pub mod plan;

pub use op::{Op, OpKind};
pub use plan::{Arrival, Length, Life, Open, Plan};
