//! What the committed object was built from and with, as the text file beside it says.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// First line of the file.
const TITLE: &str = "How probes.bpf.o was built. Written by `cargo xtask probes`, never by hand.";

/// What an object was built from and with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provenance {
    /// Hash of the source.
    pub(super) sources: String,
    /// Hash of the object.
    pub(super) object: String,
    /// What built it: the same versions build the same bytes.
    pub(super) versions: String,
}

impl Provenance {
    pub(super) fn new(sources: String, object: &[u8], versions: String) -> Provenance {
        Provenance { sources, object: hash(object), versions }
    }

    /// The text of the file.
    pub(super) fn text(&self) -> String {
        let Provenance { sources, object, versions } = self;
        format!("{TITLE}\n\nsources: {sources}\nobject: {object}\nbuilt with: {versions}\n")
    }

    /// Reads the text of the file.
    pub(super) fn parse(text: &str) -> anyhow::Result<Provenance> {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
                .map(str::to_owned)
                .with_context(|| format!("it has no line `{key}: …`"))
        };
        Ok(Provenance {
            sources: value("sources")?,
            object: value("object")?,
            versions: value("built with")?,
        })
    }
}

/// Hash of everything that decides what the object does: the package, the library it is written
/// with, and the profile and flags it is built with.
pub(super) fn source_hash(workspace: &Path) -> anyhow::Result<String> {
    let mut files = vec![workspace.join("ebpf/Cargo.toml")];
    list(&workspace.join("ebpf/src"), &mut files)?;
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let name = file.strip_prefix(workspace).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        all.extend_from_slice(format!("{name}\0{}\0", bytes.len()).as_bytes());
        all.extend_from_slice(&bytes);
    }
    let read = |name: &str| {
        fs::read_to_string(workspace.join(name)).with_context(|| format!("cannot read {name}"))
    };
    all.extend_from_slice(library_versions(&read("Cargo.lock")?).as_bytes());
    all.extend_from_slice(section(&read("Cargo.toml")?, "[profile.bpf]").as_bytes());
    all.extend_from_slice(super::compile::FLAGS.join(" ").as_bytes());
    Ok(hash(&all))
}

/// All files in a folder and below.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Names and versions of the BPF library's packages in a lock file.
fn library_versions(lock: &str) -> String {
    let mut versions = String::new();
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("name = \"aya-ebpf") {
            // Writing to a string cannot fail.
            let _ = writeln!(versions, "{line} {}", lines.next().unwrap_or_default());
        }
    }
    versions
}

/// A section of a TOML file, without comments.
fn section(toml: &str, title: &str) -> String {
    toml.lines()
        .skip_while(|line| *line != title)
        .take_while(|line| *line == title || !line.starts_with('['))
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// FNV-1a, 64 bits: it finds what was forgotten, and is no defence against malice.
pub(super) fn hash(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("fnv1a64 {hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // From the published test vectors.
        assert_eq!(hash(b""), "fnv1a64 cbf29ce484222325");
        assert_eq!(hash(b"foobar"), "fnv1a64 85944171f73967e8");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let written = Provenance::new("fnv1a64 1".into(), b"object", "rustc 1.2.3, LLVM 4".into());
        assert_eq!(Provenance::parse(&written.text()).expect("readable"), written);
    }

    #[test]
    fn a_line_that_is_missing_is_named() {
        let error = Provenance::parse("sources: fnv1a64 1\n").expect_err("two lines lack");
        assert!(error.to_string().contains("object"), "{error}");
    }

    #[test]
    fn only_the_library_and_the_profile_count_of_shared_files() {
        let lock = "[[package]]\nname = \"aya\"\nversion = \"1\"\n\n[[package]]\n\
                    name = \"aya-ebpf-cty\"\nversion = \"0.3.0\"\nsource = \"x\"\n";
        assert_eq!(library_versions(lock), "name = \"aya-ebpf-cty\" version = \"0.3.0\"\n");
        let toml = "[a]\nx = 1\n\n[profile.bpf]\n# why\ndebug = 2\n\n[b]\ny = 2\n";
        assert_eq!(section(toml, "[profile.bpf]"), "[profile.bpf]\ndebug = 2\n");
    }
}
