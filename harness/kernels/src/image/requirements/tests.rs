//! Tests of needs, on made-up modules.

use std::{fs, path::Path};

use iowq_contract::kconfig::Config;

use super::{ALWAYS, Needs, needed};
use crate::image::{modinfo, modules::ModuleTree};

fn needs(filesystem: &str, delay: bool) -> Needs {
    Needs { filesystem: filesystem.to_owned(), delay, criu: false }
}

/// A configuration that has what every guest needs, and these.
fn config(more: &[(&str, &str)]) -> Config {
    let always = ALWAYS.iter().map(|option| (*option, "y"));
    let virtio = [("VIRTIO_PCI", "y"), ("VIRTIO_CONSOLE", "y")];
    let all = always.chain(virtio).chain(more.iter().copied());
    all.map(|(option, value)| (option.to_owned(), value.to_owned())).collect()
}

/// Modules with lines of `.modinfo`, by their paths without the ending.
fn tree(folder: &Path, modules: &[(&str, &[&str])], builtin: &str) -> ModuleTree {
    fs::write(folder.join("modules.builtin"), builtin).unwrap();
    for (path, lines) in modules {
        let path = folder.join("kernel").join(format!("{path}.ko"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, modinfo::example(lines)).unwrap();
    }
    ModuleTree::installed(folder).unwrap()
}

fn names(needs: &Needs, config: Option<&Config>, tree: Option<&ModuleTree>) -> Vec<String> {
    let modules = needed(needs, config, tree).unwrap();
    modules.into_iter().map(|module| module.name).collect()
}

#[test]
fn what_is_built_in_needs_no_module() {
    let config = config(&[("VIRTIO_BLK", "y"), ("EXT4_FS", "y")]);
    assert!(names(&needs("ext4", false), Some(&config), None).is_empty());
}

#[test]
fn each_module_comes_after_those_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let tree = tree(
        folder.path(),
        &[
            ("drivers/block/virtio_blk", &["depends=virtio,virtio_ring"]),
            ("drivers/virtio/virtio_ring", &["depends=virtio"]),
            ("drivers/virtio/virtio", &["depends="]),
            ("drivers/md/dm-mod", &["depends="]),
            ("drivers/md/dm-delay", &["depends=dm-mod"]),
            ("fs/jbd2/jbd2", &["depends="]),
            ("fs/ext4/ext4", &["depends=jbd2,crc16", "softdep=pre: crc32c"]),
            ("lib/crc16", &["depends="]),
            ("crypto/crc32c_generic", &["depends=", "alias=crypto-crc32c", "alias=crc32c"]),
            ("arch/x86/crypto/crc32c-intel", &["depends=", "alias=crc32c"]),
            ("net/unneeded", &["depends="]),
        ],
        "",
    );
    let more = [("VIRTIO_BLK", "m"), ("EXT4_FS", "m"), ("BLK_DEV_DM", "m"), ("DM_DELAY", "m")];
    let config = config(&more);
    let expected = [
        "virtio",
        "virtio_ring",
        "virtio_blk",
        "dm_mod",
        "dm_delay",
        "crc32c_generic",
        "jbd2",
        "crc16",
        "ext4",
    ];
    assert_eq!(names(&needs("ext4", true), Some(&config), Some(&tree)), expected);
    let without: Vec<_> = expected.into_iter().filter(|name| !name.starts_with("dm_")).collect();
    assert_eq!(names(&needs("ext4", false), Some(&config), Some(&tree)), without);
}

#[test]
fn optional_modules_of_criu_are_loaded_if_criu_is_tried_and_the_kernel_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let modules: &[(&str, &[&str])] = &[
        ("net/unix/unix_diag", &["depends="]),
        ("net/netfilter/nf_tables", &["depends=nfnetlink"]),
        ("net/netfilter/nfnetlink", &["depends="]),
    ];
    let tree = tree(folder.path(), modules, "kernel/drivers/net/tun.ko\n");
    let config = config(&[("VIRTIO_BLK", "y"), ("EXT4_FS", "y"), ("UNIX_DIAG", "m")]);
    let with_criu = Needs { criu: true, ..needs("ext4", false) };
    let expected = ["nfnetlink", "nf_tables", "unix_diag"];
    assert_eq!(names(&with_criu, Some(&config), Some(&tree)), expected);
    assert!(names(&needs("ext4", false), Some(&config), Some(&tree)).is_empty());
    assert!(names(&with_criu, Some(&config), None).is_empty());
}

