//! Files: the only door to the system calls that touch them.
//!
//! Thin on purpose. A read or write moves a whole block or fails: nothing here continues after a
//! short one, because that would be a second op that is not counted.

mod cpus;
pub mod sockets;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

pub use cpus::{allowed_cpus, configured_cpus, confine, set_of_cpus};
use iowq_workloads::Open;
use rustix::fs::{FallocateFlags, Mode, OFlags};
pub use rustix::io::Errno;
use rustix::io::{IoSlice, IoSliceMut, ReadWriteFlags, retry_on_intr};

/// Flag of a read or write that fails rather than waits (`RWF_NOWAIT`).
pub const RWF_NOWAIT: i32 = libc::RWF_NOWAIT;

/// Why an op on a file did not do all it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call failed.
    Errno(Errno),
    /// The call moved fewer bytes than a block has.
    Short {
        /// Bytes moved.
        done_bytes: usize,
        /// Bytes requested.
        wanted_bytes: usize,
    },
}

impl Failure {
    /// A name to count failures by: the errno's, or `short`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Failure::Errno(errno) => errno_name(errno.raw_os_error()),
            Failure::Short { .. } => "short",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Failure::Errno(errno) => write!(f, "{} ({errno})", self.name()),
            Failure::Short { done_bytes, wanted_bytes } => {
                write!(f, "short: {done_bytes} of {wanted_bytes} bytes")
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure::Errno(errno)
    }
}

/// The errnos that file, thread and ring calls are known to return, by name.
const ERRNO_NAMES: [(i32, &str); 34] = [
    (libc::EPERM, "EPERM"),
    (libc::ENOENT, "ENOENT"),
    (libc::EINTR, "EINTR"),
    (libc::EIO, "EIO"),
    (libc::ENXIO, "ENXIO"),
    (libc::EBADF, "EBADF"),
    (libc::EAGAIN, "EAGAIN"),
    (libc::ENOMEM, "ENOMEM"),
    (libc::EACCES, "EACCES"),
    (libc::EFAULT, "EFAULT"),
    (libc::EBUSY, "EBUSY"),
    (libc::EEXIST, "EEXIST"),
    (libc::ENODEV, "ENODEV"),
    (libc::ENOTDIR, "ENOTDIR"),
    (libc::EISDIR, "EISDIR"),
    (libc::EINVAL, "EINVAL"),
    (libc::ENFILE, "ENFILE"),
    (libc::EMFILE, "EMFILE"),
    (libc::ETXTBSY, "ETXTBSY"),
    (libc::EFBIG, "EFBIG"),
    (libc::ENOSPC, "ENOSPC"),
    (libc::EROFS, "EROFS"),
    (libc::ENAMETOOLONG, "ENAMETOOLONG"),
    (libc::ENOSYS, "ENOSYS"),
    (libc::ENOTEMPTY, "ENOTEMPTY"),
    (libc::ELOOP, "ELOOP"),
    (libc::ETIME, "ETIME"),
    (libc::EOVERFLOW, "EOVERFLOW"),
    (libc::EOPNOTSUPP, "EOPNOTSUPP"),
    (libc::EALREADY, "EALREADY"),
    (libc::ESTALE, "ESTALE"),
    (libc::EUCLEAN, "EUCLEAN"),
    (libc::EDQUOT, "EDQUOT"),
    (libc::ECANCELED, "ECANCELED"),
];

/// The name of an errno, `errno` if it is none of those expected here.
#[must_use]
pub fn errno_name(errno: i32) -> &'static str {
    ERRNO_NAMES.iter().find(|(known, _)| *known == errno).map_or("errno", |(_, name)| name)
}

/// Makes a file that must not exist yet, for reading and writing, for its owner alone.
///
/// # Errors
///
/// What open(2) says; `EEXIST` if anything of that name is there, also a dangling link.
pub fn create_new(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR))
}

