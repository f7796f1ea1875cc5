//! Where output goes: whole or not at all, into what is no file, and beside nothing that is none.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use iowq_sample as sample;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

const EXPORT: [&str; 5] = ["export", "record.jsonl", "--format", "benchstat", "--out"];

/// A folder with a record.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("a folder"));
        place.write("record.jsonl", &sample::lines(&sample::bench(1)));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("room");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(crate::IOWQ);
        command.args(arguments).current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    fn export(&self, out: &str) -> Output {
        self.run(&[&EXPORT[..], &[out]].concat())
    }

    /// What an export is, as printed.
    fn exported(&self) -> String {
        let output = self.run(&EXPORT[..4]);
        String::from_utf8(output.stdout).expect("text")
    }

    fn names(&self) -> Vec<String> {
        names(self.0.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().display().to_string()).collect();
    names.sort();
    names
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_export_to_a_device_leaves_the_device() {
    let place = Place::new();
    let mode = Mode::RUSR | Mode::WUSR;
    let null = place.path("null");
    if let Err(error) = mknodat(CWD, &null, FileType::CharacterDevice, mode, makedev(1, 3)) {
        crate::skipped("an_export_to_a_device_leaves_the_device", error);
        return;
    }
    assert!(place.export("null").status.success());
    assert!(fs::symlink_metadata(&null).expect("it is there").file_type().is_char_device());
}

#[test]
fn an_export_to_a_pipe_is_read_at_its_other_end() {
    let place = Place::new();
    let pipe = place.path("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
    let mut export = place.command(&[&EXPORT[..], &["pipe"]].concat());
    let mut export = export.stdout(Stdio::null()).spawn().expect("it runs");
    // Opened for writing too, it can be opened without a writer, and holds what was written.
    let both = File::options().read(true).write(true).open(&pipe).expect("a pipe");
    assert!(export.wait().expect("its end").success());
    assert!(fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo());
    let exported = place.exported();
    let mut read = vec![0; exported.len()];
    rustix::io::ioctl_fionbio(&both, true).expect("it need not wait");
    (&both).read_exact(&mut read).expect("what was exported");
    assert_eq!(String::from_utf8_lossy(&read), exported);
}

#[test]
fn an_export_to_standard_output_is_all_that_is_there() {
    let place = Place::new();
    for out in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let output = place.export(out);
        assert_eq!(String::from_utf8_lossy(&output.stdout), place.exported(), "{out}");
        let file = File::create(place.path("redirected")).expect("room");
        let mut export = place.command(&[&EXPORT[..], &[out]].concat());
        assert!(export.stdout(file).status().expect("it runs").success());
        assert_eq!(place.read("redirected"), place.exported(), "{out}");
        assert!(fs::symlink_metadata("/dev/stdout").expect("it is there").is_symlink());
    }
}

#[test]
fn an_export_to_a_link_keeps_it_and_replaces_what_it_leads_to() {
    let place = Place::new();
    place.write("file", "old");
    symlink("file", place.path("link")).expect("a link");
    assert!(place.export("link").status.success());
    assert!(fs::symlink_metadata(place.path("link")).expect("it is there").is_symlink());
    assert_eq!(place.read("file"), place.exported());
    assert_eq!(place.names(), ["file", "link", "record.jsonl"]);
}

#[test]
fn a_report_of_standard_input_asks_for_a_folder() {
    let place = Place::new();
    let report = |arguments: &[&str]| {
        let record = File::open(place.path("record.jsonl")).expect("a record");
        let mut report = place.command(&[&["report", "/dev/stdin"], arguments].concat());
        report.stdin(record).output().expect("it runs")
    };
    let refused = report(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("name a folder with --out"), "{}", said(&refused));
    assert!(!Path::new("/dev/report.html").exists());
    assert!(report(&["--out", "out"]).status.success());
    assert_eq!(names(&place.path("out")), ["report.html", "summary.txt"]);
}

#[test]
fn page_and_summary_are_both_new_or_both_old() {
    let place = Place::new();
    fs::create_dir_all(place.path("out/summary.txt")).expect("a folder in the way");
    place.write("out/report.html", "old");
    let refused = place.run(&["report", "record.jsonl", "--out", "out"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(place.read("out/report.html"), "old");
    assert_eq!(names(&place.path("out")), ["report.html", "summary.txt"]);
}
