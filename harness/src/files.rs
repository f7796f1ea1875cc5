//! The files under test: a fresh folder of the run's own, and nothing of it left at the end.
//!
//! Without `--dir` the folder is made in `target/bench-files` below the current folder, because a
//! build's output is on a real disk more often than the system's folder for temporary files, which
//! is memory on many machines and never blocks.

pub mod buffers;
mod cache;
mod error;
mod layout;
pub mod names;
mod open_files;
mod reader;
pub mod verify;
mod written_back;

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use iowq_contract::Step;
use iowq_workloads::{Ledger, Open, Plan, Sockets};
use rustix::io::Errno;

use crate::far_end::FarEnd;
use crate::io;
pub use buffers::BlockBuffers;
pub use error::{RemoveError, ScratchError};
use error::{
    cannot_connect, cannot_lay_out, cannot_make, cannot_open, no_whole_sectors, too_many_files,
};
pub use names::{NamedFile, Names};
pub use reader::Source;
pub use verify::{Verified, VerifyError};

/// Where files are put without `--dir`.
pub const DEFAULT_DIR: &str = "target/bench-files";

/// Folders of one process in one dir. That many runs at once, or that many left behind by
/// processes of the same number, are a sign of trouble.
const FOLDERS_MAX: u32 = 1000;

/// Called with the progress of a step: bytes done, of how many.
pub type Tell<'a> = &'a mut dyn FnMut(Step, u64, u64);

/// Files that a check makes: if as many can be made and there is room for all, so can the others.
const CHECKED_FILES_MAX: u32 = 512;

/// Bytes that a file is cut by before it is removed. A file system that discards what is freed is
/// busy with each, and who waits sees that it goes on.
const CUT_BYTES: u64 = 256 << 20;

/// The folder of a run with its files laid out and open. Dropping it removes all it made.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// The files made so far, by path, so that nothing else is ever removed.
    paths: Vec<PathBuf>,
    files: Vec<OwnedFd>,
    /// Who answers on the connections that a plan has in place of files.
    far_end: Option<FarEnd>,
    /// What ops by name use, if the plan has such.
    names: Option<Names>,
    removed: bool,
}

/// Lets this process have the files of all streams of a plan open at the same time.
///
/// # Errors
///
/// If it may not have that many.
pub fn allow_all(dir: Option<&Path>, plan: &Plan) -> Result<(), ScratchError> {
    let files = plan.streams().map(descriptors).sum::<u32>();
    let dir = dir.unwrap_or(Path::new(DEFAULT_DIR));
    open_files::allow(files.into()).map_err(|limit| too_many_files(dir, files, limit))
}

/// Descriptors of the files or connections of a stream.
fn descriptors(plan: &Plan) -> u32 {
    // What was opened by name stays so until its completion is reaped.
    let opened = if plan.mix.meta.openat > 0 { plan.depth } else { 0 };
    if plan.sockets.is_some() { 2 * plan.files + 1 } else { plan.files + opened }
}

impl Scratch {
    /// Makes a folder `iowq-<pid>-<n>` in `dir`, or in [`DEFAULT_DIR`], lays the plan's files out in
    /// it in the state it specifies, writes them to the device and opens them with the plan's flags.
    ///
    /// # Errors
    ///
    /// If the folder or the files cannot be made there. Nothing is left behind then.
    pub fn new(dir: Option<&Path>, plan: &Plan) -> Result<Scratch, ScratchError> {
        Scratch::new_telling(dir, plan, &mut |_, _, _| {})
    }

    /// The same, telling how far it is.
    ///
    /// # Errors
    ///
    /// As [`Scratch::new`].
    pub fn new_telling(
        dir: Option<&Path>,
        plan: &Plan,
        tell: Tell<'_>,
    ) -> Result<Scratch, ScratchError> {
        let mut scratch = Scratch::empty(dir, plan)?;
        let dir = dir.unwrap_or(Path::new(DEFAULT_DIR));
        if let Some(sockets) = plan.sockets {
            scratch.connect(plan, sockets).map_err(|cause| cannot_connect(dir, plan, &cause))?;
            return Ok(scratch);
        }
        // On an early return the drop removes what was made, before the caller gets the error.
        if let Err(failure) = scratch.lay_out(plan, tell) {
            drop(scratch);
            return Err(cannot_lay_out(dir, plan, failure));
        }
        scratch.open(plan).map_err(|(open, errno)| cannot_open(dir, open, errno))?;
        scratch.check_direct(plan).map_err(|sector| no_whole_sectors(dir, plan, sector))?;
        Ok(scratch)
    }

