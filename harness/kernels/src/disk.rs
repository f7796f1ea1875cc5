//! Disks: a fresh image with a file system for each boot.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use iowq_contract::Disk;
use rustix::fs::statvfs;

use crate::{child, host_tool, stop::Stop};

/// Less than this is as good as nothing: a boot that failed on such a host failed for this reason.
const ROOM_LEFT_MIB_MIN: u64 = 16;

/// The same for each disk, so that two disks differ in nothing.
const UUID: &str = "69a0b3a6-8f4e-4c0a-9d53-5c7e1f0d2b11";

/// A program that makes a file system.
struct Maker {
    filesystem: &'static str,
    program: &'static str,
    packages: &'static str,
    flags: &'static [&'static str],
}

const MAKERS: [Maker; 3] = [
    Maker {
        filesystem: "ext4",
        program: "mkfs.ext4",
        packages: "e2fsprogs",
        // Nothing is left for the kernel to write later, when it is being measured.
        flags: &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-U", UUID],
    },
    Maker {
        filesystem: "xfs",
        program: "mkfs.xfs",
        packages: "xfsprogs",
        flags: &["-q", "-f", "-m", "uuid=69a0b3a6-8f4e-4c0a-9d53-5c7e1f0d2b11"],
    },
    Maker {
        filesystem: "btrfs",
        program: "mkfs.btrfs",
        packages: "btrfs-progs",
        flags: &["-q", "-f", "-U", UUID],
    },
];

/// Makes a sparse raw image with an empty file system, or none if files are in memory.
///
/// # Errors
///
/// The file system is unknown, its tool is missing, stuck or fails, the folder has no room for
/// the whole disk, or a stop is requested. Nothing is left behind.
pub fn make(path: &Path, disk: &Disk, stop: &Stop) -> anyhow::Result<Option<PathBuf>> {
    if disk.filesystem == "tmpfs" {
        return Ok(None);
    }
    let Some(maker) = MAKERS.iter().find(|maker| maker.filesystem == disk.filesystem) else {
        let known: Vec<_> = MAKERS.iter().map(|maker| maker.filesystem).collect();
        bail!("unknown file system {:?}; known: {}, tmpfs", disk.filesystem, known.join(", "));
    };
    let program = host_tool::find(maker.program, &format!("{0} (Debian, Fedora)", maker.packages))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // A sparse file takes its room later, when the guest would see it as a broken disk.
    if let Some(room) = room_mib(folder) {
        ensure!(
            room >= u64::from(disk.size_mib),
            "a disk of {} MiB does not fit into {}, which has {room} MiB left: free some, make the \
             disk smaller, or name another folder with --out",
            disk.size_mib,
            folder.display()
        );
    }
    let failed = || format!("cannot create the disk {}", path.display());
    let file = File::create_new(path).with_context(failed)?;
    let sized = file.set_len(u64::from(disk.size_mib) << 20).with_context(failed);
    let made = sized.and_then(|()| format(&program, maker, path, stop));
    if made.is_err() {
        // The first error is the one that counts.
        let _ = fs::remove_file(path);
    }
    made.map(|()| Some(path.to_owned()))
}

fn format(program: &Path, maker: &Maker, path: &Path, stop: &Stop) -> anyhow::Result<()> {
    let output = child::output(child::tool(program).args(maker.flags).arg(path), stop)?;
    let (status, words) = (output.status, String::from_utf8_lossy(&output.stderr));
    ensure!(
        status.success(),
        "{} cannot make a disk of {}: {status}: {}",
        maker.program,
        path.display(),
        words.trim()
    );
    Ok(())
}

/// Added to the reason of a boot that failed while the host had no room left for its disk.
pub(crate) fn full(folder: &Path) -> Option<String> {
    let room = room_mib(folder)?;
    (room < ROOM_LEFT_MIB_MIN)
        .then(|| format!("; the host has only {room} MiB left in {}", folder.display()))
}

fn room_mib(folder: &Path) -> Option<u64> {
    let stat = statvfs(folder).ok()?;
    Some((stat.f_bavail * stat.f_frsize) >> 20)
}

#[cfg(test)]
mod tests;
