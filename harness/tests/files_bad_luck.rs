//! Bad luck with `--dir`: missing, a file, read-only, full. Each ends in one message that says what
//! to do, and leaves nothing behind.
//!
//! A test that needs a file system of its own mounts one in a mount namespace of its own thread,
//! which takes root; without, it prints that it was skipped and why.

use std::fs;
use std::io::Write;
use std::path::Path;

use iowq_harness::files::Scratch;
use iowq_harness::io::{self, Failure};
use iowq_workloads::Plan;
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::thread::UnshareFlags;

fn plan() -> Plan {
    Plan::parse("default", "default.toml", "[files]\ncount = 2").expect("a valid spec")
}

fn message(dir: &Path) -> String {
    Scratch::new(Some(dir), &plan()).expect_err("no files can be made").to_string()
}

/// Runs a test in a thread with a mount namespace of its own.
fn with_own_mounts(test: &str, body: impl FnOnce(&Path) + Send) {
    let dir = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        let outcome = scope.spawn(|| match own_mounts() {
            Ok(()) => {
                body(dir.path());
                // The thread's namespace goes with it; the mount may be busy until then.
                let _ = rustix::mount::unmount(dir.path(), rustix::mount::UnmountFlags::DETACH);
            }
            Err(errno) => {
                // Straight to the descriptor, because the test harness swallows `eprintln!`.
                let _ = writeln!(
                    std::io::stderr(),
                    "skipped: {test}: cannot mount in a namespace of its own without root ({errno})"
                );
            }
        });
        if let Err(panic) = outcome.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn own_mounts() -> Result<(), Errno> {
    // SAFETY: only this thread's view of mounts and its current folder are split off, which no
    // other thread relies on; descriptors stay shared.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?;
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", flags)
}

fn mount(kind: &str, dir: &Path, flags: MountFlags, options: &std::ffi::CStr) {
    rustix::mount::mount("none", dir, kind, flags, Some(options)).expect("a mount");
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).expect("a folder").next().is_none()
}

#[test]
fn a_missing_dir_is_answered_with_the_command_that_makes_it() {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("nowhere");
    let path = dir.display();
    assert_eq!(
        message(&dir),
        format!(
            "--dir {path}: found no such folder; create it with `mkdir -p {path}`, or name another"
        )
    );
    assert!(is_empty(parent.path()));
}

#[test]
fn a_file_in_place_of_the_dir_is_refused_and_left_alone() {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("file");
    fs::write(&dir, "precious").expect("a file");
    assert_eq!(
        message(&dir),
        format!("--dir {}: found a file where a folder is needed; name a folder", dir.display())
    );
    assert_eq!(fs::read_to_string(&dir).expect("still there"), "precious");
}

#[test]
fn a_dir_of_somebody_else_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: a_dir_of_somebody_else_is_refused: root may write anywhere"
        );
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).expect("permissions");
    assert_eq!(
        message(dir.path()),
        format!(
            "--dir {}: found a folder that you may not write to (EACCES); name one that is yours",
            dir.path().display()
        )
    );
}

#[test]
fn a_read_only_file_system_is_refused() {
    with_own_mounts("a_read_only_file_system_is_refused", |dir| {
        mount("tmpfs", dir, MountFlags::RDONLY, c"size=1m");
        assert_eq!(
            message(dir),
            format!(
                "--dir {}: found a file system that is mounted read-only (EROFS); name a folder on \
                 another one",
                dir.display()
            )
        );
    });
}

#[test]
fn the_error_of_a_full_dir_says_what_is_needed_and_free() {
    with_own_mounts("the_error_of_a_full_dir_says_what_is_needed_and_free", |dir| {
        // Room for the first file and a part of the second.
        mount("tmpfs", dir, MountFlags::empty(), c"size=20m");
        assert_eq!(
            message(dir),
            format!(
                "--dir {}: found no room for 2 files of 16 MiB, 32 MiB together, of which 20 MiB \
                 is free (ENOSPC); free some, name a folder elsewhere, or ask for less with \
                 files.count and files.size_mib",
                dir.display()
            )
        );
        assert!(is_empty(dir));
    });
}

#[test]
fn files_are_written_if_space_cannot_be_reserved() {
    with_own_mounts("files_are_written_if_space_cannot_be_reserved", |dir| {
        // ramfs has no fallocate.
        mount("ramfs", dir, MountFlags::empty(), c"");
        let probe = io::create_new(&dir.join("probe")).expect("a file");
        assert_eq!(io::fallocate(&probe, 0, 4096), Err(Errno::OPNOTSUPP));
        let mut plan = plan();
        plan.file_blocks = 300;
        let scratch = Scratch::new(Some(dir), &plan).expect("files");
        let file = fs::metadata(scratch.folder().join("file-1")).expect("a file");
        assert_eq!(file.len(), 300 * 4096);
    });
}

#[test]
fn a_file_system_without_direct_access_is_named_as_such_and_left_empty() {
    with_own_mounts("a_file_system_without_direct_access_is_named_as_such_and_left_empty", |dir| {
        mount("ramfs", dir, MountFlags::empty(), c"");
        let plan = Plan::parse("direct", "direct.toml", "[files]\nopen = \"direct\"");
        let plan = plan.expect("a valid spec");
        let error = Scratch::new(Some(dir), &plan).expect_err("no O_DIRECT here");
        assert_eq!(
            error.to_string(),
            format!(
                "--dir {}: found a file system that does not take O_DIRECT (EINVAL); name a folder \
                 on another one, or set files.open to \"buffered\", \"dsync\" or \"sync\"",
                dir.display()
            )
        );
        assert!(is_empty(dir));
    });
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_write_makes_it_short_and_then_fails_it() {
    with_own_mounts(
        "a_disk_that_fills_up_in_the_middle_of_a_write_makes_it_short_and_then_fails_it",
        |dir| {
            mount("tmpfs", dir, MountFlags::empty(), c"size=64k");
            let file = io::create_new(&dir.join("file")).expect("a file");
            let block = vec![1; 256 * 1024];
            let short = io::pwrite(&file, &block, 0).expect_err("the disk is too small");
            assert!(matches!(short, Failure::Short { wanted_bytes: 262_144, .. }), "{short}");
            assert_eq!(short.name(), "short");
            let full = io::pwrite(&file, &block, 1 << 20).expect_err("the disk is full");
            assert_eq!((full, full.name()), (Failure::Errno(Errno::NOSPC), "ENOSPC"));
            assert_eq!(full.to_string(), "ENOSPC (No space left on device (os error 28))");
        },
    );
}

#[test]
fn a_file_is_never_created_over_an_existing_one_or_a_dangling_link() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    fs::write(&file, "precious").expect("a file");
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).expect("a link");
    assert_eq!(io::create_new(&file).expect_err("exists"), Errno::EXIST);
    assert_eq!(io::create_new(&link).expect_err("exists"), Errno::EXIST);
    assert_eq!(fs::read_to_string(&file).expect("still there"), "precious");
}
