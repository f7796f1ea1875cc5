//! What requests that went to io-wq worked on, by name.

use std::collections::HashMap;

use iowq_contract::trace::{TraceFile, Way};
use iowq_ebpf::trace::{FD_UNKNOWN, FILE_REGISTERED, FileKey, Flight};

use super::way;
use crate::{opcode, procfs};

/// Names that are kept for each process; what comes after counts as one.
const NAMES_MAX: usize = 4096;
/// The name of what comes after.
const OTHERS: &str = "other files";

/// Requests by file. A descriptor is named when its count has grown, so that one that is closed and
/// opened again for another file counts for both.
#[derive(Debug, Default)]
pub(crate) struct Files {
    counted: HashMap<FileKey, u64>,
    names: HashMap<u32, String>,
    /// Likewise of files that are registered with a ring, which seldom change.
    registered: HashMap<u32, String>,
    sums: HashMap<(String, String, Way), u64>,
}

impl Files {
    /// Those of a process with the same number: what was counted before is not its own.
    pub(crate) fn successor(&self) -> Files {
        Files { counted: self.counted.clone(), ..Files::default() }
    }

    /// Takes the count since the start of one descriptor and op.
    pub(crate) fn count(&mut self, pid: u32, key: FileKey, count: u64) {
        let before = self.counted.insert(key, count).unwrap_or_default();
        let more = count.saturating_sub(before);
        if more == 0 || !opcode::has_file(key.op.opcode) {
            return;
        }
        let name = self.name(pid, key);
        let op = (name, opcode::name(key.op.opcode), way(key.op.class));
        let full = self.sums.len() >= NAMES_MAX && !self.sums.contains_key(&op);
        let op = if full { (OTHERS.to_owned(), op.1, op.2) } else { op };
        *self.sums.entry(op).or_default() += more;
    }

    /// The name of what a key is about.
    fn name(&mut self, pid: u32, key: FileKey) -> String {
        if key.flags & FILE_REGISTERED != 0 {
            let name = || {
                let found = procfs::registered_file(pid, key.fd);
                found.unwrap_or_else(|| format!("registered file {}", key.fd))
            };
            return self.registered.entry(key.fd).or_insert_with(name).clone();
        }
        match (procfs::file(pid, key.fd), self.names.get(&key.fd)) {
            (Some(name), _) => {
                self.names.insert(key.fd, name.clone());
                name
            }
            // It was closed since then.
            (None, Some(known)) => known.clone(),
            (None, None) => format!("closed descriptor {}", key.fd),
        }
    }

    /// The name that a descriptor had last.
    pub(crate) fn name_of(&mut self, pid: u32, fd: i32) -> Option<String> {
        let fd = u32::try_from(fd).ok()?;
        procfs::file(pid, fd).or_else(|| self.names.get(&fd).cloned())
    }

    /// The name of what a request is about; a descriptor has the name that it had when it was counted,
    /// so that a request costs no system call.
    pub(crate) fn name_of_request(&mut self, pid: u32, flight: &Flight) -> Option<String> {
        if flight.fd == FD_UNKNOWN || !opcode::has_file(flight.op.opcode) {
            return None;
        }
        if flight.flags == 0
            && let Some(known) = self.names.get(&flight.fd)
        {
            return Some(known.clone());
        }
        Some(self.name(pid, FileKey { op: flight.op, fd: flight.fd, flags: flight.flags.into() }))
    }

    /// Those with the most requests, and how many others there are.
    pub(crate) fn most(&self, max: usize) -> (Vec<TraceFile>, u64) {
        let mut files: Vec<_> = self
            .sums
            .iter()
            .map(|((file, op, way), queued)| TraceFile {
                file: file.clone(),
                op: op.clone(),
                way: *way,
                queued: *queued,
            })
            .collect();
        files.sort_by(|a, b| b.queued.cmp(&a.queued).then_with(|| a.file.cmp(&b.file)));
        let more = files.len().saturating_sub(max);
        files.truncate(max);
        (files, more as u64)
    }
}
