//! Writing down what was done.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::report::{Done, REPORT, Report};

impl Report {
    /// Writes it into this folder, whole.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let part = folder.join("report.part");
        fs::write(&part, serde_json::to_string_pretty(self)?)?;
        Ok(fs::rename(part, folder.join(REPORT))?)
    }
}

impl Done {
    /// Nothing yet, of this process.
    pub(super) fn nothing() -> Done {
        Done { pid: std::process::id(), ..Done::default() }
    }

    /// Adds the workers that `/proc` has now; returns how many there are. One that has not named
    /// itself yet is one too: there is no other thread.
    pub(super) fn look(&mut self) -> usize {
        let tasks = fs::read_dir("/proc/self/task").expect("/proc");
        let tids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
        let workers: BTreeSet<u32> = tids.filter(|tid| *tid != self.pid).collect();
        let alive = workers.len();
        self.workers.extend(workers);
        alive
    }
}
