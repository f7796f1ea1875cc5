//! Why an image cannot be booted, for a reader.

use std::path::Path;

use anyhow::anyhow;

/// The allowed values, for errors.
pub(super) const ALLOWED: &str = "a bzImage, a vmlinux with CONFIG_PVH=y, a Debian package or a kernel's build folder is allowed";

/// A path, and what is wrong with it, as the end of a sentence.
pub(super) fn refused(path: &Path, found: impl AsRef<str>) -> anyhow::Error {
    anyhow!("{} {}", path.display(), found.as_ref())
}
