//! Block devices: the one for files under test, by its serial number.

use std::fs;
use std::path::{Path, PathBuf};

use iowq_contract::guest::DISK_SERIAL;

/// A block device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its node.
    pub(super) node: PathBuf,
    /// Its number, as `major:minor`.
    pub(super) number: String,
    /// Its size.
    pub(super) sectors: u64,
}

/// The disk, if it is there.
pub(super) fn find() -> Option<Block> {
    with_serial(Path::new("/sys/block"), DISK_SERIAL)
}

fn with_serial(blocks: &Path, serial: &str) -> Option<Block> {
    fs::read_dir(blocks).ok()?.flatten().find_map(|block| {
        let text = |file| fs::read_to_string(block.path().join(file)).ok();
        if text("serial")?.trim() != serial {
            return None;
        }
        Some(Block {
            node: Path::new("/dev").join(block.file_name()),
            number: text("dev")?.trim().to_owned(),
            sectors: text("size")?.trim().parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_found_by_its_serial_number() {
        let blocks = tempfile::tempdir().expect("a temporary folder");
        for (name, serial) in [("vda", Some("other")), ("vdb", Some("mine")), ("loop0", None)] {
            let folder = blocks.path().join(name);
            fs::create_dir(&folder).expect("a folder");
            let files =
                [("dev", Some("254:16\n")), ("size", Some("1048576\n")), ("serial", serial)];
            for (file, text) in files {
                if let Some(text) = text {
                    fs::write(folder.join(file), text).expect("a file");
                }
            }
        }
        let found = with_serial(blocks.path(), "mine").expect("it is there");
        let wanted = Block { node: "/dev/vdb".into(), number: "254:16".into(), sectors: 1_048_576 };
        assert_eq!(found, wanted);
        assert_eq!(with_serial(blocks.path(), "none"), None);
    }
}
