//! The files under test: a fresh folder of the run's own, and nothing of it left at the end.
//!
//! Without `--dir` the folder is made in `target/bench-files` below the current folder, because a
//! build's output is on a real disk more often than the system's folder for temporary files, which
//! is memory on many machines and never blocks.

pub mod buffers;
mod error;
pub mod verify;

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use iowq_workloads::{Ledger, Open, Plan};
use rustix::io::Errno;

use crate::io;
pub use buffers::BlockBuffers;
pub use error::{RemoveError, ScratchError};
use error::{cannot_lay_out, cannot_make, cannot_open};
pub use verify::VerifyError;

/// Where files are put without `--dir`.
pub const DEFAULT_DIR: &str = "target/bench-files";

/// Folders of one process in one dir. That many runs at once, or that many left behind by
/// processes of the same number, are a sign of trouble.
const FOLDERS_MAX: u32 = 1000;

/// Bytes written at once where a file system cannot reserve space.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The folder of a run with its files laid out and open. Dropping it removes all it made.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// The files made so far, by path, so that nothing else is ever removed.
    paths: Vec<PathBuf>,
    files: Vec<OwnedFd>,
    removed: bool,
}

impl Scratch {
    /// Makes a folder `iowq-<pid>-<n>` in `dir`, or in [`DEFAULT_DIR`], lays the plan's files out in
    /// it at full size, brings them to the device and opens them as the plan asks.
    ///
    /// # Errors
    ///
    /// Where the folder or the files cannot be made there. Nothing is left behind then.
    pub fn new(dir: Option<&Path>, plan: &Plan) -> Result<Scratch, ScratchError> {
        let folder = own_folder(dir)?;
        let dir = dir.unwrap_or(Path::new(DEFAULT_DIR));
        let mut scratch = Scratch { folder, paths: Vec::new(), files: Vec::new(), removed: false };
        // On an early return the drop removes what was made, before the caller hears of the error.
        if let Err(failure) = scratch.lay_out(plan) {
            drop(scratch);
            return Err(cannot_lay_out(dir, plan, failure));
        }
        scratch.open(plan).map_err(|(open, errno)| cannot_open(dir, open, errno))?;
        Ok(scratch)
    }

    /// The files, in the plan's order.
    #[must_use]
    pub fn files(&self) -> &[OwnedFd] {
        &self.files
    }

    /// The folder they are in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads back every block whose contents the ledger knows, through fresh descriptors, and
    /// compares it byte for byte. Returns the number of blocks compared.
    ///
    /// # Errors
    ///
    /// The first block that cannot be read or does not hold what it must.
    pub fn verify(&self, plan: &Plan, seed: u64, ledger: &Ledger) -> Result<u64, VerifyError> {
        verify::verify(&self.paths, plan, seed, ledger)
    }

    /// Closes and removes the files and the folder.
    ///
    /// # Errors
    ///
    /// Names what could not be removed and is still there.
    pub fn remove(mut self) -> Result<(), RemoveError> {
        self.remove_all()
    }

    fn lay_out(&mut self, plan: &Plan) -> Result<(), io::Failure> {
        let bytes = plan.file_blocks * u64::from(plan.block_bytes);
        for file in 0..plan.files {
            let path = self.folder.join(format!("file-{file}"));
            let new = io::create_new(&path)?;
            self.paths.push(path);
            reserve(&new, bytes)?;
            io::fsync(&new)?;
        }
        io::fsync(io::open_to_read(&self.folder)?)?;
        Ok(())
    }

    fn open(&mut self, plan: &Plan) -> Result<(), (Open, Errno)> {
        for (path, open) in self.paths.iter().zip(&plan.open) {
            self.files.push(io::open(path, *open).map_err(|errno| (*open, errno))?);
        }
        Ok(())
    }

    fn remove_all(&mut self) -> Result<(), RemoveError> {
        if self.removed {
            return Ok(());
        }
        self.removed = true;
        self.files.clear();
        let mut left: Vec<(PathBuf, Errno)> = Vec::new();
        for path in self.paths.drain(..) {
            if let Err(errno) = io::remove(&path) {
                left.push((path, errno));
            }
        }
        if let Err(errno) = io::remove_folder(&self.folder) {
            left.push((self.folder.clone(), errno));
        }
        // What somebody else removed first is gone, which is all that was wanted.
        left.retain(|(_, errno)| *errno != Errno::NOENT);
        if left.is_empty() { Ok(()) } else { Err(RemoveError { left }) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left to tell; `remove` is for those who want to know.
        let _ = self.remove_all();
    }
}

/// Makes an empty folder `iowq-<pid>-<n>` in `dir`, or in [`DEFAULT_DIR`].
///
/// # Errors
///
/// Where it cannot be made there.
pub fn own_folder(dir: Option<&Path>) -> Result<PathBuf, ScratchError> {
    let dir = match dir {
        Some(dir) => dir,
        None => default_dir()?,
    };
    make_folder(dir).map_err(|errno| cannot_make(dir, errno))
}

fn default_dir() -> Result<&'static Path, ScratchError> {
    let dir = Path::new(DEFAULT_DIR);
    io::make_folders(dir).map(|()| dir).map_err(|errno| cannot_make(dir, errno))
}

/// Makes a folder under the first free name, so that nothing that exists is ever touched.
fn make_folder(dir: &Path) -> Result<PathBuf, Errno> {
    let mut result = Err(Errno::EXIST);
    for number in 0..FOLDERS_MAX {
        let folder = dir.join(format!("iowq-{}-{number}", std::process::id()));
        result = io::make_folder(&folder).map(|()| folder);
        if result != Err(Errno::EXIST) {
            break;
        }
    }
    result
}

/// Gives a new file its full size with space behind it, by writing zeros where the file system
/// cannot reserve.
fn reserve(file: impl AsFd, bytes: u64) -> Result<(), io::Failure> {
    match io::fallocate(&file, 0, bytes) {
        Ok(()) => return Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(errno) => return Err(errno.into()),
    }
    let zeros = vec![0; CHUNK_BYTES];
    let mut offset = 0;
    while offset < bytes {
        let rest =
            usize::try_from(bytes - offset).map_or(CHUNK_BYTES, |rest| rest.min(CHUNK_BYTES));
        io::pwrite(&file, &zeros[..rest], offset)?;
        offset += rest as u64;
    }
    Ok(())
}
