//! Debian packages: the kernel, its configuration and its modules, taken out into a folder.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Component, Path, PathBuf},
};

use anyhow::Context as _;

use super::{compressed::unpack, error::refused};
use control::Control;

mod control;

/// What a file begins with that is such a package.
pub(super) const MAGIC: &[u8] = b"!<arch>\n";
/// Length of what stands before each member.
const HEADER_BYTES: usize = 60;
/// Members of a package; there are three, and a signature at times.
const MEMBERS_MAX: usize = 16;
/// Largest package, unpacked.
const DATA_BYTES_MAX: u64 = 8 << 30;
/// Files of a package; kernels have up to 10,000.
const ENTRIES_MAX: usize = 200_000;
/// Largest single file that is taken out.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Modules that neither a disk of a guest nor criu needs, and that are most of a package.
const LEFT_OUT: [&str; 9] = [
    "kernel/drivers/gpu",
    "kernel/drivers/infiniband",
    "kernel/drivers/media",
    "kernel/drivers/net/ethernet",
    "kernel/drivers/net/wireless",
    "kernel/drivers/scsi",
    "kernel/drivers/staging",
    "kernel/drivers/usb",
    "kernel/sound",
];

/// Unpacks a package into `scratch`, with that of its modules if it is another and lies beside
/// it. Returns where the kernel is; its configuration and `lib/modules` are beside it there.
pub(super) fn open(path: &Path, scratch: &Path) -> anyhow::Result<PathBuf> {
    let package = extract(path, scratch)?;
    let control = package.control;
    let Some(kernel) = package.kernel else {
        return Err(refused(path, without_kernel(&control, package.modules)));
    };
    if package.modules {
        return Ok(kernel);
    }
    let release = kernel.file_name().map(|name| name.to_string_lossy().into_owned());
    let release = release.as_deref().and_then(|name| name.strip_prefix("vmlinuz-"));
    let release = release.unwrap_or_default();
    let others =
        modules_beside(path, release).with_context(|| format!("cannot list {}", path.display()))?;
    // A kernel without modules has its configuration with it.
    if others.is_empty() && !scratch.join(format!("config-{release}")).is_file() {
        let found = format!(
            "is a package of a kernel without its modules; put the package \
             linux-modules-{release} of the same version into the same folder"
        );
        return Err(refused(path, found));
    }
    for other in others {
        extract(&other, scratch)?;
    }
    Ok(kernel)
}

fn without_kernel(control: &Control, has_modules: bool) -> String {
    let says = "is a package; this package holds no kernel";
    if has_modules {
        return format!("{says} but modules; give the kernel's package, with this one beside it");
    }
    match control.leads_to() {
        Some(other) => format!("{says}; it depends on {other}: download that"),
        None => format!("{says}; the name of one that does begins with linux-image-"),
    }
}

