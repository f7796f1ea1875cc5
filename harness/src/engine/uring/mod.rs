//! What is done with io_uring: the engine on the kernel's io-wq, and attempts without a worker.

mod attempts;
mod births;
mod engine;
mod entry;
mod missing;
mod register;
mod ring;
mod sampling;

pub use attempts::{Attempt, Attempts, attempt_open, would_block};
pub use births::kernel_creation_ns;
pub use engine::UringEngine;
pub use entry::close_opened;
pub use missing::{MissingFeature, check};
pub use ring::outcome;
