//! The disk that files under test go to: found by its serial number, slowed down, mounted.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::Disk;
use iowq_contract::guest::DISK_SERIAL;
use rustix::mount::{MountFlags, UnmountFlags, mount};

use super::block::find;
use super::delay;
use super::wait::wait_for;

/// Where it is mounted.
pub(super) const PLACE: &str = "/work-files";

/// The file system that has no disk.
pub(super) const TMPFS: &str = "tmpfs";

/// How long a node in `/dev` may take to appear.
const NODE_TIME_MAX: Duration = Duration::from_secs(20);

/// Mounts it at [`PLACE`], with the job's delay. Returns a description of it.
///
/// # Errors
/// Says what could not be done.
pub(super) fn mount_it(disk: &Disk) -> anyhow::Result<String> {
    fs::create_dir_all(PLACE).with_context(|| format!("cannot create {PLACE}"))?;
    if disk.filesystem == TMPFS {
        let size = format!("size={}m\0", disk.size_mib);
        let size = std::ffi::CStr::from_bytes_with_nul(size.as_bytes())?;
        mount(TMPFS, PLACE, TMPFS, MountFlags::empty(), size).context("cannot mount a tmpfs")?;
        return Ok(in_words(disk, TMPFS));
    }
    let block = find().with_context(|| {
        format!(
            "no disk of this machine has the serial number {DISK_SERIAL}, but its driver is here"
        )
    })?;
    let node = if disk.delay_us == 0 {
        block.node
    } else {
        delay::make(&block, delay_ms(disk.delay_us)?)
            .context("cannot create the dm-delay device")?
    };
    wait_for(NODE_TIME_MAX, || node.exists().then_some(()))
        .with_context(|| format!("{} did not appear", node.display()))?;
    mount(&node, PLACE, disk.filesystem.as_str(), MountFlags::empty(), None)
        .with_context(|| format!("cannot mount {} as {}", node.display(), disk.filesystem))?;
    Ok(in_words(disk, &node.to_string_lossy()))
}

/// The delay as dm-delay counts it.
fn delay_ms(delay_us: u64) -> anyhow::Result<u64> {
    if !delay_us.is_multiple_of(1000) {
        anyhow::bail!("a delay of {delay_us} us: dm-delay counts whole milliseconds");
    }
    Ok(delay_us / 1000)
}

/// What files under test lie on, so that unlike disks are never taken for alike.
fn in_words(disk: &Disk, device: &str) -> String {
    if disk.filesystem == TMPFS {
        return format!("memory ({} MiB)", disk.size_mib);
    }
    let mut words = format!("{device} (virtio-blk, {} MiB", disk.size_mib);
    if disk.delay_us > 0 {
        let delay_ms = disk.delay_us as f64 / 1e3;
        words += &format!(", dm-delay holds writes and flushes back for {delay_ms} ms");
    }
    if let Some(iops_max) = disk.iops_max {
        words += &format!(", {iops_max} requests/s at most");
    }
    words + ")"
}

/// Unmounts it, if it is mounted.
pub(super) fn unmount() {
    rustix::fs::sync();
    // If it never was mounted there is nothing to unmount.
    let _ = rustix::mount::unmount(PLACE, UnmountFlags::empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(filesystem: &str, delay_us: u64, iops_max: Option<u32>) -> Disk {
        Disk { filesystem: filesystem.to_owned(), size_mib: 512, delay_us, iops_max }
    }

    #[test]
    fn unlike_disks_have_unlike_words() {
        let words = [
            in_words(&disk("ext4", 0, None), "/dev/vda"),
            in_words(&disk("ext4", 3000, None), "/dev/vda"),
            in_words(&disk("ext4", 0, Some(500)), "/dev/vda"),
            in_words(&disk(TMPFS, 0, None), "tmpfs"),
        ];
        assert_eq!(words[0], "/dev/vda (virtio-blk, 512 MiB)");
        assert!(words[1].contains("writes and flushes back for 3 ms"), "{}", words[1]);
        assert!(words[2].contains("500 requests/s at most"), "{}", words[2]);
        assert_eq!(words[3], "memory (512 MiB)");
    }

    #[test]
    fn a_delay_is_whole_milliseconds() {
        assert_eq!(delay_ms(3000).ok(), Some(3));
        assert!(delay_ms(2500).is_err_and(|error| error.to_string().contains("2500 us")));
    }
}