/// Opens a file for reading and writing, with the flags of a plan.
///
/// # Errors
///
/// What open(2) says; `EINVAL` if the file system does not take `O_DIRECT`.
pub fn open(path: &Path, open: Open) -> Result<OwnedFd, Errno> {
    let extra = match open {
        Open::Buffered => OFlags::empty(),
        Open::Dsync => OFlags::DSYNC,
        Open::Sync => OFlags::SYNC,
        Open::Direct => OFlags::DIRECT,
    };
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | extra;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
}

/// Opens a file or folder for reading through the page cache. Never waits, not even for a pipe.
///
/// # Errors
///
/// What open(2) says.
pub fn open_to_read(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
}

/// Reads as many bytes as there is room for, from `offset_bytes` on.
///
/// # Errors
///
/// What pread(2) says, or [`Failure::Short`] if it read less.
pub fn pread(file: impl AsFd, bytes: &mut [u8], offset_bytes: u64) -> Result<(), Failure> {
    let done = retry_on_intr(|| rustix::io::pread(&file, &mut *bytes, offset_bytes))?;
    whole(done, bytes.len())
}

/// Reads as many bytes as there are, from `offset_bytes` on; returns how many that were.
///
/// # Errors
///
/// What pread(2) says.
pub fn read_up_to(file: impl AsFd, bytes: &mut [u8], offset_bytes: u64) -> Result<usize, Errno> {
    retry_on_intr(|| rustix::io::pread(&file, &mut *bytes, offset_bytes))
}

/// Writes all the bytes, from `offset_bytes` on.
///
/// # Errors
///
/// What pwrite(2) says, or [`Failure::Short`] if it wrote less.
pub fn pwrite(file: impl AsFd, bytes: &[u8], offset_bytes: u64) -> Result<(), Failure> {
    let done = retry_on_intr(|| rustix::io::pwrite(&file, bytes, offset_bytes))?;
    whole(done, bytes.len())
}

/// Reads without waiting; returns the bytes that were there.
///
/// # Errors
///
/// What preadv2(2) says of `RWF_NOWAIT`: `EAGAIN` if it would block, `EOPNOTSUPP` if the file
/// system cannot tell.
pub fn read_nowait(file: impl AsFd, bytes: &mut [u8], offset_bytes: u64) -> Result<usize, Errno> {
    let mut slices = [IoSliceMut::new(bytes)];
    rustix::io::preadv2(file, &mut slices, offset_bytes, ReadWriteFlags::NOWAIT)
}

/// Writes without waiting; returns how many bytes were written.
///
/// # Errors
///
/// What pwritev2(2) says of `RWF_NOWAIT`, as [`read_nowait`].
pub fn write_nowait(file: impl AsFd, bytes: &[u8], offset_bytes: u64) -> Result<usize, Errno> {
    let slices = [IoSlice::new(bytes)];
    rustix::io::pwritev2(file, &slices, offset_bytes, ReadWriteFlags::NOWAIT)
}

/// Whether the file system of a file takes direct writes to one file in parallel, so that io-wq
/// need not take them one by one (`FOP_DIO_PARALLEL_WRITE`): ext4 and XFS, of those known here.
///
/// # Errors
///
/// What fstatfs(2) says.
pub fn direct_writes_in_parallel(file: impl AsFd) -> Result<bool, Errno> {
    let kind = rustix::fs::fstatfs(file)?.f_type;
    Ok([libc::EXT4_SUPER_MAGIC, libc::XFS_SUPER_MAGIC].contains(&kind))
}

/// What offset and length of direct reads and writes of a file must be a multiple of, in bytes; none
/// if the kernel cannot tell, as before Linux 6.1.
pub fn direct_sector_bytes(file: impl AsFd) -> Option<u32> {
    let flags = rustix::fs::StatxFlags::DIOALIGN;
    let status = rustix::fs::statx(file, c"", rustix::fs::AtFlags::EMPTY_PATH, flags).ok()?;
    let sector_bytes = status.stx_dio_offset_align;
    (status.stx_mask & flags.bits() != 0 && sector_bytes > 0).then_some(sector_bytes)
}

