//! The primitives: the only door to threads, locks and atomics, so that shuttle can replace them.

#[cfg(not(feature = "shuttle"))]
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic, mpsc};
#[cfg(not(feature = "shuttle"))]
pub use std::thread;

#[cfg(feature = "shuttle")]
pub use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, atomic, mpsc};
#[cfg(feature = "shuttle")]
pub use shuttle::thread;
