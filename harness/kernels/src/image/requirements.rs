//! What a boot needs of its kernel, and which modules bring it, in the order to load them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail, ensure};
use iowq_contract::{Disk, guest::CRIU_OPTIONS, kconfig::Config};

use super::{
    modinfo::{self, ModInfo},
    modules::{ModuleTree, plain, unpacked},
};

/// What a boot is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// `ext4`, `xfs`, `btrfs` or `tmpfs`.
    pub filesystem: String,
    /// Whether dm-delay stands between file system and disk.
    pub delay: bool,
    /// Whether criu is tried, which can do with less than it likes to have.
    pub criu: bool,
}

impl From<&Disk> for Needs {
    fn from(disk: &Disk) -> Needs {
        Needs { filesystem: disk.filesystem.clone(), delay: disk.delay_us > 0, criu: false }
    }
}

/// A module to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name, with `_` for each `-`.
    pub name: String,
    /// The module, unpacked.
    pub bytes: Vec<u8>,
    /// Whether only criu would use it, and a boot can do without.
    pub for_criu: bool,
}

impl Module {
    /// The name of its file in the guest.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.ko", self.name)
    }
}

/// An option that a boot needs.
struct Part {
    option: &'static str,
    /// The module that it may be instead.
    module: Option<&'static str>,
}

/// Options of every guest: to boot from an initramfs, to have a console, and to have io_uring.
const ALWAYS: [&str; 10] = [
    "64BIT",
    "BINFMT_ELF",
    "BLK_DEV_INITRD",
    "DEVTMPFS",
    "FUTEX",
    "IO_URING",
    "PRINTK",
    "PROC_FS",
    "SERIAL_8250_CONSOLE",
    "SYSFS",
];

fn parts(needs: &Needs) -> anyhow::Result<Vec<Part>> {
    let built = |option| Part { option, module: None };
    let part = |option, module| Part { option, module: Some(module) };
    let mut parts: Vec<_> = ALWAYS.into_iter().map(built).collect();
    parts.push(part("VIRTIO_PCI", "virtio_pci"));
    parts.push(part("VIRTIO_CONSOLE", "virtio_console"));
    if needs.filesystem != "tmpfs" {
        parts.push(part("VIRTIO_BLK", "virtio_blk"));
    }
    if needs.delay {
        parts.push(part("BLK_DEV_DM", "dm_mod"));
        parts.push(part("DM_DELAY", "dm_delay"));
    }
    parts.push(match needs.filesystem.as_str() {
        "ext4" => part("EXT4_FS", "ext4"),
        "xfs" => part("XFS_FS", "xfs"),
        "btrfs" => part("BTRFS_FS", "btrfs"),
        "tmpfs" => built("TMPFS"),
        other => bail!("file system {other:?} is not known; ext4, xfs, btrfs and tmpfs are"),
    });
    Ok(parts)
}

/// The modules to load, each after those that it needs, and what only criu likes to have after all
/// others. Empty if neither the configuration nor modules are known.
pub(super) fn needed(
    needs: &Needs,
    config: Option<&Config>,
    tree: Option<&ModuleTree>,
) -> anyhow::Result<Vec<Module>> {
    let mut missing = Vec::new();
    let mut wanted = Vec::new();
    for part in parts(needs)? {
        match (state(&part, config, tree), part.module) {
            (State::Module, Some(module)) => wanted.push((part.option, module)),
            (State::Module | State::Missing, _) => missing.push(format!("CONFIG_{}", part.option)),
            (State::BuiltIn | State::Unknown, _) => {}
        }
    }
    ensure!(
        missing.is_empty(),
        "the kernel lacks {}; build it with them, as =y or as modules that are beside it",
        missing.join(", ")
    );
    let Some(tree) = tree else {
        let options: Vec<_> = wanted.iter().map(|(option, _)| format!("CONFIG_{option}")).collect();
        ensure!(
            options.is_empty(),
            "the kernel has {} as modules, and none were found with it; give its Debian package or \
             its build folder, or put them into lib/modules/RELEASE beside it",
            options.join(", ")
        );
        return Ok(Vec::new());
    };
    let mut order = Order::of(tree);
    for (_, module) in wanted {
        order.add(module, None)?;
    }
    if needs.criu {
        let likes = CRIU_OPTIONS.iter().filter_map(|(_, module)| *module);
        likes.for_each(|module| order.add_if_whole(module));
    }
    Ok(order.modules)
}

