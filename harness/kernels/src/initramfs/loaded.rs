//! What the kernel loads of a program. Symbols and debug information, which are most of one that cargo
//! built, would only be unpacked and take memory.

use object::{
    LittleEndian,
    elf::FileHeader64,
    read::elf::{FileHeader as _, ProgramHeader as _},
};

/// Where the header has the table of sections, which lies behind all that is loaded, and the numbers
/// of its entries, of bytes in one, and of the one with names; `Elf64_Ehdr` of elf(5).
const SECTIONS: [std::ops::Range<usize>; 2] = [0x28..0x30, 0x3a..0x40];

/// The program without what is behind its segments; as it is if it is no program for 64 bits.
#[must_use]
pub fn loaded(mut program: Vec<u8>) -> Vec<u8> {
    let Some(end) = end(&program) else { return program };
    program.truncate(end);
    for place in SECTIONS {
        program.get_mut(place).into_iter().for_each(|bytes| bytes.fill(0));
    }
    program
}

/// Where the last segment ends.
fn end(program: &[u8]) -> Option<usize> {
    let endian = LittleEndian;
    let header = FileHeader64::<LittleEndian>::parse(program).ok()?;
    let segments = header.program_headers(endian, program).ok()?;
    let ends = segments.iter().map(|it| it.p_offset(endian).checked_add(it.p_filesz(endian)));
    usize::try_from(ends.collect::<Option<Vec<_>>>()?.into_iter().max()?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::loaded;

    #[test]
    fn a_program_runs_as_before_without_what_is_not_loaded() {
        let own = std::env::current_exe().expect("a path");
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        // With its mode.
        fs::copy(&own, &copy).expect("room");
        let whole = fs::read(&own).expect("a program");
        let slim = loaded(whole.clone());
        assert!(slim.len() < whole.len());
        fs::write(&copy, slim).expect("room");
        let list = |program| Command::new(program).arg("--list").output().expect("it starts");
        let listed = list(&copy);
        assert!(listed.status.success(), "{listed:?}");
        assert_eq!(listed.stdout, list(&own).stdout);
    }

    #[test]
    fn what_is_no_program_stays_as_it_is() {
        for bytes in [b"".as_slice(), b"#!/bin/sh\n", b"\x7fELF\x02\x01\x01"] {
            assert_eq!(loaded(bytes.to_vec()), bytes);
        }
    }
}
