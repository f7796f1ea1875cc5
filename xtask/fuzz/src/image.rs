//! Kernels as files: bzImages, vmlinux, packages, and modules, each perhaps compressed.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use iowq_kernels::image::{self, Image, Needs};

use crate::folder;

/// A whole bzImage with a release, and nothing to boot.
const BZIMAGE: &[u8] = include_bytes!("../corpus/image/bzimage");

static NEEDS: LazyLock<Needs> =
    LazyLock::new(|| Needs { filesystem: "ext4".to_owned(), delay: true, criu: true });

/// Any file that is named as a kernel.
pub(crate) fn image(bytes: &[u8]) {
    open(&folder::put("image", bytes));
}

/// The files of a package: what follows the names of its members is compressed, or not.
pub(crate) fn package(bytes: &[u8]) {
    let Some((control, data)) = bytes.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_le_bytes(*control)).min(data.len());
    let (control, data) = data.split_at(at);
    let mut package = b"!<arch>\n".to_vec();
    for (name, member) in
        [("debian-binary", &b"2.0\n"[..]), ("control.tar", control), ("data.tar", data)]
    {
        let size = member.len();
        package.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).as_bytes(),
        );
        package.extend(member);
        package.extend(&b"\n"[..size % 2]);
    }
    open(&folder::put("package.deb", &package));
    assert!(!folder::path().join("../outside").exists(), "a package writes elsewhere");
}

fn open(path: &Path) {
    let scratch = folder::path().join("scratch");
    match image::open(path, &scratch) {
        Ok(image) => drop(image.needed(&NEEDS)),
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    }
    // Empty or absent for all inputs but packages.
    let _ = fs::remove_dir_all(&scratch);
}

/// A kernel that needs a module, which the input is.
pub(crate) fn module(bytes: &[u8]) {
    static KERNEL: LazyLock<Image> = LazyLock::new(|| {
        let options = [
            "64BIT",
            "BINFMT_ELF",
            "BLK_DEV_INITRD",
            "DEVTMPFS",
            "EXT4_FS",
            "FUTEX",
            "IO_URING",
            "PRINTK",
            "PROC_FS",
            "SERIAL_8250_CONSOLE",
            "SYSFS",
            "VIRTIO_CONSOLE",
            "VIRTIO_PCI",
        ];
        let config = options.map(|option| format!("CONFIG_{option}=y\n")).concat();
        folder::put(".config", format!("{config}CONFIG_VIRTIO_BLK=m\n").as_bytes());
        let modules = folder::path().join("lib/modules/6.12.117/kernel/crypto");
        fs::create_dir_all(&modules).expect("room for temporary files");
        fs::write(modules.join("virtio_blk.ko"), []).expect("room for temporary files");
        let path = folder::put("vmlinuz", BZIMAGE);
        image::open(&path, folder::path()).expect("a kernel with a module")
    });
    let kernel = LazyLock::force(&KERNEL);
    fs::write(folder::path().join("lib/modules/6.12.117/kernel/crypto/virtio_blk.ko"), bytes)
        .expect("room for temporary files");
    let needs = Needs { filesystem: "ext4".to_owned(), delay: false, criu: false };
    if let Err(error) = kernel.needed(&needs) {
        assert!(error.to_string().contains("virtio_blk"), "{error:#}");
    }
}
