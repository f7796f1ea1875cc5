//! Reading back asks the device, and what an fsync left in the page cache is found.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::Command;

use iowq_harness::files::{BlockBuffers, Scratch, Source, Verified, VerifyError};
use iowq_harness::io;
use iowq_workloads::block::{Damage, fill};
use iowq_workloads::{Ledger, Op, OpKind, Plan};

const SEED: u64 = 7;

fn plan(open: &str, state: &str) -> Plan {
    let spec = format!("[files]\nsize_mib = 1\nopen = \"{open}\"\nstate = \"{state}\"");
    let spec = format!("{spec}\n[mix]\nwrites_per_fsync = 16");
    Plan::parse("device", "device.toml", &spec).expect("a valid spec")
}

fn op(number: u64, kind: OpKind) -> Op {
    Op { number, kind, file: 0, block: number, blocks: 1, linked: false, intended_ns: 0 }
}

/// Writes the first 16 blocks and has the ledger believe that an fsync came then.
fn write(scratch: &Scratch, plan: &Plan) -> Ledger {
    let mut ledger = Ledger::new(plan);
    let mut buffers = BlockBuffers::new(1, plan.block_bytes);
    let bytes = buffers.get_mut(0).expect("a buffer");
    for op in (0..16).map(|number| op(number, OpKind::Write)) {
        ledger.submitted(&op);
        fill(bytes, SEED, 0, op.block, op.number);
        io::pwrite(&scratch.files()[0], bytes, op.block * 4096).expect("a write");
        ledger.completed(&op, true);
    }
    let fsync = op(16, OpKind::Fsync);
    ledger.submitted(&fsync);
    ledger.completed(&fsync, true);
    ledger
}

/// Writes the first blocks in turn.
fn run(scratch: &Scratch, plan: &Plan, blocks: u64) -> Ledger {
    let mut ledger = Ledger::new(plan);
    let mut bytes = vec![0; plan.block_bytes as usize];
    for op in (0..blocks).map(|number| op(number, OpKind::Write)) {
        ledger.submitted(&op);
        fill(&mut bytes, SEED, 0, op.block, op.number);
        let offset = op.block * u64::from(plan.block_bytes);
        io::pwrite(&scratch.files()[0], &bytes, offset).expect("a write");
        ledger.completed(&op, true);
    }
    ledger
}

fn verify(scratch: &Scratch, plan: &Plan, ledger: &Ledger) -> Result<Verified, VerifyError> {
    scratch.verify(plan, SEED, ledger, &mut |_, _, _| {})
}

