//! Describes a file that is no kernel for the virtual machine.

use super::{compressed::Format, error::ALLOWED};

/// What a file is by its first bytes, as the end of a sentence that begins with its name.
pub(super) fn describe(head: &[u8]) -> String {
    let at =
        |place: usize, magic: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(magic));
    let machine = "is a kernel for arm64; one for x86_64 is needed";
    let is = if head.is_empty() {
        "is empty"
    } else if at(0x38, b"ARM\x64") || at(4, b"zimg") {
        return machine.to_owned();
    } else if Format::of(head).is_some() || at(0, b"BZh") || at(0, b"\x04\x22\x4d\x18") {
        "is a compressed file; unpack it first"
    } else if at(0, b"\xed\xab\xee\xdb") {
        "is an RPM package; take the kernel out with rpm2cpio"
    } else if at(257, b"ustar") {
        "is a tar archive; unpack it first"
    } else if at(0, b"070701") {
        "is an initramfs"
    } else if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        "is a text file"
    } else {
        "is no kernel that is known here"
    };
    format!("{is}; {ALLOWED}")
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn other_files_are_called_what_they_are() {
        let mut arm = vec![0; 100];
        arm[0x38..0x3c].copy_from_slice(b"ARM\x64");
        let cases: [(&[u8], &str); 7] = [
            (b"", "is empty"),
            (&arm, "arm64"),
            (b"\x1f\x8b\x08\0", "compressed"),
            (b"\xed\xab\xee\xdb\x03", "rpm2cpio"),
            (b"CONFIG_IO_URING=y\n", "text file"),
            (b"070701000", "initramfs"),
            (&[0; 50], "no kernel that is known"),
        ];
        for (head, expected) in cases {
            let found = describe(head);
            assert!(found.contains(expected), "{found:?} without {expected:?}");
        }
    }
}