enum State {
    BuiltIn,
    Module,
    Missing,
    Unknown,
}

fn state(part: &Part, config: Option<&Config>, tree: Option<&ModuleTree>) -> State {
    match (config, tree, part.module) {
        (Some(config), _, _) => match config.get(part.option).map(String::as_str) {
            Some("y") => State::BuiltIn,
            Some("m") => State::Module,
            _ => State::Missing,
        },
        (None, Some(tree), Some(module)) if tree.is_builtin(module) => State::BuiltIn,
        (None, Some(tree), Some(module)) if tree.file(module).is_some() => State::Module,
        (None, Some(_), Some(_)) => State::Missing,
        (None, _, _) => State::Unknown,
    }
}

/// Modules that were found so far.
struct Order<'a> {
    tree: &'a ModuleTree,
    modules: Vec<Module>,
    /// Names that were begun, so that a circle ends.
    begun: BTreeSet<String>,
    /// Names of modules by what they answer to; read when it is first needed.
    aliases: Option<BTreeMap<String, String>>,
}

impl Order<'_> {
    fn of(tree: &ModuleTree) -> Order<'_> {
        Order { tree, modules: Vec::new(), begun: BTreeSet::new(), aliases: None }
    }

    /// Adds a module after all that it needs. `by` needs it.
    fn add(&mut self, name: &str, by: Option<&str>) -> anyhow::Result<()> {
        let name = plain(name);
        if self.tree.is_builtin(&name) || !self.begun.insert(name.clone()) {
            return Ok(());
        }
        let wrong = |found: String| anyhow!("module {name} {found}");
        let Some(path) = self.tree.file(&name) else {
            let by = by.map(|by| format!(", and {by} needs it")).unwrap_or_default();
            return Err(wrong(format!(
                "is neither built in nor among the kernel's modules{by}; `make modules` builds \
                 those of a build folder, and Ubuntu has some in linux-modules-extra, which is to \
                 lie beside the kernel's package"
            )));
        };
        let read = |error| wrong(format!("in {} cannot be read: {error}", path.display()));
        let bytes = unpacked(&path).map_err(read)?;
        let info = modinfo::read(&bytes)
            .map_err(|found| wrong(format!("in {} {found}", path.display())))?;
        let ModInfo { depends, before, .. } = info;
        for soft in before {
            // It is there for a few uses, so that doing without it is no error.
            if let Some(found) = self.resolve(&soft) {
                self.add(&found, Some(&name))?;
            }
        }
        for hard in depends {
            self.add(&hard, Some(&name))?;
        }
        self.modules.push(Module { name, bytes, for_criu: false });
        Ok(())
    }

    /// Adds a module with all that it needs, or nothing: if criu misses one it says so itself.
    fn add_if_whole(&mut self, name: &str) {
        let (modules, begun) = (self.modules.len(), self.begun.clone());
        if self.add(name, None).is_err() {
            self.modules.truncate(modules);
            self.begun = begun;
        }
        self.modules[modules..].iter_mut().for_each(|module| module.for_criu = true);
    }

    /// The module that has a name or answers to it.
    fn resolve(&mut self, name: &str) -> Option<String> {
        if self.tree.file(name).is_some() {
            return Some(plain(name));
        }
        let tree = self.tree;
        let aliases = self.aliases.get_or_insert_with(|| aliases(tree));
        aliases.get(name).cloned()
    }
}

/// What the algorithms among the modules answer to. One that cannot be read answers to nothing.
fn aliases(tree: &ModuleTree) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    for name in tree.algorithms() {
        let Some(bytes) = tree.file(name).and_then(|path| unpacked(&path).ok()) else { continue };
        for alias in modinfo::read(&bytes).unwrap_or_default().aliases {
            aliases.entry(alias).or_insert_with(|| name.to_owned());
        }
    }
    aliases
}

#[cfg(test)]
mod tests;
