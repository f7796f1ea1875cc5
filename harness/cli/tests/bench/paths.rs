//! Paths that the system takes and that are no text, for every flag that takes one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Output};

use crate::support::{IOWQ, Place, TINY, names, stderr};

/// A name that is not UTF-8.
fn odd(name: &str) -> OsString {
    OsStr::from_bytes(&[name.as_bytes(), b"\xff"].concat()).to_owned()
}

fn iowq(place: &Place, arguments: &[&OsStr]) -> Output {
    let output = Command::new(IOWQ).args(arguments).current_dir(place.home()).output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    output
}

#[test]
fn folders_and_specs_whose_names_are_no_text_are_taken() {
    let place = Place::new();
    let at = |name: &OsStr| place.home().join(name);
    let (dir, out) = (odd("dir"), odd("out"));
    let mut spec = odd("spec");
    spec.push(".toml");
    fs::create_dir(at(&dir)).expect("a folder");
    fs::write(at(&spec), TINY).expect("room");
    let words = ["bench", "--policy", "6.12", "--policy", "6.17", "--pairs", "1"].map(OsStr::new);
    let [workload, to, of] = ["--workload", "--out", "--dir"].map(OsStr::new);
    let flags = [workload, &spec, of, &dir, to, &out, "--format".as_ref(), "json".as_ref()];
    iowq(&place, &[&words[..], &flags].concat());
    assert_eq!(names(&at(&dir)), Vec::<String>::new());
    assert_eq!(names(&at(&out)), ["record.jsonl", "report.html", "summary.txt"]);
    let (report, export) = (odd("report"), odd("export"));
    let json = ["--format", "json"].map(OsStr::new);
    iowq(&place, &[&["report".as_ref(), &*out, to, &report], &json[..]].concat());
    assert_eq!(names(&at(&report)), ["report.html", "summary.txt"]);
    let fio = ["--format", "fio"].map(OsStr::new);
    iowq(&place, &[&["export".as_ref(), &*out, to, &export], &fio[..]].concat());
    let sets = ["@6.12", "@6.17"].map(|policy| {
        let mut set = out.clone();
        set.push(policy);
        set
    });
    let compare = Command::new(IOWQ).arg("compare").args(&sets).current_dir(place.home()).output();
    let compare = compare.expect("it runs");
    assert!(stderr(&compare).is_empty(), "{}", stderr(&compare));
    assert_eq!(compare.status.code(), Some(3), "one round is no verdict");
}

#[test]
fn files_of_fio_and_imports_whose_names_are_no_text_are_taken() {
    let place = Place::new();
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/tests/fio/fsync.json");
    let (fio, out) = (odd("fio"), odd("imported"));
    fs::copy(from, place.home().join(&fio)).expect("room");
    let [import, file, to] = ["import", "--fio", "--out"].map(OsStr::new);
    let json = ["--format", "json"].map(OsStr::new);
    iowq(&place, &[&[import, file, &fio, to, &out], &json[..]].concat());
    assert!(place.home().join(&out).exists());
}
