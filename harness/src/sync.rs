//! The primitives: the only door to threads, locks and atomics, so that shuttle can replace them.

/// Shuttle's locks are poisoned with this same type.
pub use std::sync::PoisonError;
/// What a signal handler sets is the machine's own, also under shuttle.
pub use std::sync::atomic::AtomicBool as SignalFlag;

#[cfg(not(feature = "shuttle"))]
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic, mpsc};
#[cfg(not(feature = "shuttle"))]
pub use std::thread;

#[cfg(feature = "shuttle")]
pub use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, atomic, mpsc};
#[cfg(feature = "shuttle")]
pub use shuttle::thread;
