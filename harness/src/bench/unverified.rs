//! The run whose data is being read back, on the device before that begins: in a file beside the
//! record, which has only runs that are over. Readers take it for the last run of a bench that was
//! killed meanwhile.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use iowq_contract::UNVERIFIED_NAME;

/// `record.unverified.jsonl` in the folder of the results, where there is one.
pub(super) struct Unverified {
    folder: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl Unverified {
    pub(super) fn new(folder: &Path) -> Unverified {
        let path = folder.join(UNVERIFIED_NAME);
        Unverified { folder: folder.to_owned(), path, kept: false }
    }

    /// Whether a bench that was killed left one.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Keeps a run's line; whole or not at all.
    pub(super) fn keep(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let new = self.path.with_extension("jsonl.new");
        let written = self.write(&new, line);
        if written.is_err() {
            // A part of a run is of no use, and the disk may be full.
            let _ = fs::remove_file(&new);
        }
        written.with_context(|| {
            format!("{}: the record of a run cannot be written", self.path.display())
        })?;
        self.kept = true;
        Ok(())
    }

    fn write(&self, new: &Path, line: &[u8]) -> io::Result<()> {
        let mut file = File::create(new)?;
        file.write_all(line)?;
        file.sync_all()?;
        fs::rename(new, &self.path)?;
        File::open(&self.folder)?.sync_all()
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