fn whole(done_bytes: usize, wanted_bytes: usize) -> Result<(), Failure> {
    if done_bytes == wanted_bytes {
        return Ok(());
    }
    Err(Failure::Short { done_bytes, wanted_bytes })
}

/// Brings a file, or the names in a folder, to the device.
///
/// # Errors
///
/// What fsync(2) says.
pub fn fsync(file: impl AsFd) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::fsync(&file))
}

/// Flushes a file's data to its device, and of the rest what is needed to read it back.
///
/// # Errors
///
/// What fdatasync(2) says.
pub fn fdatasync(file: impl AsFd) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::fdatasync(&file))
}

/// Reserves space for a range of bytes; the file grows if it ends before the range does.
///
/// # Errors
///
/// What fallocate(2) says; `EOPNOTSUPP` if the file system cannot.
pub fn fallocate(file: impl AsFd, offset_bytes: u64, length_bytes: u64) -> Result<(), Errno> {
    retry_on_intr(|| {
        rustix::fs::fallocate(&file, FallocateFlags::empty(), offset_bytes, length_bytes)
    })
}

/// Flags of [`sync_file_range`]: what is under way is waited for, and so is what is begun then.
pub const SYNC_RANGE_FLAGS: u32 = libc::SYNC_FILE_RANGE_WAIT_BEFORE
    | libc::SYNC_FILE_RANGE_WRITE
    | libc::SYNC_FILE_RANGE_WAIT_AFTER;

/// Writes all dirty pages of a file to its device and waits for that, without a promise.
///
/// # Errors
///
/// What sync_file_range(2) says.
pub fn sync_file_range(file: BorrowedFd<'_>) -> Result<(), Errno> {
    retry_on_intr(|| {
        // SAFETY: the call takes numbers only.
        let done = unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, SYNC_RANGE_FLAGS) };
        if done == 0 { Ok(()) } else { Err(errno_of(&std::io::Error::last_os_error())) }
    })
}

/// Brings all that is dirty in the file system of a file to its device.
///
/// # Errors
///
/// What syncfs(2) says.
pub fn sync_file_system(file: impl AsFd) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::syncfs(&file))
}

/// Sets the length of a file: what is beyond is gone, and what is missing is a hole.
///
/// # Errors
///
/// What ftruncate(2) says.
pub fn truncate(file: impl AsFd, bytes: u64) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::ftruncate(&file, bytes))
}

/// Opens an ordinary file to shorten it, and says how long it is.
///
/// # Errors
///
/// What open(2) and fstat(2) say.
pub fn open_to_cut(path: &Path) -> Result<(OwnedFd, u64), Errno> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
    let bytes = u64::try_from(rustix::fs::fstat(&file)?.st_size).unwrap_or(0);
    Ok((file, bytes))
}

/// Removes a file.
///
/// # Errors
///
/// What unlink(2) says.
pub fn remove(path: &Path) -> Result<(), Errno> {
    rustix::fs::unlink(path)
}

/// Makes a folder that must not exist yet, for its owner alone.
///
/// # Errors
///
/// What mkdir(2) says.
pub fn make_folder(path: &Path) -> Result<(), Errno> {
    rustix::fs::mkdir(path, Mode::RWXU)
}

/// Makes a folder and those above it, if they are missing.
///
/// # Errors
///
/// What mkdir(2) says.
pub fn make_folders(path: &Path) -> Result<(), Errno> {
    std::fs::create_dir_all(path).map_err(|error| errno_of(&error))
}

/// Removes a folder, which must be empty.
///
/// # Errors
///
/// What rmdir(2) says.
pub fn remove_folder(path: &Path) -> Result<(), Errno> {
    rustix::fs::rmdir(path)
}

/// Bytes that an ordinary user may still write to the file system of a path; none if it has no end
/// that it knows, as memory has not.
///
/// # Errors
///
/// What statfs(2) says.
pub fn free_bytes(path: &Path) -> Result<Option<u64>, Errno> {
    let status = rustix::fs::statvfs(path)?;
    let free_bytes = status.f_bavail.saturating_mul(status.f_frsize);
    Ok((status.f_blocks > 0).then_some(free_bytes))
}

