//!
//! Pure: no clock, no thread, no file handle.

pub mod bucket;
mod check;
mod error;
pub mod limits;
pub mod op;
mod parse;
pub mod plan;
mod spec;

pub use error::SpecError;
pub use op::{Op, OpKind};
pub use plan::{Arrival, Length, Life, Log, Mix, Open, Order, Plan};
