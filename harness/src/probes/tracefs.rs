//! Finds tracefs, and if it is not mounted, mounts it for one thread alone.
//!
//! A mount namespace belongs to a thread. So a thread of our own takes a private one, mounts
//! tracefs there, does what needs it and ends: no other process sees the mount and nothing has to be
//! undone, even if we are killed half-way.

use std::fs;
use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::error::ProbeError;
use crate::machine::rights::TRACEFS;
use crate::sync::thread;

/// Name of the thread that sees tracefs.
pub(super) const THREAD_NAME: &str = "iowq-tracefs";

/// Runs `work` on a thread that sees tracefs, and hands it the path. Returns what `work` returned;
/// the thread is gone by then.
///
/// # Errors
///
/// [`ProbeError::NoTracefs`] if there is none and none can be mounted;
/// [`ProbeError::Kernel`] if the thread cannot be created; what `work` returns.
pub(super) fn with_tracefs<T: Send + 'static>(
    work: impl FnOnce(&Path) -> Result<T, ProbeError> + Send + 'static,
) -> Result<T, ProbeError> {
    let thread = thread::Builder::new().name(THREAD_NAME.into()).spawn(move || {
        let path = find_or_mount().map_err(|cause| ProbeError::NoTracefs { cause })?;
        work(path)
    });
    let failed = |cause: String| ProbeError::Kernel { what: "starting the loader".into(), cause };
    let thread = thread.map_err(|error| failed(error.to_string()))?;
    thread.join().unwrap_or_else(|_| Err(failed("its thread panicked".into())))
}

fn find_or_mount() -> io::Result<&'static Path> {
    match find() {
        Some(path) => Ok(path),
        None => mount_privately(),
    }
}

/// Where tracefs is mounted. Whether this process may read it was found out before.
fn find() -> Option<&'static Path> {
    let has_any = |place: &&Path| fs::read_dir(place).is_ok_and(|mut it| it.next().is_some());
    TRACEFS.iter().map(Path::new).find(has_any)
}

/// Mounts tracefs where only the calling thread, and threads that it creates, can see it.
fn mount_privately() -> io::Result<&'static Path> {
    let place = Path::new(TRACEFS[0]);
    // SAFETY: a new mount namespace leaves open files and memory as they are. The thread also
    // stops sharing its working directory with the others, and this thread never changes it.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    // Without this, the mount would propagate to the other namespaces.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    mount("tracefs", place, "tracefs", MountFlags::empty(), None)?;
    Ok(place)
}
