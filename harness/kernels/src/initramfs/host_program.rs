//! Programs of the host: what must go into the initramfs with one, so that it runs there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use object::{
    LittleEndian,
    elf::FileHeader64,
    read::elf::{FileHeader as _, ProgramHeader as _},
};

use super::entry::Entry;
use crate::{child, stop::Stop};

/// Largest program.
const PROGRAM_BYTES_MAX: u64 = 256 << 20;

/// Where the dynamic linker looks up libraries that are in no default folder.
const LINKER_CACHE: &str = "/etc/ld.so.cache";

/// A program of the host for the path `at`, and its interpreter and libraries, if it has any, for
/// the paths that they have here. Libraries that it loads by itself later are not among them.
///
/// # Errors
///
/// A file that is no program for x86_64, a library that is not installed, or a request to stop.
pub fn host_program(host: &Path, at: &str, stop: &Stop) -> anyhow::Result<Vec<Entry>> {
    let name = host.display();
    let size = fs::metadata(host).with_context(|| format!("cannot read {name}"))?.len();
    ensure!(size <= PROGRAM_BYTES_MAX, "{name} has more than {} MiB", PROGRAM_BYTES_MAX >> 20);
    let bytes = fs::read(host).with_context(|| format!("cannot read {name}"))?;
    let interpreter = interpreter(&bytes).with_context(|| format!("{name} is no program"))?;
    let host = std::path::absolute(host).with_context(|| format!("cannot resolve {name}"))?;
    let mut entries = vec![Entry::executable(at, &host)];
    let Some(interpreter) = interpreter else { return Ok(entries) };
    let mut paths = libraries(&interpreter, &host, stop)?;
    paths.push(interpreter);
    paths.extend(Some(PathBuf::from(LINKER_CACHE)).filter(|path| path.is_file()));
    paths.sort();
    paths.dedup();
    for path in paths {
        let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
        entries.push(Entry::executable(text, &path));
    }
    Ok(entries)
}

/// The path of the dynamic linker that a program asks for; none for a static one.
fn interpreter(bytes: &[u8]) -> anyhow::Result<Option<PathBuf>> {
    let endian = LittleEndian;
    let header = FileHeader64::<LittleEndian>::parse(bytes)?;
    for segment in header.program_headers(endian, bytes)? {
        if let Some(path) = segment.interpreter(endian, bytes)? {
            return Ok(Some(PathBuf::from(std::str::from_utf8(path)?)));
        }
    }
    Ok(None)
}

/// The libraries that the dynamic linker would load. The linker itself is run to list them.
fn libraries(interpreter: &Path, host: &Path, stop: &Stop) -> anyhow::Result<Vec<PathBuf>> {
    let output = child::output(child::tool(interpreter).arg("--list").arg(host), stop)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} cannot be loaded: {}", host.display(), errors.trim());
    paths(&said).with_context(|| format!("{} cannot be loaded", host.display()))
}

/// Paths in a list such as `libc.so.6 => /lib/libc.so.6 (0x7f…)`.
fn paths(list: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for line in list.lines() {
        let (name, place) = match line.split_once("=>") {
            Some((name, place)) => (name.trim(), place.trim()),
            None => ("", line.trim()),
        };
        if place.starts_with("not found") {
            bail!("its library {name} is not installed");
        }
        // What is no path is the kernel's own library.
        if place.starts_with('/') {
            paths.push(PathBuf::from(place.split(" (").next().unwrap_or(place)));
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{host_program, paths};
    use crate::stop::Stop;

    #[test]
    fn a_program_brings_its_interpreter_and_libraries() {
        let own = std::env::current_exe().unwrap();
        let entries = host_program(&own, "/init", &Stop::default()).unwrap();
        let has = |part: &str| entries.iter().any(|entry| entry.path.contains(part));
        assert!(has("libc.so") && has("/ld-linux"), "{entries:?}");
        assert_eq!(entries[0], super::Entry::executable("/init", &own));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error =
            format!("{:#}", host_program(file.path(), "/init", &Stop::default()).unwrap_err());
        assert!(error.contains("is no program"), "{error}");
    }

    #[test]
    fn the_linkers_list_is_read() {
        let list = "\tlinux-vdso.so.1 (0x7ffe)\n\tlibc.so.6 => /lib/libc.so.6 (0x7f00)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x7f11)\n\tlinux-vdso.so.1 => (0x7f)\n";
        let found = paths(list).unwrap();
        assert_eq!(found, ["/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from));
        let error = paths("\tlibnet.so.1 => not found\n").unwrap_err().to_string();
        assert!(error.contains("library libnet.so.1 is not installed"), "{error}");
    }
}
