//! fio's engines: which io_uring can stand for, and what the others do instead of reads and writes
//! of files.

use super::job::Job;
use super::lists::List;
use crate::error::SpecError;

/// Engines of fio whose jobs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engines {
    /// `io_uring` alone.
    IoUring,
    /// Each that reads and writes files, to see what io_uring would do with the job.
    AsIoUring,
}

/// What fio takes if a job names no engine, on Linux.
const DEFAULT: &str = "psync";

/// Engines that have one op in flight, whatever `iodepth` says.
const SYNC: [&str; 6] = ["sync", "psync", "vsync", "pvsync", "pvsync2", "mmap"];

/// Engines beside io_uring that have as many in flight as `iodepth` says.
const ASYNC: [&str; 2] = ["libaio", "posixaio"];

/// Engines that do something else, each list with what that is.
const OTHER: [List; 7] = [
    ("does nothing to files", "cpuio exec null cpp_null page_fault"),
    (
        "sends commands to a device, which a run never does",
        "io_uring_cmd sg libblkio libzbc mtd dev-dax libpmem pmemblk xnvme rdma",
    ),
    (
        "makes, looks up, cuts or moves files, and neither reads nor writes them",
        "falloc e4defrag ftruncate filecreate filestat filedelete dircreate dirstat dirdelete",
    ),
    ("copies between pipes and files", "splice"),
    (
        "reaches its data through a network, past this kernel's files",
        "net netsplice rados rbd gfapi gfapi_async http nfs nbd libhdfs libiscsi dfs ime_psync \
         ime_psyncv ime_aio",
    ),
    ("brings data to a graphics card", "libcufile libhipfile"),
    ("is of another system, or loaded from a file", "windowsaio solarisaio external guasi"),
];

/// The engine that stands in a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Engine<'a> {
    pub(super) name: &'a str,
    /// Whether it has one op in flight.
    pub(super) is_sync: bool,
}

/// Why an engine is refused.
pub(super) enum EngineError {
    /// It can be taken with the flag.
    WithoutFlag(SpecError),
    /// It cannot be taken, so that the other options of the job say nothing.
    Never(SpecError),
}

impl<'a> Job<'a> {
    pub(super) fn engine(&self, engines: Engines) -> Result<Engine<'a>, EngineError> {
        let name = self.text("ioengine").unwrap_or(DEFAULT);
        let refuse = |allowed: String| self.refuse("ioengine", allowed);
        if name == "io_uring" {
            return Ok(Engine { name, is_sync: false });
        }
        let is_sync = SYNC.contains(&name);
        if is_sync || ASYNC.contains(&name) {
            if engines == Engines::AsIoUring {
                return Ok(Engine { name, is_sync });
            }
            let default = if self.given("ioengine") { "" } else { ", because it is psync then" };
            let allowed = format!(
                "io_uring{default}; add --as-io-uring to see what io_uring would do with the job"
            );
            return Err(EngineError::WithoutFlag(refuse(allowed)));
        }
        let other = OTHER.iter().find(|(_, names)| {
            let name = name.split(':').next().unwrap_or(name);
            names.split(' ').any(|known| known == name)
        });
        let taken = [&SYNC[..], &ASYNC].concat().join(", ");
        Err(EngineError::Never(match other {
            Some((what, _)) => refuse(format!("io_uring: this engine {what}")),
            None => refuse(format!("io_uring, or with --as-io-uring {taken}")),
        }))
    }
}
