//! What is in the files before a run, and how they are removed.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use iowq_contract::Step;
use iowq_harness::files::Scratch;
use iowq_workloads::Plan;
use rustix::fs::SeekFrom;
use rustix::io::Errno;

fn plan(files: &str, rest: &str) -> Plan {
    let spec = format!("[files]\nsize_mib = 2\n{files}\n{rest}");
    Plan::parse("states", "states.toml", &spec).expect("a valid spec")
}

/// A folder on a disk, if the current one is; the system's may be in memory.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(".").expect("a folder")
}

/// The length of the first file, the bytes it takes on the disk, and whether it has data at its start.
fn first_file(dir: &Path, plan: &Plan) -> (u64, u64, bool) {
    let scratch = Scratch::new(Some(dir), plan).expect("files");
    let file = File::open(scratch.folder().join("file-0")).expect("the file");
    let status = file.metadata().expect("its status");
    let data = match rustix::fs::seek(&file, SeekFrom::Data(0)) {
        Ok(offset) => offset == 0,
        Err(Errno::NXIO) => false,
        Err(errno) => panic!("{errno}"),
    };
    (status.len(), status.blocks() * 512, data)
}

#[test]
fn a_fresh_file_is_empty_or_one_hole_if_it_is_read() {
    let dir = folder();
    let fresh = "state = \"fresh\"";
    assert_eq!(first_file(dir.path(), &plan(fresh, "")), (0, 0, false));
    let (length, on_disk, data) = first_file(dir.path(), &plan(fresh, "[mix]\nread = 1"));
    assert_eq!((length, on_disk, data), (2 << 20, 0, false));
}

#[test]
fn a_file_that_is_only_written_has_space_and_one_that_is_read_has_data() {
    let dir = folder();
    let (length, on_disk, data) = first_file(dir.path(), &plan("", ""));
    assert_eq!((length, on_disk >= length), (2 << 20, true));
    let tells_unwritten = {
        let probe = File::create(dir.path().join("probe")).expect("a file");
        iowq_harness::io::fallocate(&probe, 0, 4096) == Ok(())
            && rustix::fs::seek(&probe, SeekFrom::Data(0)) == Err(Errno::NXIO)
    };
    assert_eq!(data, !tells_unwritten, "data only if space cannot be reserved without it");
    let (length, on_disk, data) = first_file(dir.path(), &plan("", "[mix]\nread = 1"));
    assert_eq!((length, on_disk >= length, data), (2 << 20, true, true));
}

#[test]
fn laid_out_data_never_looks_like_a_write_of_the_run() {
    let dir = folder();
    let plan = plan("state = \"written\"", "");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let bytes = fs::read(scratch.folder().join("file-0")).expect("the file");
    for (block, bytes) in bytes.chunks(4096).enumerate() {
        assert!(bytes.iter().any(|byte| *byte != 0));
        let found = iowq_workloads::block::read_number(bytes, u64::MAX, 0, block as u64);
        assert!(found.is_err(), "block {block}");
    }
}

#[test]
fn a_log_is_fresh_beside_files_that_are_not() {
    let dir = folder();
    let plan = plan("", "[log]\nweight = 1");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let length = |file: &str| scratch.folder().join(file).metadata().expect("a file").len();
    assert_eq!((length("file-0"), length("file-1")), (0, 2 << 20));
}

#[test]
fn laying_out_and_removing_large_files_tell_how_far_they_are() {
    let dir = folder();
    let mut plan = plan("state = \"fresh\"", "[mix]\nread = 1");
    // A hole, which takes no space.
    plan.file_blocks = (700 << 20) / 4096;
    let mut told = Vec::new();
    let mut tell = |step, done: u64, all: u64| told.push((step, done >> 20, all >> 20));
    let scratch = Scratch::new_telling(Some(dir.path()), &plan, &mut tell).expect("files");
    scratch.remove_telling(&mut tell).expect("removal");
    let wanted = [(Step::Laying, 700, 700), (Step::Removing, 256, 700), (Step::Removing, 512, 700)];
    assert_eq!(told, wanted);
}

#[test]
fn more_files_than_are_synced_one_by_one_are_laid_out_open_and_gone() {
    let dir = folder();
    let spec = "[files]\ncount = 700\nsize_mib = 0.01\nstate = \"written\"";
    let plan = Plan::parse("many", "many.toml", spec).expect("a valid spec");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    assert_eq!(scratch.files().len(), 700);
    for file in ["file-0", "file-511", "file-699"] {
        let bytes = fs::read(scratch.folder().join(file)).expect("the file");
        assert_eq!(bytes.len(), 2 * 4096, "whole blocks");
        assert!(bytes.chunks(4096).all(|block| block.iter().any(|byte| *byte != 0)));
    }
    scratch.remove().expect("removal");
    let checked = Scratch::check(Some(dir.path()), &plan).expect("room");
    assert_eq!(checked.files().len(), 512, "the others are like them");
    drop(checked);
    assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 0);
}
