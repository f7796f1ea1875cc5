//! The bench's own folder in `--dir`: what a killed run leaves is in there, and goes with it; what a
//! killed bench leaves goes with the next one there.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::files::{self, ScratchError};

/// A folder that this process made and nobody else uses. Dropping it removes it with all there is.
pub(super) struct OwnFolder {
    path: PathBuf,
    removed: bool,
    /// Locked for as long as the bench lives, so that others know.
    _lock: Option<File>,
}

impl OwnFolder {
    /// Makes it in `dir`, or where files under test go by default, and removes those of benches that
    /// were killed.
    pub(super) fn make(dir: Option<&Path>) -> Result<OwnFolder, ScratchError> {
        let path = files::own_folder(dir)?;
        // Runs are processes of their own, which may be started elsewhere.
        let path = fs::canonicalize(&path).unwrap_or(path);
        // Without locks, as on some network file systems, nothing is swept either.
        let lock = File::open(&path).ok().filter(|folder| folder.lock().is_ok());
        path.parent().into_iter().for_each(sweep);
        Ok(OwnFolder { path, removed: false, _lock: lock })
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

/// Removes the folders of benches that were killed. What cannot be removed stays.
fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
        if is_folder && name.to_str().and_then(owner).is_some_and(|pid| !is_alive(pid)) {
            // A bench that this process cannot see, such as one in a container, has it locked.
            if File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// The process that made a folder of this name: `iowq-PID-N`, as `files::own_folder` names it.
fn owner(name: &str) -> Option<u32> {
    let (pid, number) = name.strip_prefix("iowq-")?.split_once('-')?;
    number.parse::<u32>().ok().and(pid.parse().ok())
}

fn is_alive(pid: u32) -> bool {
    // Without procfs it is unknown.
    !Path::new("/proc/self").exists() || Path::new(&format!("/proc/{pid}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel gives out no number of a process above 2^22.
    const DEAD: &str = "iowq-4194305-0";

    #[test]
    fn what_a_killed_bench_left_goes_and_all_else_stays() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let living = format!("iowq-{}-7", std::process::id());
        let others = [&*living, "iowq-4194305-x", "iowq-4194306-0", "iowq-4194305", "mine"];
        for name in others.iter().chain([&DEAD]) {
            fs::create_dir(dir.path().join(name))?;
            fs::write(dir.path().join(name).join("file-0"), "text")?;
        }
        let elsewhere = File::open(dir.path().join("iowq-4194306-0"))?;
        elsewhere.lock()?;
        let own = OwnFolder::make(Some(dir.path()))?;
        assert!(!dir.path().join(DEAD).exists());
        for name in others {
            assert!(dir.path().join(name).join("file-0").exists(), "{name}");
        }
        assert!(own.path().exists());
        Ok(())
    }
}
