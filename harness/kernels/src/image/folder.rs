//! Build folders: a kernel's source tree, or the folder beside it, in which the kernel was built.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::error::{ALLOWED, refused};

/// Where a build puts its bzImage.
const BZIMAGE: &str = "arch/x86/boot/bzImage";
/// Where it notes the release.
const RELEASE: &str = "include/config/kernel.release";

/// The bzImage of a build folder.
pub(super) fn bzimage(folder: &Path) -> anyhow::Result<PathBuf> {
    let image = folder.join(BZIMAGE);
    if image.is_file() {
        return Ok(image);
    }
    let found = if folder.join("arch/arm64/boot/Image").is_file() {
        "is the build folder of a kernel for arm64; one for x86_64 is needed".to_owned()
    } else if folder.join("Kconfig").is_file() && folder.join("Makefile").is_file() {
        format!("is a kernel's source without {BZIMAGE}; run `make bzImage modules` in it")
    } else {
        format!("is a folder without {BZIMAGE}; {ALLOWED}")
    };
    Err(refused(folder, found))
}

/// The build folder that an image lies in, if it lies in one.
pub(super) fn of(image: &Path) -> Option<&Path> {
    let parent = image.parent()?;
    let is_build = |folder: &Path| folder.join("include/config").is_dir();
    let top = if image.ends_with(BZIMAGE) { parent.ancestors().nth(3)? } else { parent };
    is_build(top).then_some(top)
}

/// Refuses a folder whose modules are of another build than its image.
pub(super) fn check(folder: &Path, release: Option<&str>) -> anyhow::Result<()> {
    let path = folder.join(RELEASE);
    let noted = match fs::read_to_string(&path) {
        Ok(noted) => noted,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    match release {
        Some(release) if release != noted.trim() => {
            let noted = noted.trim();
            let found = format!(
                "holds an image of {release}, and the rest is of {noted}; run \
                 `make bzImage modules` in it again"
            );
            Err(refused(folder, found))
        }
        _ => Ok(()),
    }
}