/// The errno behind an error of the standard library, `EIO` if it has none.
fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// The contents of an ordinary file, but no more than `bytes_max` and one byte of them, so that a
/// caller can tell that a file is too long without reading all of it; and the file's real length.
///
/// # Errors
///
/// What open(2) and read(2) say; `EISDIR` for a folder, `EINVAL` for a pipe, socket or device.
pub fn read_start(path: &Path, bytes_max: u64) -> Result<(Vec<u8>, u64), Errno> {
    let mut file = File::from(open_to_read(path)?);
    let status = rustix::fs::fstat(&file)?;
    match rustix::fs::FileType::from_raw_mode(status.st_mode) {
        rustix::fs::FileType::RegularFile => {}
        rustix::fs::FileType::Directory => return Err(Errno::ISDIR),
        _ => return Err(Errno::INVAL),
    }
    let mut bytes = Vec::new();
    let mut start = (&mut file).take(bytes_max.saturating_add(1));
    start.read_to_end(&mut bytes).map_err(|error| errno_of(&error))?;
    let length = u64::try_from(status.st_size).unwrap_or(0).max(bytes.len() as u64);
    Ok((bytes, length))
}

/// These bytes as a file without a name, to be read from its start: unlike a pipe it holds any
/// number of them, whether or not they are read.
///
/// # Errors
///
/// What memfd_create(2), write(2) and lseek(2) say.
pub fn memory_file(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = rustix::fs::memfd_create("iowq", rustix::fs::MemfdFlags::CLOEXEC)?;
    pwrite(&file, bytes, 0).map_err(|failure| match failure {
        Failure::Errno(errno) => errno,
        Failure::Short { .. } => Errno::NOMEM,
    })?;
    Ok(file)
}

/// Id of the calling thread, as the kernel numbers it.
#[must_use]
pub fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// Id of the process that started this one, or of its reaper once that one has ended.
#[must_use]
pub fn parent_id() -> Option<u32> {
    Some(rustix::process::getppid()?.as_raw_nonzero().get().unsigned_abs())
}

/// Has the kernel kill this process when the thread that started it ends.
///
/// # Errors
///
/// What prctl(2) says.
pub fn die_with_parent() -> Result<(), Errno> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
}

/// Names the calling thread, which `ps` and `top` take for the process if it is the first.
///
/// # Errors
///
/// What prctl(2) says.
pub fn name_thread(name: &std::ffi::CStr) -> Result<(), Errno> {
    rustix::thread::set_name(name)
}

/// Makes this process the first of a session of its own, without a terminal.
///
/// # Errors
///
/// What setsid(2) says; `EPERM` if it is the first of a process group already.
pub fn own_session() -> Result<(), Errno> {
    rustix::process::setsid().map(drop)
}

/// Closes every descriptor but the standard three. Only for the start of a process, which has
/// opened nothing yet: what it closes is what careless parents left open.
///
/// # Errors
///
/// What close_range(2) says; `ENOSYS` before Linux 5.9.
pub fn close_inherited() -> Result<(), Errno> {
    // SAFETY: nothing in this process owns a descriptor above the standard three yet.
    let closed = unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
    if closed == 0 { Ok(()) } else { Err(errno_of(&std::io::Error::last_os_error())) }
}

/// Brings the loopback device of this network namespace up; it then has 127.0.0.1.
///
/// # Errors
///
/// What socket(2) and netdevice(7) say; `EPERM` without privilege.
pub fn loopback_up() -> Result<(), Errno> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").map_err(|error| errno_of(&error))?;
    // SAFETY: all zeros is a request, one with an empty name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the request is the struct that this call reads, and lives until it returns.
    let set = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if set == 0 { Ok(()) } else { Err(errno_of(&std::io::Error::last_os_error())) }
}

/// How many threads the user of this process may have; none if there is no limit.
#[must_use]
pub fn thread_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nproc).current
}