#[test]
fn an_optional_module_of_criu_without_its_dependencies_is_omitted() {
    let folder = tempfile::tempdir().unwrap();
    let modules: &[(&str, &[&str])] = &[
        ("net/ipv4/udp_diag", &["depends=libcrc32c,sock_diag"]),
        ("net/ipv4/inet_diag", &["depends="]),
        ("net/netfilter/nf_tables", &["depends=libcrc32c,inet_diag,nfnetlink"]),
        ("lib/libcrc32c", &["depends="]),
        ("net/netlink/netlink_diag", &["depends=libcrc32c"]),
        ("drivers/net/tun", &[]),
        ("fs/ext4/ext4", &["depends="]),
    ];
    let tree = tree(folder.path(), modules, "");
    fs::write(folder.path().join("kernel/drivers/net/tun.ko"), "no module").unwrap();
    let config = config(&[("VIRTIO_BLK", "y"), ("EXT4_FS", "m")]);
    let with_criu = Needs { criu: true, ..needs("ext4", false) };
    let modules = needed(&with_criu, Some(&config), Some(&tree)).unwrap();
    let found: Vec<_> = modules.iter().map(|one| (one.name.as_str(), one.for_criu)).collect();
    let expected =
        [("ext4", false), ("inet_diag", true), ("libcrc32c", true), ("netlink_diag", true)];
    assert_eq!(found, expected);
}

#[test]
fn a_soft_dependency_that_is_missing_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let tree = tree(folder.path(), &[("fs/btrfs/btrfs", &["softdep=pre: sha256"])], "");
    let config = config(&[("VIRTIO_BLK", "y"), ("BTRFS_FS", "m")]);
    assert_eq!(names(&needs("btrfs", false), Some(&config), Some(&tree)), ["btrfs"]);
}

#[test]
fn a_missing_dependency_is_named_with_its_dependent() {
    let folder = tempfile::tempdir().unwrap();
    let tree = tree(folder.path(), &[("fs/xfs/xfs", &["depends=libcrc32c"])], "");
    let config = config(&[("VIRTIO_BLK", "y"), ("XFS_FS", "m")]);
    let error = needed(&needs("xfs", false), Some(&config), Some(&tree)).unwrap_err().to_string();
    assert!(error.contains("libcrc32c") && error.contains("xfs needs it"), "{error}");
}

#[test]
fn modules_that_need_each_other_end() {
    let folder = tempfile::tempdir().unwrap();
    let modules: [(&str, &[&str]); 2] =
        [("fs/xfs/xfs", &["depends=other"]), ("fs/xfs/other", &["depends=xfs"])];
    let tree = tree(folder.path(), &modules, "");
    let config = config(&[("VIRTIO_BLK", "y"), ("XFS_FS", "m")]);
    assert_eq!(names(&needs("xfs", false), Some(&config), Some(&tree)), ["other", "xfs"]);
}

#[test]
fn everything_that_is_lacking_is_listed() {
    let mut config = config(&[("BLK_DEV_DM", "y")]);
    config.remove("IO_URING");
    let error = needed(&needs("ext4", true), Some(&config), None).unwrap_err().to_string();
    let options = "CONFIG_IO_URING, CONFIG_VIRTIO_BLK, CONFIG_DM_DELAY, CONFIG_EXT4_FS; ";
    assert!(error.contains(options), "{error}");
}

#[test]
fn tmpfs_needs_no_disk() {
    assert!(names(&needs("tmpfs", false), Some(&config(&[("TMPFS", "y")])), None).is_empty());
}

#[test]
fn modules_that_are_missing_are_named() {
    let config = config(&[("VIRTIO_BLK", "m"), ("EXT4_FS", "y")]);
    let error = needed(&needs("ext4", false), Some(&config), None).unwrap_err().to_string();
    assert!(error.contains("CONFIG_VIRTIO_BLK as modules"), "{error}");
}

#[test]
fn without_a_configuration_the_modules_say_what_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let builtin = "kernel/drivers/virtio/virtio_pci.ko\nkernel/drivers/char/virtio_console.ko\n";
    let tree = tree(folder.path(), &[("drivers/block/virtio_blk", &["depends="])], builtin);
    let error = needed(&needs("xfs", false), None, Some(&tree)).unwrap_err().to_string();
    assert!(error.contains("lacks CONFIG_XFS_FS;"), "{error}");
    assert_eq!(names(&needs("tmpfs", false), None, Some(&tree)), Vec::<String>::new());
}

#[test]
fn without_configuration_and_modules_nothing_is_known() {
    assert!(names(&needs("btrfs", true), None, None).is_empty());
}

#[test]
fn an_unknown_file_system_is_refused() {
    let error = needed(&needs("ntfs", false), None, None).unwrap_err().to_string();
    assert!(error.contains("\"ntfs\"") && error.contains("ext4, xfs, btrfs and tmpfs"), "{error}");
}
