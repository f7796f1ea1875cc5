//! Files: reading and writing with errors that name the file, and never half.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::BuildError;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Permission bits.
    pub(super) mode: u32,
}

/// Makes a folder, with all above it. Returns its absolute path.
pub(super) fn make_folder(path: &Path) -> Result<PathBuf, BuildError> {
    fs::create_dir_all(path).map_err(|cause| BuildError::io("create", path, cause))?;
    fs::canonicalize(path).map_err(|cause| BuildError::io("open", path, cause))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|cause| BuildError::io("read", path, cause))
}

/// A file that may be absent.
pub(super) fn content(path: &Path) -> Result<Option<Content>, BuildError> {
    let found = fs::read(path).and_then(|bytes| {
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        Ok(Content { bytes, mode })
    });
    match found {
        Ok(content) => Ok(Some(content)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(BuildError::io("read", path, cause)),
    }
}

/// Writes a file as a whole: whoever looks sees the old one or the new one.
pub(super) fn write(path: &Path, content: &Content) -> Result<(), BuildError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".iowq-new");
    let new = path.with_file_name(name);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&new, &content.bytes))
        .and_then(|()| fs::set_permissions(&new, Permissions::from_mode(content.mode)))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|cause| BuildError::io("write", path, cause))
}

/// Writes a file of the cache.
pub(super) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    write(path, &Content { bytes: bytes.to_vec(), mode: 0o644 })
}

/// Removes a file, a link or a folder with all in it. It may be absent.
pub(super) fn remove(path: &Path) -> Result<(), BuildError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match removed {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(BuildError::io("remove", path, cause))
        }
        _ => Ok(()),
    }
}

/// SHA-256 of bytes, in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file that is too large to be held, in hex.
pub(super) fn sha256_of(path: &Path) -> Result<String, BuildError> {
    let digest = || {
        let mut digest = Sha256::new();
        io::copy(&mut fs::File::open(path)?, &mut Hashing(&mut digest))?;
        Ok(hex(&digest.finalize()))
    };
    digest().map_err(|cause| BuildError::io("read", path, cause))
}

/// A writer that only counts what goes by into a digest.
struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_digests_are_sha_256() -> Result<(), BuildError> {
        // Of FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("abc");
        write_bytes(&path, b"abc")?;
        assert_eq!(sha256_of(&path)?, expected);
        Ok(())
    }

    #[test]
    fn a_file_keeps_its_mode_and_an_absent_one_is_none() -> Result<(), BuildError> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("scripts/run.sh");
        let script = Content { bytes: b"exit 0\n".to_vec(), mode: 0o755 };
        assert_eq!(content(&path)?, None);
        write(&path, &script)?;
        assert_eq!(content(&path)?, Some(script));
        remove(&path)?;
        remove(&path)?;
        assert_eq!(content(&path)?, None);
        Ok(())
    }
}
