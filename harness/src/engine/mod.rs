//! Engines: what carries out ops, behind one trait.

mod api;
pub mod begun;
pub mod blocking;
mod books;
pub mod buffers;
pub mod call;
mod check;
mod classes;
pub mod no_ring;
pub mod pool;
pub mod uring;

pub use api::{Engine, EngineError, EngineReport, Request};
pub use check::check;
