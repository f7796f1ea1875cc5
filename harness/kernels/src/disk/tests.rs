//! Disks that are made, and disks that cannot be.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::*;

fn disk(filesystem: &str, size_mib: u32) -> Disk {
    Disk { filesystem: filesystem.to_owned(), size_mib, delay_us: 0, iops_max: None }
}

/// Where a file system's magic number is.
fn magic(path: &Path, at: u64, length: usize) -> Vec<u8> {
    let mut file = File::open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn each_file_system_is_made_where_its_tool_is() {
    let cases = [
        ("ext4", 64, 1024 + 56, &b"\x53\xef"[..]),
        ("xfs", 320, 0, b"XFSB"),
        ("btrfs", 256, 65536 + 64, b"_BHRfS_M"),
    ];
    for (filesystem, size_mib, at, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        match make(&path, &disk(filesystem, size_mib), &Stop::default()) {
            Ok(made) => {
                assert_eq!(made.as_deref(), Some(&*path));
                assert_eq!(magic(&path, at, expected.len()), expected, "{filesystem}");
                let length = fs::metadata(&path).unwrap().len();
                assert_eq!(length, u64::from(size_mib) << 20, "{filesystem}");
            }
            Err(error) if error.to_string().starts_with("cannot find") => {
                let line = format!("\nskipped: a disk of {filesystem}: {error}\n");
                io::stderr().write_all(line.as_bytes()).unwrap();
            }
            Err(error) => panic!("{filesystem}: {error:#}"),
        }
    }
}

#[test]
fn files_in_memory_need_no_disk() {
    assert_eq!(make(Path::new("no/disk"), &disk("tmpfs", 64), &Stop::default()).unwrap(), None);
}

#[test]
fn a_disk_that_cannot_be_created_is_explained_and_leaves_nothing() {
    let cases = [
        ("fat", 64, "unknown file system \"fat\"; known: ext4, xfs, btrfs, tmpfs"),
        ("ext4", u32::MAX, "a disk of 4294967295 MiB does not fit into "),
        ("btrfs", 1, "mkfs.btrfs cannot make a disk of "),
    ];
    for (filesystem, size_mib, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let error = make(&path, &disk(filesystem, size_mib), &Stop::default());
        let error = error.unwrap_err().to_string();
        let lacks = error.starts_with("cannot find");
        assert!(lacks || error.starts_with(expected), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_disk_that_is_there_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.raw");
    fs::write(&path, "mine").unwrap();
    let error = make(&path, &disk("ext4", 64), &Stop::default()).unwrap_err().to_string();
    assert!(error.starts_with("cannot "), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_request_to_stop_leaves_no_half_disk() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    stop.ask(signal_hook::consts::SIGINT);
    let error = make(&folder.path().join("disk.raw"), &disk("ext4", 64), &stop).unwrap_err();
    let error = error.to_string();
    assert!(error.starts_with("cannot find") || error == "stopped by SIGINT", "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
