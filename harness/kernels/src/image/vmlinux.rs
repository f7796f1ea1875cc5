//! vmlinux: the kernel as the linker wrote it, which QEMU boots only by its PVH entry.

use std::{fs::File, io};

use iowq_contract::kconfig::Config;
use object::{
    LittleEndian, ReadCache,
    elf::{EM_X86_64, FileHeader64},
    read::elf::{FileHeader as _, ProgramHeader as _, SectionHeader as _},
};

use super::ikconfig::{self, position};

/// Largest file that is taken for a vmlinux; with debug information they are about 1 GiB.
const BYTES_MAX: u64 = 8 << 30;
/// Largest section of constants; in kernels of distributions it is some 20 MiB.
const RODATA_BYTES_MAX: u64 = 512 << 20;
/// Longest release; the kernel allows 64 bytes with the zero.
const RELEASE_BYTES_MAX: usize = 64;

/// `XEN_ELFNOTE_PHYS32_ENTRY`: where a PVH kernel is entered.
const PVH_NOTE: u32 = 18;
const BANNER: &[u8] = b"Linux version ";

/// A vmlinux that can be booted here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vmlinux {
    pub(super) release: Option<String>,
    pub(super) config: Option<Config>,
}

/// Reads one.
///
/// # Errors
///
/// What is wrong with it, as the end of a sentence that begins with its name.
pub(super) fn read(file: File) -> Result<Vmlinux, String> {
    let broken = |error: object::read::Error| format!("is an ELF file that is broken ({error})");
    let unreadable = |error: io::Error| format!("cannot be read ({error})");
    if file.metadata().map_err(unreadable)?.len() > BYTES_MAX {
        return Err(format!("is an ELF file of more than {} GiB", BYTES_MAX >> 30));
    }
    let data = &ReadCache::new(file);
    let endian = LittleEndian;
    let header = FileHeader64::<LittleEndian>::parse(data)
        .map_err(|_| "is an ELF file, but none for a 64-bit little-endian machine".to_owned())?;
    if header.e_machine(endian) != EM_X86_64 {
        return Err("is an ELF file for another machine than x86_64".to_owned());
    }
    let sections = header.sections(endian, data).map_err(broken)?;
    let rodata = sections.section_by_name(endian, b".rodata").map(|(_, section)| section);
    let rodata = rodata.filter(|section| section.sh_size(endian) <= RODATA_BYTES_MAX);
    let rodata = rodata.map(|section| section.data(endian, data)).transpose().map_err(broken)?;
    let rodata = rodata.unwrap_or_default();
    let release = release(rodata);
    let mut pvh = false;
    for segment in header.program_headers(endian, data).map_err(broken)? {
        let Some(mut notes) = segment.notes(endian, data).map_err(broken)? else { continue };
        while let Some(note) = notes.next().map_err(broken)? {
            pvh |= note.name() == b"Xen" && note.n_type(endian) == PVH_NOTE;
        }
    }
    match (pvh, &release) {
        (true, _) => Ok(Vmlinux { config: ikconfig::find(rodata), release }),
        (false, None) => Err("is an ELF file, but no kernel".to_owned()),
        (false, Some(_)) => Err("is a vmlinux without the note that QEMU needs to boot one; \
                                 give arch/x86/boot/bzImage of the same build, or build it with \
                                 CONFIG_PVH=y"
            .to_owned()),
    }
}

