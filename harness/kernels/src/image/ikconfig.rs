//! The configuration that a kernel built with `CONFIG_IKCONFIG` carries: gzip between two marks.

use iowq_contract::kconfig::{self, Config};

use super::compressed::unpack_all;

/// Largest `.config`; those of distributions have 300 KiB.
pub(super) const CONFIG_BYTES_MAX: u64 = 8 << 20;

const MARK: &[u8] = b"IKCFG_ST";

/// The configuration inside an unpacked kernel.
pub(super) fn find(kernel: &[u8]) -> Option<Config> {
    let mut rest = kernel;
    // The mark may also stand in other data, so each one is tried.
    while let Some(at) = position(rest, MARK) {
        rest = &rest[at + MARK.len()..];
        if rest.starts_with(b"\x1f\x8b") {
            let text = unpack_all(rest, CONFIG_BYTES_MAX).ok()?;
            return kconfig::parse(&String::from_utf8_lossy(&text)).ok();
        }
    }
    None
}

/// Position of the first occurrence of a word, in one pass.
pub(super) fn position(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let (first, _) = word.split_first()?;
    let mut start = 0;
    loop {
        start += bytes.get(start..)?.iter().position(|byte| byte == first)?;
        if bytes[start..].starts_with(word) {
            return Some(start);
        }
        start += 1;
    }
}

/// A made-up kernel with a configuration.
#[cfg(test)]
pub(super) fn example(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(text.as_bytes()).unwrap();
    [b"code IKCFG_ST", MARK, &to.finish().unwrap(), b"IKCFG_ED more"].concat()
}

#[cfg(test)]
mod tests {
    use super::{example, find, position};

    #[test]
    fn the_configuration_is_found_behind_its_mark() {
        assert_eq!(find(&example("CONFIG_HZ=250\n")).unwrap()["HZ"], "250");
        assert_eq!(find(b"nothing"), None);
        assert_eq!(find(b"IKCFG_ST"), None);
        assert_eq!(find(b"IKCFG_ST\x1f\x8b\x08 broken"), None);
    }

    #[test]
    fn a_word_is_found_where_it_first_stands() {
        assert_eq!(position(b"aab", b"ab"), Some(1));
        assert_eq!(position(b"aa", b"ab"), None);
        assert_eq!(position(b"", b"ab"), None);
    }
}
