//! `iowq kernels` as a whole, with a script in the place of QEMU.

#[path = "../../kernels/tests/fifo/mod.rs"]
mod fifo;

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a process may take to be gone.
const GONE_MAX: Duration = Duration::from_secs(60);

/// A folder with a guest, an image and a QEMU, which are scripts but for the image.
struct Place(TempDir);

impl Place {
    fn new(guest: &str, qemu: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("bin")).unwrap();
        place.script("guest", guest);
        place.script(
            "bin/qemu-system-x86_64",
            &format!("case $1 in --version) echo a stand-in; exit;; esac\n{qemu}"),
        );
        fs::write(place.path("image"), image()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, name: &str, script: &str) {
        fs::write(self.path(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command, at home in this place, that finds its QEMU.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let path = format!("{}:{}", self.path("bin").display(), env::var("PATH").unwrap());
        command.current_dir(self.0.path()).env("PATH", path);
        command
    }
}

/// What is at the beginning of a bzImage, and no more.
fn image() -> Vec<u8> {
    let mut image = vec![0; 1024];
    let fields: [(usize, &[u8]); 5] =
        [(0x1f1, &[1]), (0x202, b"HdrS"), (0x206, &[0x0f, 0x02]), (0x211, &[1]), (0x236, &[1])];
    for (at, bytes) in fields {
        image[at..at + bytes.len()].copy_from_slice(bytes);
    }
    image
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_iowq");
const FLAGS: [&str; 14] = [
    "--base",
    "image",
    "--test",
    "image",
    "--out",
    "out",
    "--guest",
    "guest",
    "--fs",
    "tmpfs",
    "--accel",
    "tcg",
    "--disk-mib",
    "320",
];

#[test]
fn all_ends_and_tidies_up_on_a_request_to_stop_and_qemu_ends_with_a_killed_command() {
    for signal in [Signal::TERM, Signal::KILL] {
        let place = Place::new("", "echo $$ > started; exec sleep 1000");
        // What is packed into an initramfs is no script.
        fs::copy("/bin/true", place.path("guest")).unwrap();
        let started = place.path("started");
        mkfifoat(CWD, &started, Mode::RWXU).unwrap();
        let mut command = place.command(PROGRAM).arg("kernels").args(FLAGS).spawn().unwrap();
        let qemu = fifo::words(&started, &mut command);
        kill_process(Pid::from_child(&command), signal).unwrap();
        command.wait().unwrap();
        let began = Instant::now();
        while is_alive(qemu.trim()) {
            assert!(began.elapsed() < GONE_MAX, "it goes on: {qemu}");
        }
        let entries = fs::read_dir(place.path("out")).unwrap();
        let left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        let scratch = |name: &OsString| name.to_string_lossy().starts_with("scratch");
        // What a killed call leaves goes with the next one.
        assert!(signal == Signal::KILL || !left.iter().any(scratch), "{left:?}");
    }
}

#[test]
fn a_reader_that_is_gone_ends_no_series() {
    let place = Place::new("", "exit 1");
    fs::copy("/bin/true", place.path("guest")).unwrap();
    for stream in ["stdout", "stderr"] {
        let out = format!("out-{stream}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = place.command(PROGRAM);
        command.arg("kernels").args(FLAGS.map(|flag| if flag == "out" { &*out } else { flag }));
        match stream {
            "stdout" => command.stdout(writer),
            _ => command.stderr(writer),
        };
        // Two boots of a kernel that brings no run are enough.
        assert_eq!(command.status().unwrap().code(), Some(2), "{stream}");
        let boots = fs::read_to_string(place.path(&out).join("boots.jsonl")).unwrap();
        assert!(boots.lines().count() >= 2, "{boots}");
    }
}

#[test]
fn a_folder_whose_name_is_no_text_and_a_guest_that_is_replaced_are_taken() {
    use std::os::unix::ffi::OsStrExt as _;
    // It replaces the guest, and says that a boot came to its end by no longer being there.
    let place = Place::new("", "rm -f guest; echo none > guest; exit 1");
    fs::copy("/bin/true", place.path("guest")).unwrap();
    let out = std::ffi::OsStr::from_bytes(b"out-\xff");
    let mut command = place.command(PROGRAM);
    command.arg("kernels");
    for flag in FLAGS {
        command.arg(if flag == "out" { out } else { flag.as_ref() });
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let boots = fs::read_to_string(place.0.path().join(out).join("boots.jsonl")).unwrap();
    assert!(boots.lines().count() >= 2, "{said}");
}

#[test]
fn a_kernel_that_is_built_again_meanwhile_is_booted_as_it_was() {
    let script = "while [ \"$1\" != -kernel ]; do shift; done\ncat \"$2\" >> booted\n\
                  echo other > image\nexit 1";
    let place = Place::new("", script);
    fs::copy("/bin/true", place.path("guest")).unwrap();
    let output = place.command(PROGRAM).arg("kernels").args(FLAGS).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let boots = fs::read_to_string(place.path("out/boots.jsonl")).unwrap();
    assert!(boots.lines().count() >= 2, "{}", String::from_utf8_lossy(&output.stderr));
    let booted = fs::read(place.path("booted")).unwrap();
    assert!(booted == image().repeat(boots.lines().count()), "another image was booted");
}

/// Whether a process still runs. One that ended may wait for somebody to take notice.
fn is_alive(number: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start().chars().next();
    state.is_some_and(|state| state != 'Z')
}
