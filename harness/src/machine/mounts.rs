//! Mounts: which file system is under a folder, from the text of `/proc/self/mountinfo`.

use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

use rustix::fs::{major, minor};

/// What is mounted under a folder. A field that could not be read is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Type, such as `ext4`.
    pub filesystem: String,
    /// Options of the mount and of the file system, each once.
    pub options: String,
    /// Device, such as `/dev/vda1`, or what stands for it, such as `overlay`.
    pub device: String,
}

/// The mount under a folder; none if the folder is not there or `/proc` is not.
#[must_use]
pub fn under(dir: &Path) -> Option<Mount> {
    let dir = fs::canonicalize(dir).ok()?;
    let id = fs::metadata(&dir).ok()?.dev();
    let mountinfo = fs::read("/proc/self/mountinfo").ok()?;
    find(&mountinfo, dir.as_os_str().as_bytes(), &format!("{}:{}", major(id), minor(id)))
}

/// The longest mount point above `dir` on the device `id`; on any device if there is none, as
/// with btrfs, whose subvolumes have numbers of their own. Later mounts hide earlier ones.
fn find(mountinfo: &[u8], dir: &[u8], id: &str) -> Option<Mount> {
    let lines = mountinfo.split(|byte| *byte == b'\n').filter_map(Line::parse);
    let above = lines.filter(|line| is_above(&line.point, dir));
    above.max_by_key(|line| (line.id == id.as_bytes(), line.point.len())).map(|line| line.mount)
}

fn is_above(point: &[u8], dir: &[u8]) -> bool {
    match dir.strip_prefix(point) {
        Some(rest) => point.ends_with(b"/") || rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    }
}

struct Line<'a> {
    id: &'a [u8],
    point: Vec<u8>,
    mount: Mount,
}

impl Line<'_> {
    /// `36 35 98:0 /root /point options [tags…] - type device options`, see proc(5).
    fn parse(line: &[u8]) -> Option<Line<'_>> {
        let mut fields = line.split(|byte| *byte == b' ');
        let id = fields.nth(2)?;
        let point = unescape(fields.nth(1)?);
        let own = fields.next()?;
        let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
        let (filesystem, device, shared) = (fields.next()?, fields.next()?, fields.next()?);
        let [own, shared] = [own, shared].map(String::from_utf8_lossy);
        let mut options: Vec<&str> = Vec::new();
        for option in own.split(',').chain(shared.split(',')) {
            if !options.contains(&option) {
                options.push(option);
            }
        }
        let mount = Mount {
            filesystem: String::from_utf8_lossy(filesystem).into_owned(),
            options: options.join(","),
            device: String::from_utf8_lossy(&unescape(device)).into_owned(),
        };
        Some(Line { id, point, mount })
    }
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let octal = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &rest[4..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &[u8] = br"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / / rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw,errors=remount-ro
30 27 8:17 / /mnt rw - xfs /dev/sdb1 rw,noquota
31 27 0:40 / /mnt/my\040disk rw,noatime - tmpfs tmpfs rw,size=1g
32 27 0:41 / /mnt2 rw - btrfs /dev/sdc rw,subvol=/a
33 30 8:33 / /mnt rw - ext4 /dev/sdc1 rw
";

    fn device(dir: &str, id: &str) -> String {
        find(SAMPLE, dir.as_bytes(), id).unwrap_or_default().device
    }

    #[test]
    fn the_longest_mount_point_above_the_folder_is_meant() {
        assert_eq!(device("/var/lib", "254:1"), "/dev/vda1");
        assert_eq!(device("/mnt/my disk/x", "0:40"), "tmpfs");
        assert_eq!(device("/mnt3", "254:1"), "/dev/vda1", "/mnt is not above /mnt3");
    }

    #[test]
    fn a_later_mount_on_the_same_point_hides_the_earlier_one() {
        assert_eq!(device("/mnt/x", "8:33"), "/dev/sdc1");
    }

    #[test]
    fn a_folder_whose_device_is_in_no_line_is_found_by_its_path() {
        assert_eq!(device("/mnt2/x", "0:99"), "/dev/sdc");
    }

    #[test]
    fn options_of_the_mount_and_of_the_file_system_are_listed_once() {
        let mount = find(SAMPLE, b"/", "254:1").unwrap_or_default();
        assert_eq!(mount.filesystem, "ext4");
        assert_eq!(mount.options, "rw,relatime,errors=remount-ro");
    }

    #[test]
    fn this_folder_is_on_a_file_system() {
        assert!(under(Path::new(".")).is_some_and(|mount| !mount.filesystem.is_empty()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: Vec<u8>, dir: Vec<u8>, id in "[0-9:]*") {
            find(&text, &dir, &id);
            unescape(&text);
        }
    }
}
