//! The lock of a folder of results: one call at a time.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use iowq_contract::{BOOTS_NAME, KERNELS_NAME, NewFolders, way_out};

/// Name of the file with a line per run.
pub(super) const RECORD_NAME: &str = "record.jsonl";
/// Locked by the call that runs, which removes it at its end.
const LOCK_NAME: &str = ".lock";

/// What keeps other calls out of a folder, as long as it lives.
///
/// Its file goes with it, and is left behind only by a call that was killed. A call that opened
/// the file just before it was removed has locked one that no other call finds; so a lock counts only
/// if its file is still in the folder.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    _folders: NewFolders,
}

impl Lock {
    /// Makes the folder, if it is not there, and takes it.
    ///
    /// # Errors
    ///
    /// A folder that holds something else, that another call still runs in, or that cannot be
    /// written.
    pub fn take(out: &Path) -> anyhow::Result<Self> {
        check(out)?;
        let cannot = |what: &str, error: std::io::Error| {
            anyhow!("--out {}: {what}: {error}{}", out.display(), way_out(out, &error))
        };
        let folders =
            NewFolders::make(out).map_err(|error| cannot("the folder cannot be made", error))?;
        let path = out.join(LOCK_NAME);
        loop {
            let file = File::create(&path).map_err(|error| cannot("cannot be written", error))?;
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                bail!(
                    "--out {}: another call still runs in this folder; wait for it",
                    out.display()
                );
            }
            if is_at(&file, &path)? {
                return Ok(Self { file, path, _folders: folders });
            }
        }
    }
}

/// Refuses a folder that holds results of something else, before anything takes time.
fn check(out: &Path) -> anyhow::Result<()> {
    if out.exists() && !out.is_dir() {
        bail!("--out {}: found a file; name a folder", out.display());
    }
    let found = |name: &&str| out.join(name).exists();
    match [RECORD_NAME, BOOTS_NAME].into_iter().find(found) {
        Some(name) if !out.join(KERNELS_NAME).exists() => bail!(
            "--out {}: holds a {name} that is not of this command; name a folder that is new",
            out.display()
        ),
        _ => Ok(()),
    }
}

/// Whether a file is what is at a path.
fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let file = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (file.dev(), file.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Drop for Lock {
    /// Removed while it is locked. Closing it is not enough to let go of it while a process that
    /// another thread is just starting has a copy.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_ends_with_the_call_and_a_removed_one_blocks_no_other() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(LOCK_NAME);
        // As a call has it that opened it just before the last one ended.
        let opened = File::create(&path)?;
        drop(Lock::take(folder.path())?);
        assert!(!path.exists());
        opened.try_lock()?;
        let lock = Lock::take(folder.path())?;
        assert!(!is_at(&opened, &path)? && is_at(&lock.file, &path)?);
        assert!(Lock::take(folder.path()).is_err());
        Ok(())
    }
}
