//! Folders: `--dir` and `--out` that are missing, files, read-only, full, or hold something.

use std::ffi::CStr;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Output;

use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::UnshareFlags;

use crate::support::{Place, assert_refused, names, skipped, stderr};

fn bench(place: &Place, arguments: &[&str]) -> Output {
    let cell = ["--workload", "tiny.toml", "--policy", "6.17", "--pairs", "1"];
    place.bench(&[&cell[..], arguments].concat()).output().expect("it runs")
}

#[test]
fn a_missing_dir_is_answered_with_the_command_that_makes_it() {
    let place = Place::new();
    assert_refused(
        &bench(&place, &["--dir", "nowhere"]),
        "--dir nowhere: found no such folder; create it with `mkdir -p nowhere`, or name another",
    );
    place.assert_untouched();
    assert!(!place.home().join("nowhere").exists());
}

#[test]
fn a_dir_whose_file_system_takes_no_files_is_named_as_such() {
    for (dir, kind) in [("/proc", "proc"), ("/sys/kernel", "sysfs")] {
        let place = Place::new();
        let output = bench(&place, &["--dir", dir]);
        let said = stderr(&output);
        let expected = format!("error: --dir {dir}: found a file system of type {kind}, in which");
        assert!(said.starts_with(&expected) && said.contains("on a disk"), "{said}");
        assert!(!said.contains("mkdir"), "{said}");
        assert_eq!(output.status.code(), Some(2));
        place.assert_dir_is_empty();
        assert!(!place.out().exists());
    }
}

#[test]
fn a_dir_that_is_a_file_is_refused_and_left_alone() {
    let place = Place::new();
    place.write("file", "precious");
    assert_refused(
        &bench(&place, &["--dir", "file"]),
        "--dir file: found a file where a folder is needed; name a folder",
    );
    place.assert_untouched();
    assert_eq!(fs::read_to_string(place.home().join("file")).expect("a file"), "precious");
}

#[test]
fn files_of_the_same_names_in_the_dir_are_not_touched() {
    let place = Place::new();
    for name in ["file-0", "file-1", "record.jsonl"] {
        place.write(&format!("files/{name}"), "precious");
    }
    let before = names(&place.dir());
    let output = bench(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(names(&place.dir()), before);
    for name in before {
        assert_eq!(fs::read_to_string(place.dir().join(name)).expect("a file"), "precious");
    }
}

#[test]
fn results_are_never_written_over() {
    let place = Place::new();
    assert_eq!(bench(&place, &[]).status.code(), Some(0));
    let before = fs::read(place.out().join("record.jsonl")).expect("a record");
    assert_refused(
        &bench(&place, &[]),
        "--out out already holds record.jsonl; name a folder that is new or empty, or omit --out",
    );
    assert_eq!(fs::read(place.out().join("record.jsonl")).expect("a record"), before);
    place.assert_dir_is_empty();
}

#[test]
fn an_out_that_is_a_file_or_below_one_is_refused() {
    for out in ["tiny.toml", "tiny.toml/below"] {
        let place = Place::new();
        assert_refused(
            &bench(&place, &["--out", out]),
            &format!("--out {out} is a file; name a folder that is new or empty"),
        );
        place.assert_dir_is_empty();
    }
}

#[test]
fn a_folder_for_results_that_was_there_before_stays_though_nothing_ran() {
    let place = Place::new();
    fs::create_dir(place.out()).expect("a folder");
    assert_eq!(bench(&place, &["--dir", "nowhere"]).status.code(), Some(2));
    assert_eq!(names(&place.out()), Vec::<String>::new());
}

#[test]
fn a_read_only_dir_is_refused() {
    on_tmpfs("a_read_only_dir_is_refused", MountFlags::RDONLY, c"size=1m", |place| {
        assert_refused(
            &bench(place, &[]),
            "--dir files: found a file system that is mounted read-only (EROFS); name a folder on \
             another one",
        );
        place.assert_untouched();
    });
}

#[test]
fn a_dir_without_room_is_answered_with_what_is_needed_and_what_is_free() {
    let test = "a_dir_without_room_is_answered_with_what_is_needed_and_what_is_free";
    // Room for the first file and a part of the second.
    on_tmpfs(test, MountFlags::empty(), c"size=1536k", |place| {
        assert_refused(
            &bench(place, &[]),
            "--dir files: found no room for 2 files of 1 MiB, 2 MiB together, of which 1 MiB is \
             free (ENOSPC); free some, name a folder elsewhere, or ask for less with files.count \
             and files.size_mib",
        );
        place.assert_untouched();
    });
}

#[test]
fn a_limit_on_the_size_of_files_is_named_and_nothing_is_left() {
    let place = Place::new();
    let mut bench = place.bench(&["--workload", "tiny.toml"]);
    let limit = Rlimit { current: Some(65_536), maximum: Some(65_536) };
    // SAFETY: between fork and exec, one system call that allocates nothing.
    unsafe { bench.pre_exec(move || Ok(setrlimit(Resource::Fsize, limit)?)) };
    let message = "found a limit that a file of 1 MiB passes (EFBIG); \
                   raise it with `ulimit -f`, or ask for less with files.size_mib";
    let refused = bench.output().expect("it starts");
    assert_refused(&refused, &format!("--dir files: {message}"));
    place.assert_untouched();
}

#[test]
fn results_that_do_not_fit_end_the_bench_with_a_message_and_no_file_is_left() {
    let test = "results_that_do_not_fit_end_the_bench_with_a_message_and_no_file_is_left";
    // Room for the folder and the empty file, and not for a line.
    on_tmpfs(test, MountFlags::empty(), c"size=4k", |place| {
        let files = place.home().join("elsewhere");
        fs::create_dir(&files).expect("a folder");
        fs::write(place.dir().join("filler"), [0; 4096]).expect("the whole of it");
        assert_refused(
            &bench(place, &["--dir", "elsewhere", "--out", "files/out"]),
            "files/out/record.unverified.jsonl: the record of a run cannot be written: No space left on \
             device (os error 28)",
        );
        assert_eq!(names(&files), Vec::<String>::new());
    });
}

/// Runs a test on a place whose folder for files is a file system of its own, which only this
/// thread and its processes see.
fn on_tmpfs(test: &str, flags: MountFlags, options: &CStr, body: impl FnOnce(&Place) + Send) {
    let place = Place::new();
    std::thread::scope(|scope| {
        let outcome = scope.spawn(|| {
            if let Err(errno) = own_mounts() {
                skipped(test, format_args!("mounts of its own take root ({errno})"));
                return;
            }
            rustix::mount::mount("none", place.dir(), "tmpfs", flags, options).expect("a mount");
            body(&place);
            // It goes with the thread; until then it may be busy.
            let _ = rustix::mount::unmount(place.dir(), UnmountFlags::DETACH);
        });
        if let Err(panic) = outcome.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Gives this thread, and what it starts, a view of mounts of its own.
pub(crate) fn own_mounts() -> Result<(), Errno> {
    // SAFETY: only this thread's view of mounts and its current folder are split off, which no
    // other thread relies on; descriptors stay shared.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?;
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", flags)
}