/// The release by the kernel's banner.
fn release(rodata: &[u8]) -> Option<String> {
    let mut rest = rodata;
    while let Some(at) = position(rest, BANNER) {
        rest = &rest[at + BANNER.len()..];
        let text = &rest[..rest.len().min(RELEASE_BYTES_MAX + 1)];
        let end = text.iter().position(|byte| !byte.is_ascii_graphic()).unwrap_or(0);
        // The words stand in other texts too, such as those with a `%s`.
        if text.first().is_some_and(u8::is_ascii_digit) && end > 0 {
            return Some(String::from_utf8_lossy(&text[..end]).into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Seek as _, Write as _},
    };

    use proptest::prelude::*;

    use super::read;
    use crate::image::ikconfig;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    /// An ELF file of two sections, `.rodata` and the names, and a segment with one note.
    fn example(rodata: &[u8], note: u32) -> Vec<u8> {
        let names = b"\0.rodata\0.shstrtab\0";
        let note =
            [4_u32.to_le_bytes(), 4_u32.to_le_bytes(), note.to_le_bytes(), *b"Xen\0", *b"addr"];
        let note = note.concat();
        let (note_at, names_at) = (64 + 56, 64 + 56 + note.len());
        let rodata_at = names_at + names.len();
        let sections_at = rodata_at + rodata.len();
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        let words = |bytes: &mut Vec<u8>, words: &[(u64, usize)]| {
            for (value, length) in words {
                bytes.extend(&value.to_le_bytes()[..*length]);
            }
        };
        let (sections, segments) = (sections_at as u64, 64);
        words(&mut bytes, &[(2, 2), (62, 2), (1, 4), (0, 8), (segments, 8), (sections, 8), (0, 4)]);
        words(&mut bytes, &[(64, 2), (56, 2), (1, 2), (64, 2), (3, 2), (2, 2)]);
        let length = note.len() as u64;
        words(
            &mut bytes,
            &[
                (4, 4),
                (4, 4),
                (note_at as u64, 8),
                (0, 8),
                (0, 8),
                (length, 8),
                (length, 8),
                (4, 8),
            ],
        );
        bytes.extend(note);
        bytes.extend(names);
        bytes.extend(rodata);
        let section = |bytes: &mut Vec<u8>, name: u64, kind: u64, at: usize, length: usize| {
            words(
                bytes,
                &[
                    (name, 4),
                    (kind, 4),
                    (0, 8),
                    (0, 8),
                    (at as u64, 8),
                    (length as u64, 8),
                    (0, 8),
                    (1, 8),
                    (0, 8),
                ],
            );
        };
        bytes.resize(bytes.len() + 64, 0);
        section(&mut bytes, 1, 1, rodata_at, rodata.len());
        section(&mut bytes, 9, 3, names_at, names.len());
        bytes
    }

    fn rodata() -> Vec<u8> {
        let banner = b"Linux version %s\0Linux version 6.12.117-base (somebody) #1\0".to_vec();
        [banner, ikconfig::example("CONFIG_PVH=y\n")].concat()
    }

    #[test]
    fn one_with_the_note_is_read() {
        let vmlinux = read(file(&example(&rodata(), 18))).unwrap();
        assert_eq!(vmlinux.release.as_deref(), Some("6.12.117-base"));
        assert_eq!(vmlinux.config.unwrap()["PVH"], "y");
    }

    #[test]
    fn one_without_the_note_is_refused_with_the_way_out() {
        let error = read(file(&example(&rodata(), 17))).unwrap_err();
        assert!(
            error.contains("arch/x86/boot/bzImage") && error.contains("CONFIG_PVH=y"),
            "{error}"
        );
    }

    #[test]
    fn other_elf_files_are_no_kernels() {
        assert!(read(file(&example(b"", 17))).unwrap_err().contains("no kernel"));
        let mut arm = example(&rodata(), 18);
        arm[18] = 183;
        assert!(read(file(&arm)).unwrap_err().contains("another machine"));
        assert!(read(file(b"\x7fELF")).unwrap_err().contains("64-bit"));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(at in 0_usize..240, bytes in prop::array::uniform4(any::<u8>()), cut in 0_usize..600) {
            let mut image = example(&rodata(), 18);
            image[at..at + 4].copy_from_slice(&bytes);
            image.truncate(image.len().saturating_sub(cut));
            let _ = read(file(&image));
        }
    }
}
