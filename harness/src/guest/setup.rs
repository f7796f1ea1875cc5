//! The file systems that any process expects.

use std::fs;
use std::path::Path;

use iowq_contract::guest::MissingFeature;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use super::feature;
use crate::io::errno_name;

/// A file system, where it goes, and the option that brings it.
struct Wanted {
    filesystem: &'static str,
    place: &'static str,
    option: &'static str,
}

const fn wanted(filesystem: &'static str, place: &'static str, option: &'static str) -> Wanted {
    Wanted { filesystem, place, option }
}

/// In this order, because some lie in others.
const MOUNTS: [Wanted; 7] = [
    wanted("proc", "/proc", "CONFIG_PROC_FS"),
    wanted("sysfs", "/sys", "CONFIG_SYSFS"),
    wanted("devtmpfs", "/dev", "CONFIG_DEVTMPFS"),
    wanted("tmpfs", "/dev/shm", "CONFIG_TMPFS"),
    wanted("tmpfs", "/tmp", "CONFIG_TMPFS"),
    wanted("tmpfs", "/run", "CONFIG_TMPFS"),
    // The kernel makes the folder if it has the file system.
    wanted("tracefs", "/sys/kernel/tracing", "CONFIG_FTRACE"),
];

/// Mounts them all. What cannot be mounted is named by its option, each once.
pub(super) fn mount_all() -> Vec<MissingFeature> {
    let mut missing: Vec<MissingFeature> = Vec::new();
    for wanted in &MOUNTS {
        let Err(errno) = mount_one(wanted) else { continue };
        if missing.iter().all(|feature| feature.option != wanted.option) {
            missing.push(cannot_mount(wanted, errno));
        }
    }
    missing
}

/// Whether too much is missing to look for the rest.
pub(super) fn is_blind(missing: &[MissingFeature]) -> bool {
    let eyes = ["CONFIG_PROC_FS", "CONFIG_SYSFS", "CONFIG_DEVTMPFS"];
    missing.iter().any(|feature| eyes.contains(&feature.option.as_str()))
}

fn mount_one(wanted: &Wanted) -> Result<(), Errno> {
    // If it cannot be made, mounting says so.
    let _ = fs::create_dir_all(wanted.place);
    if wanted.filesystem == "tmpfs" && holds_files(Path::new(wanted.place)) {
        return Ok(());
    }
    let mounted =
        mount(wanted.filesystem, wanted.place, wanted.filesystem, MountFlags::empty(), None);
    match mounted {
        // The kernel did it.
        Err(Errno::BUSY) => Ok(()),
        other => other,
    }
}

/// Whether the initramfs brought something to this place, such as a program that lies there on the
/// host. It is in memory as it is, and a mount would hide it.
fn holds_files(place: &Path) -> bool {
    fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_some())
}

fn cannot_mount(wanted: &Wanted, errno: Errno) -> MissingFeature {
    let name = errno_name(errno.raw_os_error());
    feature(
        wanted.option,
        format!("mounting {} on {} failed: {name} ({errno})", wanted.filesystem, wanted.place),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_which_the_initramfs_put_something_is_told_from_an_empty_one() {
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
