//! Writing files whole or not at all: beside their target, synced, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::owner::hand_over;

/// How names of files begin that are not renamed yet. Their writer holds a lock on them, so that what
/// a killed one left is known.
const PREFIX: &str = ".iowq-";
/// How these names end.
const SUFFIX: &str = ".tmp";
/// Symbolic links that are followed, as many as the kernel does.
const LINKS_MAX: u32 = 40;

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A file that can be replaced, or nothing yet; symbolic links are followed.
    File(PathBuf),
    /// Standard output or error of this process.
    Standard(u32),
    /// A device, a pipe, a descriptor: what is written into.
    Stream,
}

/// Writes a file so that a reader sees the old content or the new one, never a part, and so that
/// the new one is on the device afterwards. A symbolic link stays, and its target is replaced. What
/// is no regular file is not replaced but written into.
///
/// # Errors
///
/// What the system says to creating, writing or renaming a file in that folder. The file is then as
/// it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_together(&[(path, bytes)]).map_err(|(_, error)| error)
}

/// Writes files that belong together, each as [`write_whole`] does: none is replaced before all are
/// on the device. A process that is killed while they are renamed, which takes microseconds, leaves
/// the others under their temporary names, and the next writer into that folder removes those.
///
/// # Errors
///
/// What the system said, with the path that it was about. All files are then as they were, unless it
/// was said to a stream or to a rename.
pub fn write_together<'a>(files: &[(&'a Path, &[u8])]) -> Result<(), (&'a Path, io::Error)> {
    let mut staged = Vec::new();
    let mut streams = Vec::new();
    for &(path, bytes) in files {
        let fail = |error| (path, error);
        match target(path).map_err(fail)? {
            Target::File(file) => {
                staged.push((path, stage(&file, bytes).map_err(fail)?, file));
            }
            stream => streams.push((path, bytes, stream)),
        }
    }
    for (path, bytes, stream) in streams {
        pour(path, bytes, &stream).map_err(|error| (path, error))?;
    }
    let mut folders: Vec<(&Path, PathBuf)> = Vec::new();
    for (path, staged, file) in staged {
        staged.persist(&file).map_err(|error| (path, error.error))?;
        let folder = folder_of(&file);
        if folders.iter().all(|(_, other)| other != folder) {
            folders.push((path, folder.to_owned()));
        }
    }
    for (path, folder) in folders {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| (path, error))?;
    }
    Ok(())
}

/// Writes a file as [`write_whole`] does, but only if there is none.
///
/// # Errors
///
/// As there, and [`ErrorKind::AlreadyExists`].
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_stream(path) {
        return write_whole(path, bytes);
    }
    // Before the work, and again when it is done.
    if path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    stage(path, bytes)?.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder_of(path))?.sync_all()
}

/// Whether a path leads to what is written into, such as a pipe, a device or `/dev/stdout`.
#[must_use]
pub fn is_stream(path: &Path) -> bool {
    target(path).is_ok_and(|target| !matches!(target, Target::File(_)))
}

fn target(path: &Path) -> io::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let status = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Target::File(path)),
            status => status?,
        };
        let kind = status.file_type();
        if kind.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        if kind.is_char_device() || kind.is_block_device() || kind.is_fifo() || kind.is_socket() {
            return Ok(Target::Stream);
        }
        if !kind.is_symlink() {
            return Ok(Target::File(path));
        }
        if let Some(descriptor) = descriptor(&path) {
            return Ok(descriptor);
        }
        // A link is relative to the folder that it is in.
        path = folder_of(&path).join(fs::read_link(&path)?);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// What a link of procfs stands for: an open descriptor, whatever its text says.
fn descriptor(link: &Path) -> Option<Target> {
    let folder = fs::canonicalize(folder_of(link)).ok()?;
    if !folder.starts_with("/proc") || link.file_name()?.to_str()?.parse::<u32>().is_err() {
        return None;
    }
    let own = folder == Path::new(&format!("/proc/{}/fd", std::process::id()));
    let number = link.file_name()?.to_str()?.parse().ok()?;
    Some(if own && (1..=2).contains(&number) { Target::Standard(number) } else { Target::Stream })
}

