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

/// Starts a thread with its creator's name that ends before its scope does.
///
/// # Errors
/// If the system refuses a thread.
#[cfg(not(feature = "shuttle"))]
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> std::io::Result<thread::ScopedJoinHandle<'scope, T>> {
    thread::Builder::new().spawn_scoped(scope, work)
}

/// The same for shuttle, whose builder knows no scopes.
///
/// # Errors
/// Never.
#[cfg(feature = "shuttle")]
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> std::io::Result<thread::ScopedJoinHandle<'scope, T>> {
    Ok(scope.spawn(work))
}

/// The value behind a lock, also if a thread panicked while it held it: state is changed in steps
/// that do not panic half-way.
pub(crate) fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}
