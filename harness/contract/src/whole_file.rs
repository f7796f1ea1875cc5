//! Replacing a file as a whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file so that a reader sees the old content or the new one, never a part, and so that
/// the new one is on the device afterwards: into a temporary file in the same folder, which is
/// synced and then renamed.
///
/// # Errors
///
/// What the system says to creating, writing or renaming a file in that folder. The file is then as
/// it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; a file that was never created cannot be removed.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("file");
        for content in ["first and longer", "second"] {
            write_whole(&path, content.as_bytes())?;
            assert_eq!(fs::read_to_string(&path)?, content);
        }
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_else_is_left() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("folder");
        fs::create_dir_all(path.join("inside"))?;
        assert!(write_whole(&path, b"text").is_err());
        assert!(path.join("inside").is_dir());
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        assert!(write_whole(&folder.path().join("absent/file"), b"text").is_err());
        Ok(())
    }
}
