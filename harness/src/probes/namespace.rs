//! The PID namespace of this process, if it is not the machine's first, whose ids all events have.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{major, minor};

use crate::machine::rights::Rights;

/// The file that stands for the namespace.
const PATH: &str = "/proc/self/ns/pid";

/// What identifies it to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Namespace {
    /// Device of its file, as the kernel encodes it.
    pub(super) dev: u64,
    /// Inode of its file; 0 for the machine's first namespace.
    pub(super) ino: u64,
}

impl Namespace {
    /// That of this process.
    pub(super) fn here() -> Namespace {
        if !Rights::here().pid_namespace {
            return Namespace::default();
        }
        let file = fs::metadata(PATH);
        file.map_or_else(|_| Namespace::default(), |file| Namespace::of(file.dev(), file.ino()))
    }

    /// Programs get the number of a device in another encoding than the kernel's own.
    fn of(dev: u64, ino: u64) -> Namespace {
        Namespace { dev: u64::from(major(dev)) << 20 | u64::from(minor(dev)), ino }
    }

    /// Whether the machine's ids are those of this process.
    pub(super) fn is_first(self) -> bool {
        self.ino == 0
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::makedev;

    use super::*;

    #[test]
    fn a_device_is_encoded_as_in_the_kernel() {
        assert_eq!(Namespace::of(makedev(0, 4), 7), Namespace { dev: 4, ino: 7 });
        assert_eq!(Namespace::of(makedev(3, 0x1_0001), 7).dev, 0x31_0001);
    }
}
