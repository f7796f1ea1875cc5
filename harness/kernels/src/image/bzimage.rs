//! bzImages: the boot header of x86 kernels, and the configuration in what they carry.
//!
//! Offsets are those of the kernel's documentation of the boot protocol
//! (`Documentation/arch/x86/boot.rst`).

use iowq_contract::kconfig::Config;

use super::{compressed::unpack_all, ikconfig};

/// Largest file that is taken for a bzImage.
pub(super) const BYTES_MAX: u64 = 256 << 20;
/// Largest kernel that one may carry.
const PAYLOAD_BYTES_MAX: u64 = 512 << 20;
/// Longest release; the kernel allows 64 bytes with the zero.
const RELEASE_BYTES_MAX: usize = 64;

const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;
const VERSION_TEXT: usize = 0x20e;
const LOAD_FLAGS: usize = 0x211;
const XLOAD_FLAGS: usize = 0x236;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
/// Pointers in the header count from here.
const HEADER_BASE: usize = 0x200;
const SECTOR_BYTES: usize = 512;
/// The first protocol with [`XLOAD_FLAGS`], in Linux 3.8.
const PROTOCOL_MIN: u16 = 0x020c;

/// Bytes that say whether a file is a bzImage.
pub(super) const HEAD_BYTES: usize = 0x260;

/// Whether a file begins as one.
pub(super) fn is_one(head: &[u8]) -> bool {
    head.get(MAGIC..MAGIC + 4) == Some(b"HdrS")
}

/// A bzImage that can be booted here.
#[derive(Debug)]
pub(super) struct BzImage<'a> {
    pub(super) release: Option<String>,
    payload: &'a [u8],
}

/// Reads one.
///
/// # Errors
///
/// What is wrong with it, as the end of a sentence that begins with its name.
pub(super) fn read(bytes: &[u8]) -> Result<BzImage<'_>, String> {
    let protocol = u16_at(bytes, PROTOCOL).ok_or_else(cut_off)?;
    if protocol < PROTOCOL_MIN {
        let (major, minor) = (protocol >> 8, protocol & 0xff);
        return Err(format!("is a kernel with boot protocol {major}.{minor:02}; 2.12 is needed"));
    }
    if bytes.get(LOAD_FLAGS).is_none_or(|flags| flags & 1 == 0) {
        return Err("is a zImage, which loads low; a bzImage is needed".to_owned());
    }
    if u16_at(bytes, XLOAD_FLAGS).is_none_or(|flags| flags & 1 == 0) {
        return Err("is a 32-bit kernel; one for x86_64 is needed".to_owned());
    }
    let sectors = bytes.get(SETUP_SECTORS).map_or(0, |sectors| usize::from(*sectors));
    // Zero stands for four, for the sake of very old loaders.
    let code = (if sectors == 0 { 4 } else { sectors } + 1) * SECTOR_BYTES;
    let offset = usize_at(bytes, PAYLOAD_OFFSET).ok_or_else(cut_off)?;
    let length = usize_at(bytes, PAYLOAD_LENGTH).ok_or_else(cut_off)?;
    let start = code.saturating_add(offset);
    let payload = bytes.get(start..start.saturating_add(length)).ok_or_else(cut_off)?;
    Ok(BzImage { release: release(bytes), payload })
}

impl BzImage<'_> {
    /// The configuration that the kernel carries, if it was built with `CONFIG_IKCONFIG` and
    /// packed in a format that is known here.
    pub(super) fn config(&self) -> Option<Config> {
        let kernel = unpack_all(self.payload, PAYLOAD_BYTES_MAX).ok()?;
        ikconfig::find(&kernel)
    }
}

fn cut_off() -> String {
    "is a kernel that was cut off; copy or build it again".to_owned()
}

/// The first word of the text that the header points to.
fn release(bytes: &[u8]) -> Option<String> {
    let offset = usize::from(u16_at(bytes, VERSION_TEXT)?);
    if offset == 0 {
        return None;
    }
    let text = bytes.get(HEADER_BASE + offset..)?;
    let text = &text[..text.len().min(RELEASE_BYTES_MAX + 1)];
    let end = text.iter().position(|byte| byte.is_ascii_whitespace() || *byte == 0)?;
    let release = &text[..end];
    let is_release = !release.is_empty() && release.iter().all(u8::is_ascii_graphic);
    is_release.then(|| String::from_utf8_lossy(release).into_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    let value = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(value).ok()
}

/// A made-up bzImage that carries `payload`.
#[cfg(test)]
pub(super) fn example(release: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 2 * SECTOR_BYTES];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(SETUP_SECTORS, &[1]);
    put(MAGIC, b"HdrS");
    put(PROTOCOL, &0x020f_u16.to_le_bytes());
    put(VERSION_TEXT, &0x0070_u16.to_le_bytes());
    put(LOAD_FLAGS, &[1]);
    put(XLOAD_FLAGS, &[1, 0]);
    put(PAYLOAD_LENGTH, &(payload.len() as u32).to_le_bytes());
    put(HEADER_BASE + 0x70, format!("{release} (somebody) #1 SMP\0").as_bytes());
    bytes.extend(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HEAD_BYTES, example, is_one, read};
    use crate::image::ikconfig;

    #[test]
    fn the_release_is_the_first_word_of_the_version() {
        let bytes = example("6.12.117+deb12-cloud-amd64", b"");
        assert!(is_one(&bytes));
        assert_eq!(read(&bytes).unwrap().release.as_deref(), Some("6.12.117+deb12-cloud-amd64"));
    }

    #[test]
    fn a_configuration_inside_is_found() {
        let bytes = example("6.12", &ikconfig::example("CONFIG_IO_URING=y\n"));
        let config = read(&bytes).unwrap().config().unwrap();
        assert_eq!(config["IO_URING"], "y");
        assert_eq!(read(&example("6.12", b"nothing")).unwrap().config(), None);
    }

    #[test]
    fn what_cannot_boot_here_is_said() {
        let whole = example("6.12", &[1; 100]);
        let broken = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            read(&bytes).unwrap_err()
        };
        assert!(broken(0x236, 0).contains("32-bit"));
        assert!(broken(0x211, 0).contains("zImage"));
        assert!(broken(0x207, 1).contains("boot protocol 1.15"));
        assert!(broken(0x24c, 101).contains("cut off"));
        assert!(read(&whole[..0x206]).unwrap_err().contains("cut off"));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(at in 0..HEAD_BYTES, bytes in prop::array::uniform4(any::<u8>()), cut in 0_usize..1200) {
            let mut image = example("6.12.117", b"payload");
            image[at..at + 4].copy_from_slice(&bytes);
            image.truncate(image.len().saturating_sub(cut));
            let head = is_one(&image);
            if let Ok(read) = read(&image) {
                prop_assert!(head || (0x1ff..0x206).contains(&at));
                let _ = read.config();
                prop_assert!(read.release.is_none_or(|release| release.len() <= 64));
            }
        }
    }
}
