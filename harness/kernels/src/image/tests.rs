//! Tests of images: what may be given, and real packages if there are some.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use super::{Image, Needs, bzimage, deb, ikconfig, modinfo, open};

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn opened(path: &Path) -> anyhow::Result<Image> {
    open(path, &path.with_extension("scratch"))
}

fn refusal(path: &Path) -> String {
    opened(path).unwrap_err().to_string()
}

#[test]
fn a_bare_image_has_its_release_and_sum_and_needs_nothing_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bzImage");
    write(&path, bzimage::example("6.12.117-base", b""));
    let image = opened(&path).unwrap();
    assert_eq!(image.release.as_deref(), Some("6.12.117-base"));
    assert_eq!(image.sha256.len(), 64);
    assert_eq!((&image.config, &image.modules), (&None, &None));
    let needs = Needs { filesystem: "ext4".to_owned(), delay: true, criu: false };
    assert!(image.needed(&needs).unwrap().is_empty());
}

#[test]
fn a_configuration_inside_the_image_goes_before_any_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bzImage-mine");
    let value = || opened(&path).unwrap().config.map(|config| config["FROM"].clone());
    write(&path, bzimage::example("6.12", b""));
    assert_eq!(value(), None);
    write(&folder.path().join(".config"), "CONFIG_FROM=\"unnamed\"\n");
    assert_eq!(value().as_deref(), Some("unnamed"));
    write(&folder.path().join("config-mine"), "CONFIG_FROM=\"name\"\n");
    assert_eq!(value().as_deref(), Some("name"));
    write(&folder.path().join("config-6.12"), "CONFIG_FROM=\"release\"\n");
    assert_eq!(value().as_deref(), Some("release"));
    write(&folder.path().join("config-6.12"), "broken\n");
    assert!(refusal(&path).contains("config-6.12 is no configuration of a kernel: line 1"));
    write(&path, bzimage::example("6.12", &ikconfig::example("CONFIG_FROM=\"inside\"\n")));
    assert_eq!(value().as_deref(), Some("inside"));
}

#[test]
fn an_installed_kernel_has_its_modules_though_a_link_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let boot = folder.path().join("boot/vmlinuz-6.12");
    write(&boot, bzimage::example("6.12", b""));
    let module = "usr/lib/modules/6.12/kernel/drivers/block/virtio_blk.ko";
    write(&folder.path().join(module), modinfo::example(&["depends="]));
    let link = folder.path().join("vmlinuz");
    std::os::unix::fs::symlink("boot/vmlinuz-6.12", &link).unwrap();
    let image = opened(&link).unwrap();
    assert!(image.modules.unwrap().file("virtio_blk").is_some());
    assert!(image.boot.ends_with("boot/vmlinuz-6.12"));
}

#[test]
fn a_build_folder_has_image_configuration_and_modules() {
    let folder = tempfile::tempdir().unwrap();
    let place = |path: &str| folder.path().join(path);
    write(&place("arch/x86/boot/bzImage"), bzimage::example("6.12.0+", b""));
    write(&place("include/config/kernel.release"), "6.12.0+\n");
    write(&place(".config"), "CONFIG_XFS_FS=m\n");
    write(&place("modules.order"), "fs/xfs/xfs.o\n");
    write(&place("fs/xfs/xfs.ko"), modinfo::example(&["depends="]));
    let image = opened(folder.path()).unwrap();
    assert_eq!(image.config.as_ref().unwrap()["XFS_FS"], "m");
    let config = ikconfig::example("CONFIG_XFS_FS=y\n");
    write(&place("arch/x86/boot/bzImage"), bzimage::example("6.12.0+", &config));
    let changed_since = opened(folder.path()).unwrap().config.unwrap();
    assert_eq!(changed_since["XFS_FS"], "y");
    write(&place("arch/x86/boot/bzImage"), bzimage::example("6.12.0+", b""));
    assert!(image.modules.as_ref().unwrap().file("xfs").is_some());
    assert_eq!(opened(&place("arch/x86/boot/bzImage")).unwrap(), image);
    write(&place("include/config/kernel.release"), "6.13.0\n");
    assert!(
        refusal(folder.path()).contains("holds an image of 6.12.0+, and the rest is of 6.13.0")
    );
}

