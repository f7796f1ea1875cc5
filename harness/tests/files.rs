//! Files under test: laid out, opened as asked, checked byte for byte, and gone at the end.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use iowq_harness::files::{BlockBuffers, DEFAULT_DIR, Scratch, VerifyError};
use iowq_harness::io;
use iowq_workloads::block::{Damage, fill_op};
use iowq_workloads::{Ledger, Op, OpKind, Plan, Stream};

const SEED: u64 = 7;

fn plan(files: u32, blocks: u64, open: &str) -> Plan {
    let spec = format!("[files]\ncount = {files}\nopen = \"{open}\"");
    let mut plan = Plan::parse("small", "small.toml", &spec).expect("a valid spec");
    plan.file_blocks = blocks;
    plan
}

fn entries(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// How many blocks were found to be right.
fn verify(scratch: &Scratch, plan: &Plan, ledger: &Ledger) -> Result<u64, VerifyError> {
    scratch.verify(plan, SEED, ledger, &mut |_, _, _| {}).map(|verified| verified.blocks)
}

/// Runs the first ops of the plan one after the other, as the simplest of engines.
fn run(scratch: &Scratch, plan: &Plan, ops: usize) -> Ledger {
    let mut ledger = Ledger::new(plan);
    let mut buffers = BlockBuffers::new(1, plan.block_bytes * plan.op_blocks_max());
    let bytes = buffers.get_mut(0).expect("a buffer");
    for op in Stream::new(plan, SEED).take(ops).filter(|op| op.kind == OpKind::Write) {
        ledger.submitted(&op);
        let bytes = &mut bytes[..op.bytes(plan.block_bytes) as usize];
        fill_op(bytes, plan.block_bytes, SEED, &op);
        let offset = op.offset_bytes(plan.block_bytes);
        io::pwrite(&scratch.files()[op.file as usize], bytes, offset).expect("a write");
        ledger.completed(&op, true);
    }
    ledger
}

#[test]
fn files_are_laid_out_at_full_size_in_a_folder_of_their_own_and_gone_after_removal() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = plan(3, 5, "buffered");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    assert_eq!(entries(scratch.folder()), ["file-0", "file-1", "file-2"]);
    for file in entries(scratch.folder()) {
        let length = fs::metadata(scratch.folder().join(file)).expect("a file").len();
        assert_eq!(length, 5 * 4096);
    }
    scratch.remove().expect("removal");
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn dropping_removes_the_files_too() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(Scratch::new(Some(dir.path()), &plan(1, 1, "buffered")).expect("files"));
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn files_of_the_same_names_are_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let taken = dir.path().join(format!("iowq-{}-0", std::process::id()));
    fs::create_dir(&taken).expect("a folder");
    fs::write(taken.join("file-0"), "precious").expect("a file");
    fs::write(dir.path().join("file-0"), "precious").expect("a file");
    let second = dir.path().join(format!("iowq-{}-1", std::process::id()));
    fs::write(&second, "precious").expect("a file");

    let plan = plan(1, 2, "buffered");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    assert!(scratch.folder().ends_with(format!("iowq-{}-2", std::process::id())));
    run(&scratch, &plan, 4);
    scratch.remove().expect("removal");

    for path in [taken.join("file-0"), dir.path().join("file-0"), second] {
        assert_eq!(fs::read_to_string(path).expect("still there"), "precious");
    }
}

#[test]
fn without_a_dir_files_go_to_the_build_folder_below_the_current_one() {
    let dir = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: this thread gets a current folder of its own, so that changing it below
            // concerns no other test.
            unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::FS) }
                .expect("a current folder of its own");
            std::env::set_current_dir(dir.path()).expect("another current folder");
            let scratch = Scratch::new(None, &plan(1, 1, "buffered")).expect("files");
            assert_eq!(entries(&dir.path().join(DEFAULT_DIR)).len(), 1);
            scratch.remove().expect("removal");
            assert!(entries(&dir.path().join(DEFAULT_DIR)).is_empty());
        });
    });
}

#[test]
fn files_are_opened_as_the_plan_asks() {
    let dir = tempfile::tempdir().expect("a folder");
    // O_SYNC has the bit of O_DSYNC and one more.
    let (both, dsync) = (rustix::fs::OFlags::SYNC, rustix::fs::OFlags::DSYNC);
    let none = rustix::fs::OFlags::empty();
    for (open, set) in [("buffered", none), ("dsync", dsync), ("sync", both)] {
        let scratch = Scratch::new(Some(dir.path()), &plan(2, 1, open)).expect("files");
        for file in scratch.files() {
            let flags = rustix::fs::fcntl_getfl(file).expect("flags");
            assert_eq!(flags & both, set, "{open}");
        }
    }
}

#[test]
fn what_was_written_is_found_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = plan(2, 8, "dsync");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let ledger = run(&scratch, &plan, 10);
    assert_eq!(verify(&scratch, &plan, &ledger), Ok(10));
    let ledger = run(&scratch, &plan, 100);
    assert_eq!(verify(&scratch, &plan, &ledger), Ok(16));
}