    /// Makes the files, or the first of many, with space for all blocks and none of their data, to find
    /// out whether that can be. Takes a moment, also on a file system that reserves no space: its free space is compared.
    ///
    /// # Errors
    ///
    /// As [`Scratch::new`].
    pub fn check(dir: Option<&Path>, plan: &Plan) -> Result<Scratch, ScratchError> {
        if plan.sockets.is_some() {
            return Scratch::new(dir, plan);
        }
        let mut scratch = Scratch::empty(dir, plan)?;
        let dir = dir.unwrap_or(Path::new(DEFAULT_DIR));
        if let Err(failure) = scratch.reserve(plan) {
            drop(scratch);
            return Err(cannot_lay_out(dir, plan, failure));
        }
        scratch.open(plan).map_err(|(open, errno)| cannot_open(dir, open, errno))?;
        scratch.check_direct(plan).map_err(|sector| no_whole_sectors(dir, plan, sector))?;
        Ok(scratch)
    }

    /// The files, in the plan's order, or the near ends of its connections; behind those of pipes is
    /// where what is spliced goes.
    #[must_use]
    pub fn files(&self) -> &[OwnedFd] {
        &self.files
    }

    /// Who answers on the plan's connections, if it has any.
    #[must_use]
    pub fn far_end(&self) -> Option<&FarEnd> {
        self.far_end.as_ref()
    }

    /// What ops by name use; none if the plan has no such ops.
    #[must_use]
    pub fn names(&self) -> Option<&Names> {
        self.names.as_ref()
    }

    /// The folder they are in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks that what was promised to be on the device does not wait in the page cache, then reads
    /// back every block whose contents the ledger knows, from the device, and compares it byte for
    /// byte. [`verify`] says what that shows.
    ///
    /// # Errors
    ///
    /// The first block that cannot be read, does not hold what it must or was never written back.
    pub fn verify(
        &self,
        plan: &Plan,
        seed: u64,
        ledger: &Ledger,
        tell: Tell<'_>,
    ) -> Result<Verified, VerifyError> {
        if plan.sockets.is_some() {
            return Ok(Verified { blocks: 0, from: Source::Device, written_back_bytes: Some(0) });
        }
        verify::verify(&self.paths, plan, seed, ledger, tell)
    }

    /// Closes and removes the files and the folder.
    ///
    /// # Errors
    ///
    /// Names what could not be removed and is still there.
    pub fn remove(self) -> Result<(), RemoveError> {
        self.remove_telling(&mut |_, _, _| {})
    }

    /// The same, telling how far it is.
    ///
    /// # Errors
    ///
    /// As [`Scratch::remove`].
    pub fn remove_telling(mut self, tell: Tell<'_>) -> Result<(), RemoveError> {
        self.remove_all(tell)
    }

    /// A folder without files yet, for a plan whose files can all be open.
    fn empty(dir: Option<&Path>, plan: &Plan) -> Result<Scratch, ScratchError> {
        let folder = own_folder(dir)?;
        let (paths, files) = (Vec::new(), Vec::new());
        let (far_end, names) = (None, None);
        let scratch = Scratch { folder, paths, files, far_end, names, removed: false };
        let dir = dir.unwrap_or(Path::new(DEFAULT_DIR));
        open_files::allow(descriptors(plan).into())
            .map_err(|limit| too_many_files(dir, descriptors(plan), limit))?;
        Ok(scratch)
    }

    fn connect(&mut self, plan: &Plan, sockets: Sockets) -> std::io::Result<()> {
        let sends = plan.mix.send > 0;
        let (near, far) = io::sockets::connect(sockets.kind, plan.files, sends)?;
        self.files = near;
        self.files.push(io::sockets::nowhere()?);
        self.far_end = Some(FarEnd::start(far)?);
        Ok(())
    }

    fn lay_out(&mut self, plan: &Plan, tell: Tell<'_>) -> Result<(), io::Failure> {
        let folder = io::open_to_read(&self.folder)?;
        let mut layout = layout::Layout::new(plan, &folder);
        for file in 0..plan.files {
            let path = self.folder.join(names::of_file(file));
            let new = io::create_new(&path)?;
            self.paths.push(path);
            layout.lay_out(&new, file, tell)?;
        }
        layout.finish()?;
        self.names = Names::of(plan, folder);
        Ok(())
    }

