//! Tests of packages, on made-up ones.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{Kind, open, wanted};
use crate::image::bzimage;

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A package whose data is packed as the ending of the member's name says.
pub(crate) fn package(control: &str, ending: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let data = tar_of(files);
    let data = match ending {
        "xz" => {
            let mut to = liblzma::write::XzEncoder::new(Vec::new(), 1);
            to.write_all(&data).unwrap();
            to.finish().unwrap()
        }
        "gz" => {
            let level = flate2::Compression::fast();
            let mut to = flate2::write::GzEncoder::new(Vec::new(), level);
            to.write_all(&data).unwrap();
            to.finish().unwrap()
        }
        "zst" => {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            ruzstd::encoding::compress_to_vec(data.as_slice(), level)
        }
        _ => data,
    };
    let control = tar_of(&[("./control", control.as_bytes())]);
    let mut archive = ar::Builder::new(Vec::new());
    let members: [(&str, &[u8]); 3] = [
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control),
        (&format!("data.tar.{ending}"), &data),
    ];
    for (name, bytes) in members {
        let header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
        archive.append(&header, bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

const AMD64: &str = "Package: linux-image-6.12\nArchitecture: amd64\nDepends: kmod\n";

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn refusal(control: &str, files: &[(&str, &[u8])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.deb", &package(control, "xz", files));
    open(&path, &folder.path().join("scratch")).unwrap_err().to_string()
}

#[test]
fn a_package_that_is_cut_off_anywhere_is_to_be_had_again() {
    let files: [(&str, &[u8]); 1] = [("./boot/vmlinuz-6.12", &bzimage::example("6.12", b""))];
    let whole = package(AMD64, "xz", &files);
    let folder = tempfile::tempdir().unwrap();
    for bytes in super::MAGIC.len()..whole.len() - 1 {
        let path = write(folder.path(), "a.deb", &whole[..bytes]);
        let error = open(&path, &folder.path().join("scratch")).unwrap_err().to_string();
        let expected = "a.deb is a package that ends in the middle; download or copy it again";
        assert!(error.ends_with(expected), "{bytes} of {}: {error}", whole.len());
    }
}

#[test]
fn kernel_configuration_and_modules_are_taken_out_of_each_packing() {
    let kernel = bzimage::example("6.12", b"");
    for ending in ["xz", "gz", "zst", "none"] {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 5] = [
            ("./boot/vmlinuz-6.12", &kernel),
            ("./boot/config-6.12", b"CONFIG_IO_URING=y\n"),
            ("./usr/lib/modules/6.12/modules.builtin", b"kernel/fs/ext4/ext4.ko\n"),
            ("./usr/lib/modules/6.12/kernel/sound/x.ko", b"x"),
            ("./usr/share/doc/x", b"x"),
        ];
        let path = write(folder.path(), "a.deb", &package(AMD64, ending, &files));
        let scratch = folder.path().join("scratch");
        assert_eq!(open(&path, &scratch).unwrap(), scratch.join("vmlinuz-6.12"), "{ending}");
        assert_eq!(fs::read(scratch.join("vmlinuz-6.12")).unwrap(), kernel);
        assert!(scratch.join("config-6.12").exists());
        assert!(scratch.join("lib/modules/6.12/modules.builtin").exists());
        assert!(!scratch.join("lib/modules/6.12/kernel/sound").exists());
    }
}

#[test]
fn a_package_without_a_kernel_says_which_to_get() {
    let meta = "Architecture: amd64\nDepends: linux-image-6.12-amd64 (= 6.12.1)\n";
    let error = refusal(meta, &[("./usr/share/doc/x", b"x")]);
    let expected =
        "this package holds no kernel; it depends on linux-image-6.12-amd64: download that";
    assert!(error.contains(expected), "{error}");
    let error = refusal("Architecture: amd64\n", &[("./usr/lib/debug/boot/vmlinux-6.12", b"x")]);
    assert!(error.contains("begins with linux-image-"), "{error}");
    let error = refusal(AMD64, &[("./lib/modules/6.12/kernel/fs/xfs/xfs.ko", b"x")]);
    assert!(error.contains("holds no kernel but modules"), "{error}");
}

#[test]
fn a_package_for_another_machine_is_refused() {
    let error = refusal("Architecture: arm64\n", &[("./boot/vmlinuz-6.12", b"x")]);
    assert!(error.contains("for arm64; one for amd64 is needed"), "{error}");
}

#[test]
fn modules_in_a_package_of_their_own_are_taken_from_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = bzimage::example("6.8-generic", b"");
    let image = package(AMD64, "zst", &[("./boot/vmlinuz-6.8-generic", &kernel)]);
    let image = write(folder.path(), "linux-image-6.8-generic_1_amd64.deb", &image);
    let scratch = folder.path().join("scratch");
    let error = open(&image, &scratch).unwrap_err().to_string();
    assert!(error.contains("linux-modules-6.8-generic of the same version"), "{error}");
    let files: [(&str, &[u8]); 2] = [
        ("./boot/config-6.8-generic", b"CONFIG_IO_URING=y\n"),
        ("./lib/modules/6.8-generic/kernel/fs/xfs/xfs.ko.zst", b"x"),
    ];
    write(folder.path(), "linux-modules-6.8-generic_1_amd64.deb", &package(AMD64, "zst", &files));
    open(&image, &scratch).unwrap();
    assert!(scratch.join("config-6.8-generic").exists());
    assert!(scratch.join("lib/modules/6.8-generic/kernel/fs/xfs/xfs.ko.zst").exists());
}

#[test]
fn paths_that_lead_out_are_left_alone() {
    assert_eq!(wanted(Path::new("./boot/../../etc/vmlinuz-1")), None);
    assert_eq!(wanted(Path::new("boot/vmlinuz-1/x")), None);
    assert_eq!(wanted(Path::new("lib/modules/6.12")), None);
    let kernel = Some((Kind::Kernel, "vmlinuz-1".into()));
    assert_eq!(wanted(Path::new("/boot/vmlinuz-1")), kernel);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_package_makes_it_panic(at in any::<prop::sample::Index>(), bytes in prop::array::uniform4(any::<u8>()), cut in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().unwrap();
        let mut package = package(AMD64, "none", &[("./boot/vmlinuz-6.12", b"kernel")]);
        let at = at.index(package.len() - 4);
        package[at..at + 4].copy_from_slice(&bytes);
        package.truncate(package.len() - cut.index(2000));
        let path = write(folder.path(), "a.deb", &package);
        let _ = open(&path, &folder.path().join("scratch"));
    }
}

#[test]
fn modules_that_criu_needs_are_taken_and_drivers_of_network_cards_are_not() {
    let is_taken = |path: &str| wanted(&Path::new("lib/modules/6.12/kernel").join(path)).is_some();
    let needed = ["net/unix/unix_diag.ko.xz", "net/netfilter/nf_tables.ko", "drivers/net/tun.ko"];
    assert!(needed.into_iter().all(is_taken));
    assert!(!is_taken("drivers/net/ethernet/intel/e1000/e1000.ko"));
}
