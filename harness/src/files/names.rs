//! Names of the files under test, and of side files: what ops by name are about.
//!
//! A side file is empty, belongs to one op in flight, and is made for it by the submitter, so that no
//! file under test is ever lost. Names are looked up from the folder of the run, wherever that is.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use iowq_workloads::{Op, OpKind, Plan};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::{Errno, retry_on_intr};

/// How a file is opened by name.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
/// What is asked of a file's status: all that stat(2) has.
const STATX: StatxFlags = StatxFlags::BASIC_STATS;

/// The name of the file with this number.
pub(super) fn of_file(file: u32) -> String {
    format!("file-{file}")
}

/// The names that the ops of a plan use.
#[derive(Debug)]
pub struct Names {
    folder: OwnedFd,
    /// Of the files under test; none if no op uses them.
    files: Vec<CString>,
    /// Of each op in flight: of its side file, and what that is renamed to; none if no op has one.
    sides: Vec<[CString; 2]>,
}

/// A file as an op by name finds it. What it points to must outlive the op, see [`Names`].
#[derive(Clone, Copy, Debug)]
pub struct NamedFile {
    folder: RawFd,
    name: *const libc::c_char,
    new_name: *const libc::c_char,
}

// SAFETY: names are never changed.
unsafe impl Send for NamedFile {}

impl Names {
    /// Those of a plan in this folder; none if no op of the plan uses a name.
    pub(super) fn of(plan: &Plan, folder: OwnedFd) -> Option<Names> {
        let has = |wanted: &[OpKind]| plan.kinds().any(|kind| wanted.contains(&kind));
        let name = |text: String| CString::new(text).unwrap_or_default();
        let files = if has(&[OpKind::Openat, OpKind::Statx]) { plan.files } else { 0 };
        let sides = if has(&[OpKind::Rename, OpKind::Unlink]) { plan.depth } else { 0 };
        let side = |slot| [name(format!("side-{slot}")), name(format!("renamed-{slot}"))];
        (files + sides > 0).then(|| Names {
            folder,
            files: (0..files).map(|file| name(of_file(file))).collect(),
            sides: (0..sides).map(side).collect(),
        })
    }

    /// The file of an op in this slot.
    #[must_use]
    pub fn file_of(&self, op: &Op, slot: u32) -> NamedFile {
        let names = match op.kind {
            OpKind::Openat | OpKind::Statx => {
                self.files.get(op.file as usize).map(|name| (name, name))
            }
            _ if op.kind.has_side_file() => {
                self.sides.get(slot as usize).map(|[name, new_name]| (name, new_name))
            }
            _ => None,
        };
        names.map_or(NamedFile::NONE, |(name, new_name)| NamedFile {
            folder: self.folder.as_raw_fd(),
            name: name.as_ptr(),
            new_name: new_name.as_ptr(),
        })
    }

    /// Makes the side file of an op in this slot, if it has one. If that fails, so does the op.
    pub fn prepare(&self, op: &Op, slot: u32) {
        let Some([name, _]) = self.sides.get(slot as usize) else { return };
        if op.kind.has_side_file() {
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
            let mode = Mode::RUSR | Mode::WUSR;
            let _ = retry_on_intr(|| rustix::fs::openat(self.folder.as_fd(), name, flags, mode));
        }
    }

    /// All names that side files may have.
    pub(super) fn sides(&self) -> impl Iterator<Item = &CStr> {
        self.sides.iter().flatten().map(CString::as_c_str)
    }
}

impl NamedFile {
    /// None: each call fails.
    pub const NONE: NamedFile =
        NamedFile { folder: libc::AT_FDCWD, name: c"".as_ptr(), new_name: c"".as_ptr() };

    /// That of an op in this slot, if there are names.
    #[must_use]
    pub fn of(names: Option<&Names>, op: &Op, slot: u32) -> NamedFile {
        names.map_or(NamedFile::NONE, |names| names.file_of(op, slot))
    }

    /// The flags it is opened with.
    pub const OPEN_FLAGS: i32 = OPEN.bits() as i32;

    /// What is asked of its status.
    pub const STATX_MASK: u32 = STATX.bits();

    /// The folder that names are looked up from.
    #[must_use]
    pub fn folder(self) -> RawFd {
        self.folder
    }

    /// Its name, as C has it.
    #[must_use]
    pub fn name(self) -> *const libc::c_char {
        self.name
    }

    /// What it is renamed to, as C has it.
    #[must_use]
    pub fn new_name(self) -> *const libc::c_char {
        self.new_name
    }

    /// Opens it to read.
    ///
    /// # Errors
    ///
    /// What open(2) says.
    pub fn open(self) -> Result<OwnedFd, Errno> {
        let (folder, name, _) = self.parts();
        retry_on_intr(|| rustix::fs::openat(folder, name, OPEN, Mode::empty()))
    }

    /// The same, if the kernel finds the name in memory.
    ///
    /// # Errors
    ///
    /// What openat2(2) says of `RESOLVE_CACHED`: `EAGAIN` if it is not there.
    pub fn open_cached(self) -> Result<OwnedFd, Errno> {
        let (folder, name, _) = self.parts();
        rustix::fs::openat2(folder, name, OPEN, Mode::empty(), ResolveFlags::CACHED)
    }

    /// Asks for its status.
    ///
    /// # Errors
    ///
    /// What statx(2) says.
    pub fn statx(self) -> Result<(), Errno> {
        let (folder, name, _) = self.parts();
        rustix::fs::statx(folder, name, AtFlags::empty(), STATX).map(drop)
    }

    /// Gives it its new name; what had that before is gone.
    ///
    /// # Errors
    ///
    /// What rename(2) says.
    pub fn rename(self) -> Result<(), Errno> {
        let (folder, name, new_name) = self.parts();
        rustix::fs::renameat(folder, name, folder, new_name)
    }

    /// Removes it.
    ///
    /// # Errors
    ///
    /// What unlink(2) says.
    pub fn unlink(self) -> Result<(), Errno> {
        let (folder, name, _) = self.parts();
        rustix::fs::unlinkat(folder, name, AtFlags::empty())
    }

    fn parts<'a>(self) -> (BorrowedFd<'a>, &'a CStr, &'a CStr) {
        // SAFETY: folder and names are those of `Names`, which outlive the op, or `NONE`.
        unsafe {
            let folder = BorrowedFd::borrow_raw(self.folder);
            (folder, CStr::from_ptr(self.name), CStr::from_ptr(self.new_name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_name_is_not_found() {
        assert_eq!(NamedFile::NONE.open().err(), Some(Errno::NOENT));
        assert_eq!(NamedFile::NONE.statx(), Err(Errno::NOENT));
        assert_eq!(NamedFile::NONE.rename(), Err(Errno::NOENT));
        assert_eq!(NamedFile::NONE.unlink(), Err(Errno::NOENT));
    }
}
