//! `--workload`: a name, a path, and what is said when there is nothing useful behind either.

use std::fs;
use std::path::Path;

use iowq_harness::workload::{load, sources};
use iowq_workloads::Engines;

fn answer(path: &Path) -> String {
    match load(path.to_str().expect("a path")) {
        Ok(plan) => format!("accepted {}", plan.name),
        Err(error) => error.to_string().replace(path.to_str().expect("a path"), "PATH"),
    }
}

#[test]
fn a_name_is_a_builtin_and_a_path_is_a_spec_named_after_its_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("mine.toml");
    fs::write(&path, "[ring]\ndepth = 3").expect("a spec");
    assert_eq!(answer(&path), "accepted mine");
    assert_eq!(load("fsync-mix").expect("a builtin").name, "fsync-mix");
}

#[test]
fn a_missing_spec_is_named() {
    let wanted = "PATH: found no such file; check the path; `bench --list` names \
                  workloads that need no file";
    assert_eq!(answer(Path::new("/nowhere/mine.toml")), wanted);
    assert_eq!(answer(Path::new("nowhere.toml")), wanted);
    assert_eq!(answer(Path::new("nowhere.fio")), wanted);
}

#[test]
fn a_folder_a_device_and_a_binary_are_no_specs() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(answer(dir.path()), "PATH: found a folder; name the spec or job file in it");
    assert_eq!(
        answer(Path::new("/dev/null")),
        "PATH: found a pipe or a device; a spec or job file is an ordinary file"
    );
    let binary = dir.path().join("binary.toml");
    fs::write(&binary, b"a = \xff").expect("a file");
    assert_eq!(
        answer(&binary),
        "PATH: found bytes that are not text at byte 4; save it as text in UTF-8"
    );
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("huge.toml");
    let file = fs::File::create(&path).expect("a file");
    file.set_len(1 << 40).expect("a sparse file");
    assert_eq!(
        answer(&path),
        "PATH: found 1099511627776 bytes, allowed 65536 at most: this is no spec and no job file, \
         check the name"
    );
}

#[test]
fn a_bad_spec_is_answered_with_its_path() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("bad.toml");
    fs::write(&path, "[files]\ncount = 0").expect("a spec");
    assert_eq!(answer(&path), "PATH: files.count: found 0, allowed 1 to 100000");
}

#[test]
fn a_stage_of_a_job_file_is_named_behind_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("two.fio");
    let text = "[global]\nioengine=io_uring\nsize=1m\n[fill]\nrw=write\n[look]\nstonewall\n";
    fs::write(&path, text).expect("a job file");
    let file = path.to_str().expect("a path");
    let named = |name: &str| {
        let found = sources(name, Engines::IoUring).map_err(|error| error.to_string());
        found.map(|found| found.into_iter().map(|(name, _)| name.replace(file, "FILE")).collect())
    };
    assert_eq!(named(file), Ok(vec!["FILE:fill".to_owned(), "FILE:look".to_owned()]));
    let look = format!("{file}:look");
    assert_eq!(named(&look), Ok(vec!["FILE:look".to_owned()]));
    assert_eq!(load(&look).expect("a stage").name, "two:look");
    assert_eq!(answer(&path), "PATH: found 2 stages: PATH:fill, PATH:look; name one of them");
    let error: Result<Vec<String>, _> = named(&format!("{file}:lok"));
    assert!(error.is_err_and(|error| error.contains("found no stage `lok`, but ")));
}
