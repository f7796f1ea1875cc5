//! The bench's own folder in `--dir`: what a killed run leaves is in there, and goes with it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::files::{self, ScratchError};

/// A folder that this process made and nobody else uses. Dropping it removes it with all there is.
pub(super) struct OwnFolder {
    path: PathBuf,
    removed: bool,
}

impl OwnFolder {
    /// Makes it in `dir`, or where files under test go by default.
    pub(super) fn make(dir: Option<&Path>) -> Result<OwnFolder, ScratchError> {
        let path = files::own_folder(dir)?;
        // Runs are processes of their own, which may be started elsewhere.
        let path = fs::canonicalize(&path).unwrap_or(path);
        Ok(OwnFolder { path, removed: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what a run left.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        let entries = match fs::read_dir(&self.path) {
            // Somebody else removed it; the next run says so.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.with_context(|| format!("cannot read {}", self.path.display()))?,
        };
        for entry in entries {
            let path = entry?.path();
            fs::remove_dir_all(&path)
                .with_context(|| format!("cannot remove {}, which a run left", path.display()))?;
        }
        Ok(())
    }

    /// Removes it.
    pub(super) fn remove(mut self) -> anyhow::Result<()> {
        self.removed = true;
        match fs::remove_dir_all(&self.path) {
            // Gone, which is all that was wanted.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.with_context(|| format!("cannot remove {}", self.path.display())),
        }
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        if !self.removed {
            // On the way out after an error, which says more than a second one would.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
