//! Why an image cannot be booted, or a disk not be reached with it, in words for a person.

use std::{io, path::Path};

use iowq_contract::guest::Lack;

/// What may be given, for those who gave something else.
pub(super) const ALLOWED: &str = "a bzImage, a vmlinux with CONFIG_PVH=y, a Debian package or a kernel's build folder is allowed";

/// Why a path is no kernel that can be booted here.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file or folder could not be read or written.
    #[error("cannot {what}: {cause}")]
    Io {
        /// What was tried, such as `read /boot/vmlinuz`.
        what: String,
        /// What the system said. It is no source, which would be said once more.
        cause: io::Error,
    },
    /// It is something else.
    #[error("{path} {found}")]
    Refused {
        /// The path as it was given, or of the file beside it that is wrong.
        path: String,
        /// What it is and what is allowed, as the end of a sentence.
        found: String,
    },
}

impl ImageError {
    /// For `map_err`: what was tried, and with which path.
    pub(super) fn io(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> ImageError {
        let what = format!("{verb} {}", path.display());
        move |cause| ImageError::Io { what, cause }
    }

    /// For `map_err`: a path, and what is wrong with it.
    pub(super) fn refused(path: &Path, found: impl Into<String>) -> ImageError {
        ImageError::Refused { path: path.display().to_string(), found: found.into() }
    }
}

/// Why a kernel cannot do what a boot needs, known before any boot.
#[derive(Debug, thiserror::Error)]
pub enum NeededError {
    /// It was built without something.
    #[error("the kernel lacks {}; build it with them, as =y or as modules that are beside it",
        .0.iter().map(|lack| lack.option.as_str()).collect::<Vec<_>>().join(", "))]
    Lacks(Vec<Lack>),
    /// Its modules were not found.
    #[error("the kernel has {} as modules, and none were found with it; give its Debian package \
        or its build folder, or put them into lib/modules/RELEASE beside it", .0.join(", "))]
    NoModules(Vec<String>),
    /// A file system that boots are not prepared for.
    #[error("file system {0:?} is not known; ext4, xfs, btrfs and tmpfs are")]
    FileSystem(String),
    /// A module is not there, or is none.
    #[error("module {name} {found}")]
    Module {
        /// Its name.
        name: String,
        /// What is wrong with it, as the end of a sentence.
        found: String,
    },
}