/// Packages in the same folder that have the modules of a release.
fn modules_beside(path: &Path, release: &str) -> io::Result<Vec<PathBuf>> {
    let starts = ["", "-extra"].map(|extra| format!("linux-modules{extra}-{release}_"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".deb") && starts.iter().any(|start| name.starts_with(start)) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// What was found in a package.
#[derive(Default)]
struct Package {
    control: Control,
    /// Where the kernel was put.
    kernel: Option<PathBuf>,
    /// Whether there were modules.
    modules: bool,
}

fn extract(path: &Path, scratch: &Path) -> anyhow::Result<Package> {
    let broken =
        |error: io::Error| refused(path, format!("is a package that cannot be unpacked: {error}"));
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = file.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
    let mut from = BufReader::new(file);
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).map_err(broken)?;
    let (mut package, mut at, mut has_data) = (Package::default(), MAGIC.len() as u64, false);
    for _ in 0..MEMBERS_MAX {
        let Some((name, size)) = member(&mut from).map_err(broken)? else { break };
        let end = size.saturating_add(at + HEADER_BYTES as u64);
        if end > bytes {
            return Err(cut_off(path));
        }
        at = end + size % 2;
        let mut data = from.by_ref().take(size);
        if name.starts_with("control.tar") {
            package.control = control(&mut data).map_err(broken)?;
            if let Some(other) = package.control.other_architecture() {
                let found = format!("is a package for {other}; one for amd64 is needed");
                return Err(refused(path, found));
            }
        } else if name.starts_with("data.tar") {
            has_data = true;
            take_out(&mut data, scratch, &mut package).map_err(broken)?;
        }
        io::copy(&mut data, &mut io::sink()).map_err(broken)?;
        if size % 2 == 1 {
            io::copy(&mut from.by_ref().take(1), &mut io::sink()).map_err(broken)?;
        }
    }
    // Its data comes last.
    if has_data { Ok(package) } else { Err(cut_off(path)) }
}

fn cut_off(path: &Path) -> anyhow::Error {
    refused(path, "is a package that ends in the middle; download or copy it again")
}

/// Name and size of the next member of an `ar` archive. Members of packages have short names; the
/// crates for such archives trust the sizes in them, which may be anything.
fn member(from: &mut impl BufRead) -> io::Result<Option<(String, u64)>> {
    if from.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut header = Vec::new();
    from.take(HEADER_BYTES as u64).read_to_end(&mut header)?;
    // If it ends in a header, there is no member that could be read.
    let Ok(header) = <[u8; HEADER_BYTES]>::try_from(header) else { return Ok(None) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let size = text(&header[48..58]).parse();
    let size = size.map_err(|_| io::Error::other("a size in it is no number"))?;
    Ok(Some((text(&header[..16]).trim_end_matches('/').to_owned(), size)))
}

fn control(from: &mut impl BufRead) -> io::Result<Control> {
    let mut archive = tar::Archive::new(unpack(from)?.take(DATA_BYTES_MAX));
    for entry in archive.entries()?.take(ENTRIES_MAX) {
        let entry = entry?;
        if relative(&entry.path()?).is_some_and(|path| path == Path::new("control")) {
            return Control::read(entry);
        }
    }
    Ok(Control::default())
}

fn take_out(from: &mut impl BufRead, scratch: &Path, package: &mut Package) -> io::Result<()> {
    let mut archive = tar::Archive::new(unpack(from)?.take(DATA_BYTES_MAX));
    for (entry, number) in archive.entries()?.zip(0..) {
        let mut entry = entry?;
        if number >= ENTRIES_MAX {
            return Err(io::Error::other(format!("it holds more than {ENTRIES_MAX} files")));
        }
        let path = entry.path()?.into_owned();
        let wanted = if entry.header().entry_type().is_file() { wanted(&path) } else { None };
        let Some((kind, place)) = wanted else { continue };
        if entry.size() > FILE_BYTES_MAX {
            let gib = FILE_BYTES_MAX >> 30;
            return Err(io::Error::other(format!("{} has more than {gib} GiB", path.display())));
        }
        let place = scratch.join(place);
        fs::create_dir_all(place.parent().unwrap_or(scratch))?;
        io::copy(&mut entry, &mut File::create(&place)?)?;
        match kind {
            Kind::Kernel => package.kernel = Some(place),
            Kind::Module => package.modules = true,
            Kind::Config => {}
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Kernel,
    Config,
    Module,
}

/// What a file of a package is, and where it goes below the scratch folder; none for files that are
/// not needed.
fn wanted(path: &Path) -> Option<(Kind, PathBuf)> {
    let path = relative(path)?;
    if let Ok(name) = path.strip_prefix("boot") {
        let text = name.to_str().filter(|name| !name.contains('/'))?;
        let kind = match text {
            _ if text.starts_with("vmlinuz-") => Kind::Kernel,
            _ if text.starts_with("config-") => Kind::Config,
            _ => return None,
        };
        return Some((kind, name.to_owned()));
    }
    let path = path.strip_prefix("usr").unwrap_or(&path);
    let below: PathBuf = path.strip_prefix("lib/modules").ok()?.components().skip(1).collect();
    let left_out = LEFT_OUT.iter().any(|folder| below.starts_with(folder));
    (!left_out && !below.as_os_str().is_empty()).then(|| (Kind::Module, path.to_owned()))
}

/// A path without `.` and a root; none if it leads upwards.
fn relative(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
pub(super) mod tests;