#[test]
fn a_package_is_opened_with_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kernel.deb");
    let files: [(&str, &[u8]); 3] = [
        ("./boot/vmlinuz-6.12", &bzimage::example("6.12", b"")),
        ("./boot/config-6.12", b"CONFIG_VIRTIO_BLK=m\n"),
        ("./lib/modules/6.12/kernel/fs/xfs/xfs.ko", &modinfo::example(&["depends="])),
    ];
    write(&path, deb::tests::package("Architecture: amd64\n", "xz", &files));
    let image = opened(&path).unwrap();
    assert_eq!(image.release.as_deref(), Some("6.12"));
    assert_eq!(image.config.unwrap()["VIRTIO_BLK"], "m");
    assert!(image.modules.unwrap().file("xfs").is_some());
}

#[test]
fn what_is_no_kernel_is_called_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let absent = format!("{:#}", opened(&path).unwrap_err());
    assert!(absent.contains("x does not exist; a bzImage, "), "{absent}");
    assert!(
        refusal(folder.path()).contains("is a folder without arch/x86/boot/bzImage; a bzImage")
    );
    write(&folder.path().join("Kconfig"), "");
    write(&folder.path().join("Makefile"), "");
    assert!(refusal(folder.path()).contains("make bzImage modules"));
    for (bytes, expected) in
        [("", "is empty; a bzImage"), ("hello", "text file"), ("\u{1f}", "is no kernel")]
    {
        write(&path, bytes);
        let found = refusal(&path);
        assert!(found.contains(expected), "{found:?} lacks {expected:?}");
    }
}

fn skip(test: &str, reason: &str) {
    // In one call, because the harness prints from another thread; past what it captures.
    let line = format!("\nskipped: {test}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// The real kernels to test with whose names fit.
fn real(fits: fn(&str) -> bool) -> Vec<PathBuf> {
    let Some(folder) = env::var_os("IOWQ_TEST_KERNELS") else { return Vec::new() };
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| fits(&path.file_name().unwrap().to_string_lossy())).collect()
}

#[test]
fn real_images_carry_their_release_and_configuration() {
    let images = real(|name| name.starts_with("bzImage-"));
    if images.is_empty() {
        let reason = "IOWQ_TEST_KERNELS names no folder with bzImage-RELEASE and CONFIG_IKCONFIG";
        return skip("real_images_carry_their_release_and_configuration", reason);
    }
    let folder = tempfile::tempdir().unwrap();
    for path in images {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let release = name.strip_prefix("bzImage-").unwrap();
        // Away from what is beside it.
        let copy = folder.path().join("bzImage");
        fs::copy(&path, &copy).unwrap();
        let start = Instant::now();
        let image = opened(&copy).unwrap();
        println!("{name} in {:?}", start.elapsed());
        assert_eq!(image.release.as_deref(), Some(release));
        assert_eq!(image.config.as_ref().unwrap()["IO_URING"], "y", "{name}");
        let needs = Needs { filesystem: "ext4".to_owned(), delay: true, criu: false };
        assert!(image.needed(&needs).unwrap().is_empty());
    }
}

#[test]
fn real_packages_have_modules_for_each_file_system() {
    let packages = real(|name| name.ends_with(".deb"));
    if packages.is_empty() {
        let reason = "IOWQ_TEST_KERNELS names no folder with a kernel package";
        return skip("real_packages_have_modules_for_each_file_system", reason);
    }
    for path in packages {
        let scratch = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let image = open(&path, scratch.path()).unwrap();
        println!("{}: {:?} in {:?}", path.display(), image.release, start.elapsed());
        for filesystem in ["ext4", "xfs", "btrfs", "tmpfs"] {
            for delay in [false, true] {
                let start = Instant::now();
                let needs = Needs { filesystem: filesystem.to_owned(), delay, criu: false };
                let modules = image.needed(&needs).unwrap();
                let names: Vec<_> = modules.iter().map(|module| module.name.as_str()).collect();
                println!("  {filesystem} {delay}: {} in {:?}", names.join(" "), start.elapsed());
                let at = |name: &str| names.iter().position(|one| *one == name);
                if let Some(delay) = at("dm_delay") {
                    assert!(at("dm_mod").is_none_or(|target| target < delay));
                }
                if let (Some(ring), Some(disk)) = (at("virtio_ring"), at("virtio_blk")) {
                    assert!(ring < disk);
                }
            }
        }
    }
}
