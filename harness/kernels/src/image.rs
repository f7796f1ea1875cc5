//! Images: what a user names as a kernel, opened as something that QEMU can boot.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use iowq_contract::kconfig::{self, Config};

mod bzimage;
mod compressed;
mod deb;
mod error;
mod file_type;
mod folder;
mod ikconfig;
mod modinfo;
mod modules;
mod requirements;
mod vmlinux;

use crate::sha256;

use error::{ALLOWED, refused};
pub use modules::ModuleTree;
pub use requirements::{Module, Needs};

/// A kernel that can be booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What to give to QEMU.
    pub boot: PathBuf,
    /// Its release by itself, such as `6.12.117+deb12-cloud-amd64`.
    pub release: Option<String>,
    /// SHA-256 of what is booted, in hex.
    pub sha256: String,
    /// Its configuration, if one was found in it, in its package or beside it.
    pub config: Option<Config>,
    /// Its modules, if any were found.
    pub modules: Option<ModuleTree>,
}

impl Image {
    /// The modules that must be loaded for a boot, in order. Empty if nothing is known of the
    /// kernel but its image; the guest then says what is missing.
    ///
    /// # Errors
    ///
    /// All options that the kernel is built without, or modules that are not there.
    pub fn needed(&self, needs: &Needs) -> anyhow::Result<Vec<Module>> {
        requirements::needed(needs, self.config.as_ref(), self.modules.as_ref())
    }
}

/// Opens what a user names as a kernel: a bzImage, a vmlinux, a Debian package or a build folder.
/// `scratch` is a folder of its own that may be absent; what is unpacked goes there, and must stay
/// as long as the image is used.
///
/// # Errors
///
/// What it is instead, and what is allowed; or what could not be read.
pub fn open(path: &Path, scratch: &Path) -> anyhow::Result<Image> {
    // What is beside an image is looked for where it lies, not beside a link to it.
    let path = &fs::canonicalize(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => refused(path, format!("does not exist; {ALLOWED}")),
        _ => anyhow::Error::from(error).context(format!("cannot read {}", path.display())),
    })?;
    if path.is_dir() {
        return kernel(&folder::bzimage(path)?);
    }
    if !path.is_file() {
        return Err(refused(path, "is neither a file nor a folder"));
    }
    if !head(path)?.starts_with(deb::MAGIC) {
        return kernel(path);
    }
    fs::create_dir_all(scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let scratch =
        &fs::canonicalize(scratch).with_context(|| format!("cannot read {}", scratch.display()))?;
    kernel(&deb::open(path, scratch)?)
}

/// A kernel as a file, with what is beside it.
fn kernel(path: &Path) -> anyhow::Result<Image> {
    let head = head(path)?;
    let build = folder::of(path);
    let refused = |found: String| refused(path, found);
    let (release, config) = if head.starts_with(b"\x7fELF") {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let found = vmlinux::read(file).map_err(refused)?;
        let config = config(path, build, found.release.as_deref(), found.config)?;
        (found.release, config)
    } else if bzimage::is_one(&head) {
        let bytes = read(path, bzimage::BYTES_MAX)?;
        let found = bzimage::read(&bytes).map_err(refused)?;
        let config = config(path, build, found.release.as_deref(), found.config())?;
        (found.release, config)
    } else {
        return Err(refused(file_type::describe(&head)));
    };
    if let Some(build) = build {
        folder::check(build, release.as_deref())?;
    }
    let modules = modules(path, build, release.as_deref())?;
    let sha256 =
        sha256::of_file(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Image { boot: path.to_owned(), release, sha256, config, modules })
}

/// The configuration in the image itself, which is certain, or in its build folder, or in a file
/// beside the image that is named after it, or in a `.config` beside it. A file may be of another
/// build, or have been changed since.
fn config(
    path: &Path,
    build: Option<&Path>,
    release: Option<&str>,
    embedded: Option<Config>,
) -> anyhow::Result<Option<Config>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let suffix = ["vmlinuz-", "bzImage-", "vmlinux-"].iter().find_map(|it| name.strip_prefix(it));
    let names = release.into_iter().chain(suffix).map(|end| folder.join(format!("config-{end}")));
    let build = build.map(|build| build.join(".config"));
    let mut places = build.into_iter().chain(names).chain([folder.join(".config")]);
    match (embedded, places.find(|place| place.is_file())) {
        (Some(config), _) => Ok(Some(config)),
        (None, Some(place)) => read_config(&place).map(Some),
        (None, None) => Ok(None),
    }
}

fn read_config(path: &Path) -> anyhow::Result<Config> {
    let bytes = read(path, ikconfig::CONFIG_BYTES_MAX)?;
    kconfig::parse(&String::from_utf8_lossy(&bytes))
        .map_err(|error| refused(path, format!("is no configuration of a kernel: {error}")))
}

/// The modules of a build folder, or those of the same release in a folder near the image.
fn modules(
    path: &Path,
    build: Option<&Path>,
    release: Option<&str>,
) -> anyhow::Result<Option<ModuleTree>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let tree = if let Some(build) = build {
        ModuleTree::built(build)
            .with_context(|| format!("cannot list the modules in {}", build.display()))?
    } else if let Some(place) = release.and_then(|release| installed(folder, release)) {
        ModuleTree::installed(&place)
            .with_context(|| format!("cannot list the modules in {}", place.display()))?
    } else {
        return Ok(None);
    };
    Ok((!tree.is_empty()).then_some(tree))
}

/// Where modules of a release are, from the folder of its image: below it, and if that is `boot`,
/// next to it.
fn installed(folder: &Path, release: &str) -> Option<PathBuf> {
    let top = folder.parent().filter(|_| folder.ends_with("boot"));
    let tops = [Some(folder), top].into_iter().flatten();
    let mut places = tops.flat_map(|top| ["lib", "usr/lib"].map(|lib| top.join(lib)));
    // A release is text from a file: it must not lead elsewhere.
    let release = Path::new(release).file_name()?;
    places.find_map(|lib| {
        let place = lib.join("modules").join(release);
        place.is_dir().then_some(place)
    })
}

/// The first bytes of a file.
fn head(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let most = bzimage::HEAD_BYTES as u64;
    file.take(most)
        .read_to_end(&mut head)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(head)
}

/// A whole file, if it is not larger than it can be.
fn read(path: &Path, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut file = file.take(bytes_max + 1);
    file.read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > bytes_max {
        let found = format!("has more than the {} MiB that are allowed", bytes_max >> 20);
        return Err(refused(path, found));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
