//! How busy the disk is: what waits in the page cache to be written, and what the device works on.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use super::{mounts, text};

/// Bytes of a sector as the kernel counts them, whatever the device has.
const SECTOR_BYTES: u64 = 512;

/// Bytes of the machine's page cache that have yet to reach a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// Changed, and not yet on their way.
    pub dirty_bytes: Option<u64>,
    /// On their way.
    pub written_back_bytes: Option<u64>,
}

/// What a device works on, and what it has discarded since it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Requests it has, discards among them.
    pub in_flight: u64,
    /// Bytes discarded so far.
    pub discarded_bytes: u64,
}

/// What waits to be written on this machine.
#[must_use]
pub fn unwritten() -> Unwritten {
    text("/proc/meminfo").map(|text| parse_meminfo(&text)).unwrap_or_default()
}

/// `Dirty` and `Writeback` of `/proc/meminfo`, which are in KiB.
fn parse_meminfo(meminfo: &str) -> Unwritten {
    let bytes = |name: &str| {
        let rest = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    Unwritten { dirty_bytes: bytes("Dirty"), written_back_bytes: bytes("Writeback") }
}

/// The file that says what the device under a folder works on; none if the file system has no
/// device of its own.
#[must_use]
pub fn device_under(folder: &Path) -> Option<PathBuf> {
    let id = std::fs::metadata(folder).ok()?.dev();
    let by_number = PathBuf::from(format!("/sys/dev/block/{}:{}/stat", major(id), minor(id)));
    if by_number.exists() {
        return Some(by_number);
    }
    // Btrfs has numbers of its own.
    let device = mounts::under(folder)?.device;
    let name = Path::new(device.strip_prefix("/dev/")?).file_name()?;
    let by_name = Path::new("/sys/class/block").join(name).join("stat");
    by_name.exists().then_some(by_name)
}

/// What a device works on, by that file.
#[must_use]
pub fn load(device: &Path) -> Option<Load> {
    parse_stat(&text(device)?)
}

/// `/sys/block/DEV/stat`, see Documentation/block/stat.rst: eleven fields, and since Linux 4.18 four
/// of discards.
fn parse_stat(stat: &str) -> Option<Load> {
    let fields: Vec<u64> =
        stat.split_ascii_whitespace().map_while(|field| field.parse().ok()).collect();
    let discarded = fields.get(13).copied().unwrap_or(0);
    Some(Load { in_flight: *fields.get(8)?, discarded_bytes: discarded.checked_mul(SECTOR_BYTES)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unwritten_bytes_are_read_and_an_invalid_text_is_none() {
        let text = "MemTotal: 9 kB\nDirty:              2048 kB\nWriteback:             4 kB\n\
                    WritebackTmp:          8 kB\n";
        let wanted = Unwritten { dirty_bytes: Some(2 << 20), written_back_bytes: Some(4096) };
        assert_eq!(parse_meminfo(text), wanted);
        for text in ["", "Dirty:", "Dirty: x kB", "Dirty: 18446744073709551615 kB", "Dirty 1 kB"] {
            assert_eq!(parse_meminfo(text), Unwritten::default(), "{text}");
        }
    }

    #[test]
    fn requests_in_flight_and_discarded_bytes_are_read() {
        let stat = "  318 0 14 215 39 1 8 40 3 40 256 7 0 16 9 2 1\n";
        let wanted = Load { in_flight: 3, discarded_bytes: 16 * 512 };
        assert_eq!(parse_stat(stat), Some(wanted));
        let old = "318 0 14 215 39 1 8 40 2 40 256";
        assert_eq!(parse_stat(old), Some(Load { in_flight: 2, discarded_bytes: 0 }));
        assert_eq!(parse_stat("1 2 3"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = (parse_meminfo(&text), parse_stat(&text));
        }
    }
}
