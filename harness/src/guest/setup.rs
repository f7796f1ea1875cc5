//! The file systems that any process expects.

use std::fs;
use std::path::Path;

use iowq_contract::guest::MissingFeature;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use super::feature;
use crate::io::errno_name;

/// A file system, where it goes, and the option that brings it.
struct MountPoint {
    filesystem: &'static str,
    path: &'static str,
    option: &'static str,
}

const fn mount_point(
    filesystem: &'static str,
    path: &'static str,
    option: &'static str,
) -> MountPoint {
    MountPoint { filesystem, path, option }
}

/// In this order, because some lie in others.
const MOUNTS: [MountPoint; 7] = [
    mount_point("proc", "/proc", "CONFIG_PROC_FS"),
    mount_point("sysfs", "/sys", "CONFIG_SYSFS"),
    mount_point("devtmpfs", "/dev", "CONFIG_DEVTMPFS"),
    mount_point("tmpfs", "/dev/shm", "CONFIG_TMPFS"),
    mount_point("tmpfs", "/tmp", "CONFIG_TMPFS"),
    mount_point("tmpfs", "/run", "CONFIG_TMPFS"),
    // The kernel makes the folder if it has the file system.
    mount_point("tracefs", "/sys/kernel/tracing", "CONFIG_FTRACE"),
];

/// Mounts them all. What cannot be mounted is named by its option, each once.
pub(super) fn mount_all() -> Vec<MissingFeature> {
    let mut missing: Vec<MissingFeature> = Vec::new();
    for point in &MOUNTS {
        let Err(errno) = mount_one(point) else { continue };
        if missing.iter().all(|feature| feature.option != point.option) {
            missing.push(cannot_mount(point, errno));
        }
    }
    missing
}

/// Whether too much is missing to look for the rest.
pub(super) fn is_blind(missing: &[MissingFeature]) -> bool {
    let eyes = ["CONFIG_PROC_FS", "CONFIG_SYSFS", "CONFIG_DEVTMPFS"];
    missing.iter().any(|feature| eyes.contains(&feature.option.as_str()))
}

fn mount_one(point: &MountPoint) -> Result<(), Errno> {
    // If it cannot be made, mounting says so.
    let _ = fs::create_dir_all(point.path);
    if point.filesystem == "tmpfs" && holds_files(Path::new(point.path)) {
        return Ok(());
    }
    let mounted = mount(point.filesystem, point.path, point.filesystem, MountFlags::empty(), None);
    match mounted {
        // The kernel did it.
        Err(Errno::BUSY) => Ok(()),
        other => other,
    }
}

/// Whether the initramfs brought something to this place, such as a program that lies there on the
/// host. It is in memory as it is, and a mount would hide it.
fn holds_files(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

fn cannot_mount(point: &MountPoint, errno: Errno) -> MissingFeature {
    let name = errno_name(errno.raw_os_error());
    feature(
        point.option,
        format!("mounting {} on {} failed: {name} ({errno})", point.filesystem, point.path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_files_of_the_initramfs_is_not_mounted_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!holds_files(&folder.path().join("none")) && !holds_files(folder.path()));
        fs::write(folder.path().join("criu"), "").expect("a file");
        assert!(holds_files(folder.path()));
    }

    #[test]
    fn what_cannot_be_mounted_is_named_by_its_option() {
        let missing = cannot_mount(&MOUNTS[2], Errno::NODEV);
        assert_eq!(missing.option, "CONFIG_DEVTMPFS");
        assert!(is_blind(std::slice::from_ref(&missing)));
        assert!(!is_blind(&[cannot_mount(&MOUNTS[6], Errno::NODEV)]));
        assert!(missing.saw.contains("devtmpfs on /dev failed: ENODEV"), "{}", missing.saw);
    }
}