    fn reserve(&mut self, plan: &Plan) -> Result<(), io::Failure> {
        let bytes = plan.file_blocks * u64::from(plan.block_bytes);
        let checked = plan.files.min(CHECKED_FILES_MAX);
        let mut unreserved_bytes = bytes.saturating_mul(u64::from(plan.files - checked));
        for file in 0..checked {
            let path = self.folder.join(names::of_file(file));
            let new = io::create_new(&path)?;
            self.paths.push(path);
            if !layout::try_reserve(&new, bytes)? {
                io::truncate(&new, bytes)?;
                unreserved_bytes = unreserved_bytes.saturating_add(bytes);
            }
        }
        match io::free_bytes(&self.folder)? {
            Some(free_bytes) if free_bytes < unreserved_bytes => Err(Errno::NOSPC.into()),
            _ => Ok(()),
        }
    }

    fn open(&mut self, plan: &Plan) -> Result<(), (Open, Errno)> {
        for (path, open) in self.paths.iter().zip(&plan.open) {
            self.files.push(io::open(path, *open).map_err(|errno| (*open, errno))?);
        }
        layout::leave_cache(plan, &self.files);
        Ok(())
    }

    /// Whether blocks are whole sectors of the device, if a file is opened direct. The error is what
    /// they must be a multiple of.
    fn check_direct(&self, plan: &Plan) -> Result<(), u32> {
        let mut files = self.files.iter().zip(&plan.open);
        let direct = files.find(|(_, open)| **open == Open::Direct);
        match direct.and_then(|(file, _)| io::direct_sector_bytes(file)) {
            Some(sector) if !plan.block_bytes.is_multiple_of(sector) => Err(sector),
            _ => Ok(()),
        }
    }

    fn remove_all(&mut self, tell: Tell<'_>) -> Result<(), RemoveError> {
        if self.removed {
            return Ok(());
        }
        self.removed = true;
        self.files.clear();
        let mut left: Vec<(PathBuf, Errno)> = Vec::new();
        for path in self.paths.drain(..) {
            cut(&path, tell);
            if let Err(errno) = io::remove(&path) {
                left.push((path, errno));
            }
        }
        for name in self.names.take().iter().flat_map(Names::sides) {
            let path = self.folder.join(OsStr::from_bytes(name.to_bytes()));
            if let Err(errno) = io::remove(&path) {
                left.push((path, errno));
            }
        }
        if let Err(errno) = io::remove_folder(&self.folder) {
            left.push((self.folder.clone(), errno));
        }
        // A file that another process removed first is no error.
        left.retain(|(_, errno)| *errno != Errno::NOENT);
        if left.is_empty() { Ok(()) } else { Err(RemoveError { left }) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // An error cannot be returned from here; `remove` returns it.
        let _ = self.remove_all(&mut |_, _, _| {});
    }
}

/// Makes an empty folder `iowq-<pid>-<n>` in `dir`, or in [`DEFAULT_DIR`].
///
/// # Errors
///
/// If it cannot be made there.
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

/// Shortens a file step by step. What cannot be cut is removed as it is.
fn cut(path: &Path, tell: Tell<'_>) {
    let Ok((file, all_bytes)) = io::open_to_cut(path) else { return };
    let mut left_bytes = all_bytes;
    while left_bytes > CUT_BYTES && io::truncate(&file, left_bytes - CUT_BYTES).is_ok() {
        left_bytes -= CUT_BYTES;
        tell(Step::Removing, all_bytes - left_bytes, all_bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
    use rustix::thread::{UnshareFlags, unshare_unsafe};

    use super::*;
    use crate::sync::thread;

    #[test]
    fn files_are_checked_in_a_moment_where_no_space_can_be_reserved() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let run = move || {
            // SAFETY: only this thread's view of mounts and its current folder are split off, which no
            // other thread relies on.
            let own = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
            let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
            if let Err(errno) = own.and_then(|()| mount_change("/", private)) {
                let _ = writeln!(std::io::stderr(), "skipped: a check of files: {errno}");
                return;
            }
            mount("none", &path, "ramfs", MountFlags::empty(), None).expect("a mount");
            // With its data it would take all memory.
            let text = "[files]\ncount = 1\nsize_mib = 262144";
            let plan = Plan::parse("large", "large.toml", text).expect("a valid spec");
            Scratch::check(Some(&path), &plan).expect("no limit is known").remove().expect("gone");
        };
        thread::spawn(run).join().expect("it ends well");
    }
}
