//! The primitives: the only door to threads, locks and atomics, so that shuttle can replace them.

/// What a signal handler sets is the machine's own, also under shuttle.
pub use std::sync::atomic::AtomicBool as SignalFlag;
/// Shuttle's locks are poisoned with these same types.
pub use std::sync::{PoisonError, TryLockError};

#[cfg(not(feature = "shuttle"))]
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic, mpsc};
#[cfg(not(feature = "shuttle"))]
pub use std::thread;

#[cfg(feature = "shuttle")]
pub use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, atomic, mpsc};
#[cfg(feature = "shuttle")]
pub use shuttle::thread;

#[cfg(feature = "shuttle")]
pub use shuttle::thread::yield_now as spin_loop;
/// What a thread does between two looks at an atomic that another one is about to change.
#[cfg(not(feature = "shuttle"))]
pub use std::hint::spin_loop;

/// Processors that this process may use.
#[cfg(not(feature = "shuttle"))]
pub fn processors() -> u32 {
    thread::available_parallelism().map_or(1, |count| count.get().try_into().unwrap_or(u32::MAX))
}

/// As many as lets one thread spin for another.
#[cfg(feature = "shuttle")]
pub fn processors() -> u32 {
    2
}

/// Starts a thread of this name.
///
/// # Errors
/// If the system refuses a thread.
#[cfg(not(feature = "shuttle"))]
pub fn spawn(
    name: String,
    stack_bytes: usize,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name).stack_size(stack_bytes).spawn(work)
}

#[cfg(feature = "shuttle")]
shuttle::lazy_static! {
    /// How many of the next threads are refused, as by a system that has no room for them now.
    pub static ref REFUSED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
}

/// The same under shuttle, whose stacks are of one size.
///
/// # Errors
/// While [`struct@REFUSED`] is not zero.
#[cfg(feature = "shuttle")]
pub fn spawn(
    name: String,
    _: usize,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<thread::JoinHandle<()>> {
    use std::sync::atomic::Ordering::Relaxed;
    let less = |left: u32| left.checked_sub(1);
    if REFUSED.fetch_update(Relaxed, Relaxed, less).is_ok() {
        return Err(std::io::ErrorKind::WouldBlock.into());
    }
    thread::Builder::new().name(name).spawn(work)
}

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

/// The value behind a lock, also if a thread panicked while it held it.
pub(crate) fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}
