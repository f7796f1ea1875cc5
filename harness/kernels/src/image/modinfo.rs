//! What a module says of itself, in the section `.modinfo`: the modules it needs and the names it
//! answers to.

use object::{
    LittleEndian,
    elf::FileHeader64,
    read::elf::{FileHeader as _, SectionHeader as _},
};

/// The lines of `.modinfo` that say in which order modules must be loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ModInfo {
    /// Modules whose symbols it uses.
    pub(super) depends: Vec<String>,
    /// Names of modules, or aliases, that are to be loaded before it if they exist.
    pub(super) before: Vec<String>,
    /// Aliases by which it is requested.
    pub(super) aliases: Vec<String>,
}

/// Reads them from an unpacked module.
///
/// # Errors
///
/// What is wrong with it, as the end of a sentence that begins with its name.
pub(super) fn read(module: &[u8]) -> Result<ModInfo, String> {
    let broken = |error: object::read::Error| format!("is no module ({error})");
    let endian = LittleEndian;
    let header = FileHeader64::<LittleEndian>::parse(module).map_err(broken)?;
    let sections = header.sections(endian, module).map_err(broken)?;
    let Some((_, section)) = sections.section_by_name(endian, b".modinfo") else {
        return Err("is no module (it has no section .modinfo)".to_owned());
    };
    let lines = section.data(endian, module).map_err(broken)?;
    let mut info = ModInfo::default();
    for line in lines.split(|byte| *byte == 0) {
        let line = String::from_utf8_lossy(line);
        let Some((key, value)) = line.split_once('=') else { continue };
        match key {
            "depends" => {
                let names = value.split(',').filter(|name| !name.is_empty());
                info.depends.extend(names.map(str::to_owned));
            }
            "softdep" => info.before.extend(before(value)),
            "alias" => info.aliases.push(value.to_owned()),
            _ => {}
        }
    }
    Ok(info)
}

/// The names after `pre:` in a line such as `pre: a b post: c`.
fn before(softdep: &str) -> impl Iterator<Item = String> {
    let words = softdep.split_whitespace().skip_while(|word| *word != "pre:").skip(1);
    words.take_while(|word| *word != "post:").map(str::to_owned)
}

/// A made-up module with these lines.
#[cfg(test)]
pub(super) fn example(lines: &[&str]) -> Vec<u8> {
    use object::{Architecture, BinaryFormat, Endianness, SectionKind, write::Object};
    let mut module = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let section = module.add_section(vec![], b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    module.append_section_data(section, format!("{}\0", lines.join("\0")).as_bytes(), 1);
    module.write().unwrap()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ModInfo, example, read};

    #[test]
    fn what_a_module_needs_is_read() {
        let lines = [
            "name=btrfs",
            "depends=xor,raid6_pq",
            "softdep=pre: crypto-crc32c",
            "softdep=post: late pre: sha256 xxhash64 post: later",
            "alias=fs-btrfs",
        ];
        let expected = ModInfo {
            depends: ["xor", "raid6_pq"].map(str::to_owned).to_vec(),
            before: ["crypto-crc32c", "sha256", "xxhash64"].map(str::to_owned).to_vec(),
            aliases: vec!["fs-btrfs".to_owned()],
        };
        assert_eq!(read(&example(&lines)).unwrap(), expected);
        assert_eq!(read(&example(&["depends="])).unwrap(), ModInfo::default());
    }

    #[test]
    fn what_is_no_module_is_said() {
        assert!(read(b"").unwrap_err().contains("is no module"));
        assert!(read(b"some text").unwrap_err().contains("is no module"));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(at in any::<prop::sample::Index>(), byte: u8, cut in 0_usize..300) {
            let mut module = example(&["depends=a,b"]);
            let at = at.index(module.len());
            module[at] = byte;
            module.truncate(module.len().saturating_sub(cut));
            let _ = read(&module);
        }
    }
}