/// Straight to the descriptor, because the test harness swallows `eprintln!`.
fn skipped(test: &str, why: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// Whether dirty pages can be seen in that folder.
fn sees_dirty_pages(dir: &Path) -> bool {
    let plan = plan("dsync", "allocated");
    let scratch = Scratch::new(Some(dir), &plan).expect("files");
    let ledger = write(&scratch, &plan);
    let verified = verify(&scratch, &plan, &ledger).expect("O_DSYNC keeps its promise");
    verified.written_back_bytes.is_some()
}

#[test]
fn an_fsync_that_did_nothing_is_found() {
    const TEST: &str = "an_fsync_that_did_nothing_is_found";
    let dir = tempfile::tempdir_in(".").expect("a folder");
    if !sees_dirty_pages(dir.path()) {
        return skipped(TEST, "this kernel or file system does not tell which pages are dirty");
    }
    for state in ["fresh", "allocated", "written"] {
        let plan = plan("buffered", state);
        let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
        let ledger = write(&scratch, &plan);
        let error = verify(&scratch, &plan, &ledger).expect_err("there was no fsync");
        let VerifyError::Waiting { first: 0, pages: 16, .. } = error else {
            panic!("{state}: {error}")
        };
        // With one it is as promised.
        let ledger = write(&scratch, &plan);
        io::fsync(&scratch.files()[0]).expect("an fsync");
        let verified = verify(&scratch, &plan, &ledger).expect("all is as written");
        assert_eq!((verified.blocks, verified.from), (16, Source::Device), "{state}");
        assert_eq!(verified.written_back_bytes, Some(1 << 20), "{state}");
    }
}

#[test]
fn promises_are_seen_of_blocks_that_are_larger_than_a_part_or_share_its_pages() {
    let dir = tempfile::tempdir_in(".").expect("a folder");
    if !sees_dirty_pages(dir.path()) {
        return skipped("promises of large and odd blocks", "no dirty pages can be seen here");
    }
    for block_bytes in [3 << 20, 5001] {
        let spec = format!("[files]\nsize_mib = 9\nopen = \"dsync\"\nblock_bytes = {block_bytes}");
        let plan = Plan::parse("odd", "odd.toml", &spec).expect("a valid spec");
        let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
        let ledger = run(&scratch, &plan, 2);
        let found = verify(&scratch, &plan, &ledger).expect("O_DSYNC keeps its promise");
        let blocks = 2;
        assert_eq!((found.blocks, found.from), (blocks, Source::Device), "{block_bytes}");
        // Whole parts in which all that was written was promised.
        let parts = (2 * block_bytes as u64).div_ceil(2 << 20);
        assert_eq!(found.written_back_bytes, Some(parts * (2 << 20)), "{block_bytes}");
    }
}

#[test]
fn data_that_no_fsync_covers_may_be_dirty_and_is_still_compared() {
    let dir = tempfile::tempdir_in(".").expect("a folder");
    let plan = plan("buffered", "allocated");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let mut ledger = write(&scratch, &plan);
    let late = Op { block: 3, ..op(17, OpKind::Write) };
    ledger.submitted(&late);
    let mut bytes = vec![0; 4096];
    fill(&mut bytes, SEED, 0, 3, 17);
    io::pwrite(&scratch.files()[0], &bytes, 3 * 4096).expect("a write");
    ledger.completed(&late, true);
    let verified = verify(&scratch, &plan, &ledger).expect("nothing was promised");
    assert_eq!(verified.blocks, 16);
    assert!(matches!(verified.written_back_bytes, None | Some(0)));
}

/// What a command printed; says why if it failed.
fn output(program: &str, arguments: &[&OsStr]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Makes a small ext4 in a file, as a disk of such sectors, and mounts it; says why not.
fn mount_image(image: &Path, point: &Path, sector_bytes: &str) -> Result<(), String> {
    fs::File::create(image).and_then(|file| file.set_len(32 << 20)).expect("room");
    fs::create_dir(point).expect("a folder");
    let image = image.as_os_str();
    output("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), "-b".as_ref(), "4096".as_ref(), image])?;
    let find = ["--find", "--show", "--sector-size", sector_bytes].map(OsStr::new);
    let device = output("losetup", &[&find[..], &[image]].concat())?;
    let mounted = output("mount", &[device.as_ref(), point.as_os_str()]);
    // It stays until it is unmounted.
    let detached = output("losetup", &["--detach".as_ref(), device.as_ref()]);
    mounted.and(detached).map(drop)
}

#[test]
fn direct_blocks_that_are_no_whole_sectors_of_the_disk_are_refused() {
    const TEST: &str = "direct_blocks_that_are_no_whole_sectors_of_the_disk_are_refused";
    let dir = tempfile::tempdir_in(".").expect("a folder");
    let (image, point) = (dir.path().join("image"), dir.path().join("mount"));
    if let Err(why) = mount_image(&image, &point, "4096") {
        return skipped(TEST, format_args!("a disk of its own takes root: {why}"));
    }
    let found = std::panic::catch_unwind(|| {
        let made = |block_bytes: u32, open: &str| {
            let spec =
                format!("[files]\nsize_mib = 1\nblock_bytes = {block_bytes}\nopen = \"{open}\"");
            let plan = Plan::parse("direct", "direct.toml", &spec).expect("a valid spec");
            Scratch::new(Some(&point), &plan).map(drop).map_err(|error| error.to_string())
        };
        (made(512, "buffered"), made(12_288, "direct"), made(512, "direct"))
    });
    output("umount", &[point.as_os_str()]).expect("it is not in use");
    let (buffered, whole, direct) = found.unwrap_or_else(|panic| resume_unwind(panic));
    assert_eq!((buffered, whole), (Ok(()), Ok(())));
    match direct {
        Err(error) => assert!(
            error.contains("found a device whose sectors have 4096 bytes, and blocks of 512 bytes"),
            "{error}"
        ),
        Ok(()) => skipped(TEST, "this kernel does not tell how direct reads are aligned"),
    }
}

#[test]
fn the_devices_data_is_compared_and_not_the_page_caches() {
    const TEST: &str = "the_devices_data_is_compared_and_not_the_page_caches";
    let dir = tempfile::tempdir_in(".").expect("a folder");
    let (image, point) = (dir.path().join("image"), dir.path().join("mount"));
    if let Err(why) = mount_image(&image, &point, "512") {
        return skipped(TEST, format_args!("a file system of its own takes root: {why}"));
    }
    let error = std::panic::catch_unwind(|| {
        let plan = plan("buffered", "allocated");
        let scratch = Scratch::new(Some(&point), &plan).expect("files");
        let ledger = write(&scratch, &plan);
        io::fsync(&scratch.files()[0]).expect("an fsync");
        // Behind the back of the file system, whose pages stay as they are.
        let mut block = vec![0; 4096];
        fill(&mut block, SEED, 0, 5, 5);
        let disk = fs::read(&image).expect("the disk");
        let at = disk.chunks(4096).position(|bytes| bytes == block).expect("block 5") as u64;
        let file = fs::OpenOptions::new().write(true).open(&image).expect("the disk");
        file.write_all_at(&[block[1000] ^ 1], at * 4096 + 1000).expect("room");
        file.sync_all().expect("the disk");
        let seen = fs::read(scratch.folder().join("file-0")).expect("the file");
        assert_eq!(seen[5 * 4096..6 * 4096], block, "memory has it right");
        verify(&scratch, &plan, &ledger).expect_err("the device has it wrong")
    });
    let unmounted = Command::new("umount").arg(&point).status().expect("umount is there");
    assert!(unmounted.success());
    let error = error.unwrap_or_else(|panic| resume_unwind(panic));
    let damage = Damage::Body { number: 5, offset: 1000 };
    assert!(
        matches!(&error, VerifyError::Damaged { block: 5, damage: found, .. } if *found == damage),
        "{error}"
    );
}

#[test]
fn files_in_memory_are_read_from_there_and_that_is_recorded() {
    const TEST: &str = "files_in_memory_are_read_from_there_and_that_is_recorded";
    let shm = Path::new("/dev/shm");
    let Ok(dir) = tempfile::tempdir_in(shm) else {
        return skipped(TEST, "there is no /dev/shm to write to");
    };
    let plan = plan("buffered", "allocated");
    let scratch = Scratch::new(Some(dir.path()), &plan).expect("files");
    let ledger = write(&scratch, &plan);
    let wanted = Verified { blocks: 16, from: Source::PageCache, written_back_bytes: None };
    assert_eq!(verify(&scratch, &plan, &ledger), Ok(wanted));
}
