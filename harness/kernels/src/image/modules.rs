//! The modules of one kernel: which there are, what is built in, and each unpacked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
};

use super::compressed::unpack_all;

/// Files that a folder of modules may hold; kernels of distributions have some 5,000 modules.
const FILES_MAX: usize = 100_000;
/// Largest list of names.
const LIST_BYTES_MAX: u64 = 16 << 20;
/// Largest module, unpacked; with debug information a file system has some 50 MiB.
const MODULE_BYTES_MAX: u64 = 256 << 20;

/// Endings of modules, as they lie in folders.
const ENDINGS: [&str; 4] = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

/// The modules of one kernel, by name with `_` for each `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleTree {
    root: PathBuf,
    /// Paths below the root.
    files: BTreeMap<String, PathBuf>,
    builtin: BTreeSet<String>,
}

impl ModuleTree {
    /// The modules of a folder such as `/lib/modules/6.12.117`.
    pub(super) fn installed(folder: &Path) -> io::Result<ModuleTree> {
        let mut tree = ModuleTree::empty(folder)?;
        let mut folders = vec![folder.to_owned()];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                seen += 1;
                if seen > FILES_MAX {
                    return Err(io::Error::other(format!("it holds more than {FILES_MAX} files")));
                }
                // Links are not followed: `build` and `source` lead to whole trees.
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    tree.add(&entry.path());
                }
            }
        }
        Ok(tree)
    }

    /// The modules that were built in a folder, by its `modules.order`.
    pub(super) fn built(folder: &Path) -> io::Result<ModuleTree> {
        let mut tree = ModuleTree::empty(folder)?;
        for line in list(&folder.join("modules.order"))?.lines().take(FILES_MAX) {
            // Some releases name the object, and some put `kernel/` before each path.
            let line = line.strip_suffix(".o").map_or(line.to_owned(), |stem| format!("{stem}.ko"));
            let short = line.strip_prefix("kernel/").unwrap_or(&line);
            let paths = [folder.join(&line), folder.join(short)];
            if let Some(path) = paths.iter().find(|path| path.is_file()) {
                tree.add(path);
            }
        }
        Ok(tree)
    }

    fn empty(root: &Path) -> io::Result<ModuleTree> {
        Ok(ModuleTree { root: root.to_owned(), files: BTreeMap::new(), builtin: builtin(root)? })
    }

    fn add(&mut self, path: &Path) {
        if let Some(name) = path.file_name().and_then(|name| name_of(&name.to_string_lossy())) {
            let short = path.strip_prefix(&self.root).unwrap_or(path);
            self.files.insert(name, short.to_owned());
        }
    }

    /// Whether there is neither a module nor a list of what is built in.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.builtin.is_empty()
    }

    /// Whether a name is that of a module that is built in.
    pub(super) fn is_builtin(&self, name: &str) -> bool {
        self.builtin.contains(&plain(name))
    }

    /// Where a module lies.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        self.files.get(&plain(name)).map(|path| self.root.join(path))
    }

    /// Names of the generic modules that ciphers and sums are made of. Those of one architecture
    /// are omitted: they refuse to load if the processor does not support something.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = &str> {
        let is_one = |path: &Path| {
            let has = |word: &str| path.iter().any(|part| part == word);
            (has("crypto") || has("lib")) && !has("arch") && !has("drivers")
        };
        let found = self.files.iter().filter(move |(_, path)| is_one(path));
        found.map(|(name, _)| name.as_str())
    }
}

/// Reads a module and unpacks it.
pub(super) fn unpacked(path: &Path) -> io::Result<Vec<u8>> {
    unpack_all(BufReader::new(File::open(path)?), MODULE_BYTES_MAX)
}

/// A name as the kernel has it.
pub(super) fn plain(name: &str) -> String {
    name.replace('-', "_")
}

/// The name of a module by the name of its file.
fn name_of(file: &str) -> Option<String> {
    ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).map(plain)
}

/// The names in `modules.builtin`; none if it is absent.
fn builtin(folder: &Path) -> io::Result<BTreeSet<String>> {
    let text = list(&folder.join("modules.builtin"))?;
    let names = text.lines().filter_map(|line| name_of(line.rsplit('/').next().unwrap_or(line)));
    Ok(names.collect())
}

/// A list of names; empty if it is absent.
fn list(path: &Path) -> io::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(LIST_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::ModuleTree;

    #[test]
    fn modules_of_an_installed_kernel_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("kernel/drivers/md");
        fs::create_dir_all(&deep).unwrap();
        for name in ["dm-delay.ko.xz", "dm-mod.ko", "notes.txt"] {
            fs::write(deep.join(name), "").unwrap();
        }
        fs::write(folder.path().join("modules.builtin"), "kernel/fs/ext4/ext4.ko\n").unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("build")).unwrap();
        let tree = ModuleTree::installed(folder.path()).unwrap();
        assert_eq!(tree.file("dm_delay"), Some(deep.join("dm-delay.ko.xz")));
        assert!(tree.file("dm-mod").is_some());
        assert!(tree.is_builtin("ext4") && !tree.is_builtin("dm_mod"));
        assert_eq!(tree.files.len(), 2);
    }

    #[test]
    fn modules_of_a_build_are_found_under_all_names_of_the_list() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["fs/xfs", "fs/btrfs", "kernel/trace", "lib"] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        for path in ["fs/xfs/xfs.ko", "fs/btrfs/btrfs.ko", "kernel/trace/x.ko", "lib/unlisted.ko"] {
            fs::write(folder.path().join(path), "").unwrap();
        }
        let order = "fs/xfs/xfs.o\nkernel/fs/btrfs/btrfs.ko\nkernel/trace/x.ko\nfs/gone/gone.ko\n";
        fs::write(folder.path().join("modules.order"), order).unwrap();
        let tree = ModuleTree::built(folder.path()).unwrap();
        let names: Vec<_> = tree.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["btrfs", "x", "xfs"]);
    }

    #[test]
    fn only_generic_algorithms_are_listed() {
        let mut tree = ModuleTree::empty("/lib/of/no/kernel".as_ref()).unwrap();
        for path in ["crypto/a.ko", "arch/x86/crypto/b.ko", "lib/c.ko", "fs/d.ko"] {
            tree.add(&tree.root.join("kernel").join(path));
        }
        let names: Vec<_> = tree.algorithms().collect();
        assert_eq!(names, ["a", "c"]);
    }
}