/// Writes into a stream. A reader that closed it has seen enough.
fn pour(path: &Path, bytes: &[u8], stream: &Target) -> io::Result<()> {
    let mut file = match stream {
        // Opened by its name it would have an offset of its own, and a socket cannot be.
        Target::Standard(1) => File::from(io::stdout().as_fd().try_clone_to_owned()?),
        Target::Standard(_) => File::from(io::stderr().as_fd().try_clone_to_owned()?),
        _ => OpenOptions::new().append(true).open(path)?,
    };
    match file.write_all(bytes) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The content on the device, in the folder of its target with mode and owner of what it
/// replaces.
fn stage(file: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = folder_of(file);
    sweep(folder);
    let staged = temporary(folder)?;
    staged.as_file().write_all(bytes)?;
    match fs::metadata(file) {
        Ok(before) => {
            // Only root may; the files of others are their own already.
            let _ = fchown(staged.as_file(), Some(before.uid()), Some(before.gid()));
            staged.as_file().set_permissions(before.permissions())?;
        }
        Err(_) => hand_over(staged.as_file()),
    }
    staged.as_file().sync_all()?;
    Ok(staged)
}

/// A new file with a name that [`sweep`] knows, and a lock that tells it to stay away.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        let file = builder.make_in(folder, |path| File::create_new(path))?;
        // Without locks, as on some network file systems, nothing is swept either.
        let _ = file.as_file().lock();
        // Swept before it was locked, if it has no name any more.
        if file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// Removes what killed writers left in a folder. What cannot be removed stays.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let is_ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if !is_ours(&name.to_string_lossy()) || !entry.file_type().is_ok_and(|it| it.is_file()) {
            continue;
        }
        if File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Command;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("n".repeat(255));
        for content in ["first and longer", "second"] {
            write_whole(&path, content.as_bytes())?;
            assert_eq!(fs::read_to_string(&path)?, content);
        }
        assert_eq!(names(folder.path()).len(), 1);
        Ok(())
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_else_is_left() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("folder");
        fs::create_dir_all(path.join("inside"))?;
        assert!(write_whole(&path, b"text").is_err());
        assert!(path.join("inside").is_dir());
        assert_eq!(names(folder.path()), ["folder"]);
        let absent = write_whole(&folder.path().join("absent/file"), b"text");
        assert_eq!(
            absent.expect_err("no folder").to_string(),
            "No such file or directory (os error 2)"
        );
        Ok(())
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        symlink("file", &link)?;
        for content in ["new", "old"] {
            write_whole(&link, content.as_bytes())?;
            assert!(fs::symlink_metadata(&link)?.is_symlink());
            assert_eq!(fs::read_to_string(&file)?, content);
        }
        symlink("itself", folder.path().join("itself"))?;
        assert!(write_whole(&folder.path().join("itself"), b"text").is_err());
        Ok(())
    }

    #[test]
    fn mode_and_owner_of_what_is_replaced_stay() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("file");
        fs::write(&path, "old")?;
        fs::set_permissions(&path, Permissions::from_mode(0o640))?;
        // For root alone.
        let _ = std::os::unix::fs::chown(&path, Some(1234), None);
        let before = fs::metadata(&path)?;
        write_whole(&path, b"new")?;
        let after = fs::metadata(&path)?;
        assert_eq!((after.mode(), after.uid()), (before.mode(), before.uid()));
        Ok(())
    }

    #[test]
    fn a_pipe_and_a_device_are_written_into() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status()?.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe)
        });
        write_whole(&pipe, b"text")?;
        assert_eq!(reader.join().expect("it reads")?, b"text");
        assert!(fs::symlink_metadata(&pipe)?.file_type().is_fifo());
        write_whole(Path::new("/dev/null"), b"text")?;
        assert!(fs::symlink_metadata("/dev/null")?.file_type().is_char_device());
        Ok(())
    }

    #[test]
    fn a_descriptor_is_written_into_and_a_file_of_procfs_is_none() -> io::Result<()> {
        use std::os::fd::AsRawFd as _;
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), "before, ")?;
        let link = format!("/proc/self/fd/{}", file.as_file().as_raw_fd());
        write_whole(Path::new(&link), b"text")?;
        assert_eq!(fs::read_to_string(file.path())?, "before, text");
        assert_eq!(target(Path::new("/proc/self/fd/1"))?, Target::Standard(1));
        assert_eq!(target(Path::new("/dev/fd/2"))?, Target::Standard(2));
        assert!(!is_stream(Path::new("/proc/self/environ")));
        Ok(())
    }

    #[test]
    fn files_that_belong_together_are_all_replaced_or_none() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [page, summary] = ["page", "summary"].map(|name| folder.path().join(name));
        fs::write(&page, "old")?;
        fs::create_dir(&summary)?;
        let (at, _) = write_together(&[(&page, b"new"), (&summary, b"new")]).expect_err("a folder");
        assert_eq!((at, fs::read_to_string(&page)?), (&*summary, "old".to_owned()));
        assert_eq!(names(folder.path()), ["page", "summary"]);
        Ok(())
    }

    #[test]
    fn a_new_file_replaces_none_and_another_try_may_follow_one_that_failed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("file");
        write_new(&path, b"first")?;
        let again = write_new(&path, b"second").expect_err("it is there");
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path)?, "first");
        assert_eq!(names(folder.path()), ["file"]);
        Ok(())
    }

    #[test]
    fn what_a_killed_writer_left_goes_with_the_next_and_that_of_a_living_one_stays()
    -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let living = temporary(folder.path())?;
        let (_, killed) = temporary(folder.path())?.keep().map_err(|error| error.error)?;
        write_whole(&folder.path().join("file"), b"text")?;
        assert!(living.path().exists() && !killed.exists());
        assert_eq!(names(folder.path()).len(), 2);
        Ok(())
    }
}