#[test]
fn direct_writes_go_through_the_aligned_buffers() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = plan(1, 4, "direct");
    let scratch = match Scratch::new(Some(dir.path()), &plan) {
        Ok(scratch) => scratch,
        Err(error) => {
            use std::io::Write;
            // Straight to the descriptor, because the test harness swallows `eprintln!`.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: direct_writes_go_through_the_aligned_buffers: {error}"
            );
            assert!(error.found.contains("O_DIRECT"), "{error}");
            return;
        }
    };
    let ledger = run(&scratch, &plan, 6);
    assert_eq!(verify(&scratch, &plan, &ledger), Ok(4));
}

#[test]
fn a_single_changed_byte_is_found_and_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = plan(1, 4, "buffered");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let ledger = run(&scratch, &plan, 4);
    let path = scratch.folder().join("file-0");
    let mut bytes = fs::read(&path).expect("the file");
    bytes[2 * 4096 + 1000] ^= 1;
    fs::write(&path, bytes).expect("the file");
    let error = verify(&scratch, &plan, &ledger).expect_err("a byte differs");
    let damage = Damage::Body { number: 2, offset: 1000 };
    assert_eq!(error, VerifyError::Damaged { path: path.clone(), block: 2, damage });
    let wanted = "block 2 differs at byte 1000 from what op 2 wrote";
    assert_eq!(error.to_string(), format!("verify: {}: {wanted}", path.display()));
}

#[test]
fn a_changed_byte_in_the_middle_of_a_large_write_is_found_with_its_block() {
    let dir = tempfile::tempdir().expect("a folder");
    let spec = "[files]\nsize_mib = 1\nblock_bytes = [{ bytes = 4096 }, { bytes = 262144 }]";
    let plan = Plan::parse("sizes", "sizes.toml", spec).expect("a valid spec");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let ledger = run(&scratch, &plan, 6);
    let large = |op: &Op| op.blocks == 64;
    let op = Stream::new(&plan, SEED).take(6).find(large).expect("one of half of them");
    let block = op.block + 40;
    verify(&scratch, &plan, &ledger).expect("all is there");
    let file = fs::OpenOptions::new().read(true).write(true).open(scratch.folder().join("file-0"));
    let file = file.expect("the file");
    let mut byte = [0];
    let at = block * 4096 + 1000;
    file.read_exact_at(&mut byte, at).expect("a byte");
    file.write_all_at(&[byte[0] ^ 1], at).expect("room");
    match verify(&scratch, &plan, &ledger).expect_err("a byte differs") {
        VerifyError::Damaged { block: found, damage, .. } => {
            let wanted = Damage::Body { number: op.number, offset: 1000 };
            assert_eq!((found, damage), (block, wanted));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_lost_write_is_found_and_a_failed_one_is_not_held_against_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = plan(1, 4, "buffered");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let mut ledger = run(&scratch, &plan, 4);
    let lost = Op {
        number: 4,
        kind: OpKind::Write,
        file: 0,
        block: 0,
        blocks: 1,
        linked: false,
        intended_ns: 0,
    };
    ledger.submitted(&lost);
    ledger.completed(&lost, true);
    let error = verify(&scratch, &plan, &ledger).expect_err("op 4 never reached the file");
    let wanted = "block 0 holds what op 0 wrote, and the last was op 4";
    assert!(error.to_string().ends_with(wanted), "{error}");

    let failed = Op { number: 5, ..lost };
    ledger.submitted(&failed);
    ledger.completed(&failed, false);
    assert_eq!(verify(&scratch, &plan, &ledger), Ok(3));
}

#[test]
fn a_file_that_was_cut_short_is_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = plan(1, 4, "buffered");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let ledger = run(&scratch, &plan, 4);
    let path = scratch.folder().join("file-0");
    let file = fs::OpenOptions::new().write(true).open(&path).expect("the file");
    file.set_len(3 * 4096 + 100).expect("a shorter file");
    let error = verify(&scratch, &plan, &ledger).expect_err("a block is cut");
    let wanted = "cannot read block 3: short: 100 of 4096 bytes";
    assert_eq!(error.to_string(), format!("verify: {}: {wanted}", path.display()));
}

#[test]
fn what_cannot_be_removed_is_named_and_foreign_files_stay() {
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan(1, 1, "buffered")).expect("files");
    let folder = scratch.folder().to_owned();
    fs::write(folder.join("notes"), "precious").expect("a file");
    let error = scratch.remove().expect_err("the folder is not empty");
    assert_eq!(error.left.len(), 1);
    assert!(error.to_string().contains("ENOTEMPTY"), "{error}");
    assert_eq!(entries(&folder), ["notes"]);
}

#[test]
fn removing_files_that_are_already_gone_is_no_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(dir.path()), &plan(2, 1, "buffered")).expect("files");
    fs::remove_dir_all(scratch.folder()).expect("removal by another process");
    scratch.remove().expect("nothing left to do");
}
