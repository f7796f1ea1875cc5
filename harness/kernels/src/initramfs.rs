//! The initramfs: the guest, its job and the modules it loads, as one archive.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, ensure};
use cpio::newc::{Builder, ModeFileType, trailer};

mod entry;
mod host_program;
mod loaded;

pub use entry::{Content, Entry};
pub use host_program::host_program;
pub use loaded::loaded;

/// Writes an archive that a kernel unpacks at its start, with `/dev/console`, without which the
/// first process could say nothing. Of entries with the same path the last counts.
///
/// # Errors
///
/// A path that is no path in an archive, one file below another, a file of the host that cannot be
/// read, or one of 4 GiB or more.
pub fn write(path: &Path, entries: &[Entry]) -> anyhow::Result<()> {
    let nodes = nodes(entries)?;
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut to = BufWriter::new(file);
    for ((name, node), number) in nodes.iter().zip(1..) {
        let builder = Builder::new(name).ino(number);
        add(&mut to, builder, node).with_context(|| format!("cannot put {name} into it"))?;
    }
    let mut to = trailer(to).context("cannot end the archive")?;
    to.flush().with_context(|| format!("cannot write {}", path.display()))
}

enum Node<'a> {
    Folder(u32),
    File(&'a Entry),
    Console,
}

/// Everything that is in the archive, by name; a folder sorts before what is in it.
fn nodes(entries: &[Entry]) -> anyhow::Result<BTreeMap<String, Node<'_>>> {
    let mut nodes = BTreeMap::new();
    nodes.insert("dev".to_owned(), Node::Folder(0o755));
    nodes.insert("dev/console".to_owned(), Node::Console);
    for entry in entries {
        let name = entry.path.strip_prefix('/').unwrap_or(&entry.path);
        let parts: Vec<_> = name.split('/').collect();
        let plain = parts.iter().all(|part| !["", ".", ".."].contains(part));
        ensure!(
            plain && !name.contains('\0') && name != "TRAILER!!!",
            "{:?} is no path in an initramfs",
            entry.path
        );
        for end in 1..parts.len() {
            let folder = parts[..end].join("/");
            let node = nodes.entry(folder).or_insert(Node::Folder(0o755));
            let is_folder = matches!(node, Node::Folder(_));
            ensure!(is_folder, "{:?} lies below a file of the initramfs", entry.path);
        }
        let node = match entry.content {
            Content::Folder => Node::Folder(entry.mode),
            _ => Node::File(entry),
        };
        let was = nodes.insert(name.to_owned(), node);
        let folder = |node: &Node<'_>| matches!(node, Node::Folder(_));
        let same = was.is_none_or(|was| folder(&was) == (entry.content == Content::Folder));
        ensure!(same, "{:?} is both a folder and a file of the initramfs", entry.path);
    }
    Ok(nodes)
}

fn add(to: &mut impl Write, builder: Builder, node: &Node<'_>) -> io::Result<()> {
    match node {
        Node::Folder(mode) => {
            let builder = builder.mode(*mode).set_mode_file_type(ModeFileType::Directory);
            builder.nlink(2).write(to, 0).finish()?;
        }
        Node::Console => {
            let builder = builder.mode(0o600).set_mode_file_type(ModeFileType::Char);
            builder.rdev_major(5).rdev_minor(1).write(to, 0).finish()?;
        }
        Node::File(entry) => {
            let host;
            let bytes = match &entry.content {
                Content::Host(path) => {
                    host = fs::read(path)?;
                    &host
                }
                Content::Bytes(bytes) => bytes,
                Content::Folder => return Ok(()),
            };
            let length =
                u32::try_from(bytes.len()).map_err(|_| io::Error::other("it has 4 GiB or more"))?;
            let builder = builder.mode(entry.mode).set_mode_file_type(ModeFileType::Regular);
            let mut file = builder.write(to, length);
            file.write_all(bytes)?;
            file.finish()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read as _, path::Path};

    use cpio::newc::Reader;

    use super::{Content, Entry, write};

    /// Each file's header and bytes.
    fn read(path: &Path) -> Vec<(cpio::newc::Entry, Vec<u8>)> {
        let mut file = File::open(path).unwrap();
        let mut found = Vec::new();
        loop {
            let mut reader = Reader::new(file).unwrap();
            let entry = reader.entry().clone();
            if entry.is_trailer() {
                return found;
            }
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            found.push((entry, bytes));
            file = reader.finish().unwrap();
        }
    }

    #[test]
    fn folders_come_before_what_is_in_them_and_the_console_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let host = folder.path().join("host");
        std::fs::write(&host, "program").unwrap();
        let path = folder.path().join("initramfs");
        let entries = [
            Entry::executable("/init", &host),
            Entry::data("iowq/modules/a.ko", b"odd".to_vec()),
            Entry { path: "proc".to_owned(), mode: 0o555, content: Content::Folder },
        ];
        write(&path, &entries).unwrap();
        let none = (0, 0);
        let expected = [
            ("dev", 0o040_755, none, ""),
            ("dev/console", 0o020_600, (5, 1), ""),
            ("init", 0o100_755, none, "program"),
            ("iowq", 0o040_755, none, ""),
            ("iowq/modules", 0o040_755, none, ""),
            ("iowq/modules/a.ko", 0o100_644, none, "odd"),
            ("proc", 0o040_555, none, ""),
        ];
        let found = read(&path);
        let found: Vec<_> = found
            .iter()
            .map(|(entry, bytes)| {
                let device = (entry.rdev_major(), entry.rdev_minor());
                (entry.name(), entry.mode(), device, std::str::from_utf8(bytes).unwrap())
            })
            .collect();
        assert_eq!(found, expected);
    }

    fn refusal(entries: &[Entry]) -> String {
        let folder = tempfile::tempdir().unwrap();
        format!("{:#}", write(&folder.path().join("initramfs"), entries).unwrap_err())
    }

    #[test]
    fn paths_that_cannot_be_are_refused() {
        for path in ["", "/", "a//b", "../a", "a/./b", "a\0b", "TRAILER!!!"] {
            let error = refusal(&[Entry::data(path, Vec::new())]);
            assert!(error.contains("is no path"), "{path:?}: {error}");
        }
        let file = |path: &str| Entry::data(path, Vec::new());
        assert!(refusal(&[file("a"), file("a/b")]).contains("below a file"));
        assert!(refusal(&[file("a/b"), file("a")]).contains("both a folder and a file"));
    }

    #[test]
    fn a_file_of_the_host_that_is_gone_is_named() {
        let error = refusal(&[Entry::executable("init", Path::new("/nowhere/iowq"))]);
        assert!(error.contains("cannot put init into it"), "{error}");
    }
}
