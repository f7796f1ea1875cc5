//! The run whose data is being read back, on the device before that begins: in a file beside the
//! record, which has only runs that are over. Readers take it for the last run of a bench that was
//! killed meanwhile.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use iowq_contract::{Record, UNVERIFIED_NAME, jsonl, write_whole};

/// `record.unverified.jsonl` in the folder of the results, if there is one.
pub(super) struct Unverified {
    path: PathBuf,
    kept: bool,
}

impl Unverified {
    pub(super) fn new(folder: &Path) -> Unverified {
        Unverified { path: folder.join(UNVERIFIED_NAME), kept: false }
    }

    /// Whether a bench that was killed left one.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Keeps a run; whole or not at all.
    pub(super) fn keep(&mut self, record: &Record) -> anyhow::Result<()> {
        let written = jsonl::line(record).and_then(|line| write_whole(&self.path, &line));
        written.with_context(|| {
            format!("{}: the record of a run cannot be written", self.path.display())
        })?;
        self.kept = true;
        Ok(())
    }

    /// Drops it, once the run is in the record.
    pub(super) fn drop_kept(&mut self) -> anyhow::Result<()> {
        if !std::mem::take(&mut self.kept) {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.with_context(|| format!("cannot remove {}", self.path.display())),
        }
    }
}
