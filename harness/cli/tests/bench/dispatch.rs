//! DispatchCounts: which ops reach a worker, and how, in the pool as in the running kernel.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use iowq_harness::engine::uring;
use iowq_workloads::Plan;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Place, skipped};

/// The ways, as records name them.
const WAYS: [&str; 4] = ["inline", "hashed", "unhashed", "linked"];

/// How far shares of one kind of op may differ, of 1.
const DIFFERENCE_MAX: f64 = 0.01;

/// The same if the file system's own background work decides now and then, and not the pool.
const DIFFERENCE_BY_LOCKS_MAX: f64 = 0.05;

/// A file system on an image in a file, mounted as long as this lives.
struct Mounted {
    at: TempDir,
    _image: TempDir,
}

impl Mounted {
    /// None, said why, if this machine or this user cannot have one.
    fn new(test: &str, kind: &str) -> Option<Mounted> {
        let (at, folder) = (tempfile::tempdir().ok()?, tempfile::tempdir().ok()?);
        let image = folder.path().join("image");
        std::fs::File::create(&image).and_then(|file| file.set_len(512 << 20)).ok()?;
        let make = Command::new(format!("mkfs.{kind}")).arg("-q").arg(&image).output();
        if !make.is_ok_and(|made| made.status.success()) {
            skipped(test, format!("{kind}: no mkfs.{kind} that works"));
            return None;
        }
        let mount = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(at.path()).output();
        if !mount.is_ok_and(|mounted| mounted.status.success()) {
            skipped(test, format!("{kind}: it cannot be mounted here"));
            return None;
        }
        Some(Mounted { at, _image: folder })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily, so that an image still being written back does not keep it.
        let _ = Command::new("umount").arg("-l").arg(self.at.path()).output();
    }
}

/// Shares of the ways by which ops of each kind were done, by engine.
fn shares(place: &Place, dir: &Path, spec: &str) -> Option<[BTreeMap<String, Vec<f64>>; 2]> {
    place.write("mix.toml", &format!("{spec}\n[run]\nops = 600"));
    let output = place
        .bench(&[
            "--workload",
            "./mix.toml",
            "--engine",
            "pool",
            "--engine",
            "uring",
            "--policy",
            "exit-on-idle",
            "--pairs",
            "1",
            "--dir",
            dir.to_str()?,
        ])
        .output()
        .ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let records = place.records();
    std::fs::remove_dir_all(place.out()).ok()?;
    let of = |engine: &str| {
        let record = records.iter().find(|record| record["key"]["engine"] == engine)?;
        (record["probe"]["tier"] == "bpf").then(|| by_kind(&record["dispatch"]))
    };
    Some([of("pool")?, of("uring")?])
}

fn by_kind(punts: &Value) -> BTreeMap<String, Vec<f64>> {
    let kinds = punts.as_object().into_iter().flatten();
    let share = |punts: &Value| {
        let counts = WAYS.map(|way| punts[way].as_u64().unwrap_or_default() as f64);
        let sum: f64 = counts.iter().sum();
        counts.map(|count| count / sum).to_vec()
    };
    kinds.map(|(kind, punts)| (kind.clone(), share(punts))).collect()
}

fn assert_alike(test: &str, dir: &Path, open: &str, mix: &str, difference_max: f64) {
    let spec = format!(
        "[files]\ncount = 2\nsize_mib = 2\nopen = \"{open}\"\n[mix]\n{mix}\n[ring]\ndepth = 8"
    );
    assert_spec_alike(test, dir, &spec, difference_max);
}

fn assert_spec_alike(test: &str, dir: &Path, spec: &str, difference_max: f64) {
    let what = dir.display();
    let plan = Plan::parse("mix", "mix.toml", spec).expect("a valid spec");
    if let Err(missing) = uring::check(&plan) {
        return skipped(test, missing);
    }
    let place = Place::new();
    let Some([pool, kernel]) = shares(&place, dir, spec) else {
        return skipped(test, "no eBPF: the kernel's dispatch is not seen");
    };
    assert_eq!(pool.keys().collect::<Vec<_>>(), kernel.keys().collect::<Vec<_>>());
    for (kind, shares) in &kernel {
        let near = shares.iter().zip(&pool[kind]).all(|(a, b)| (a - b).abs() <= difference_max);
        assert!(near, "{what}, {spec}: {kind} {WAYS:?}: {:?}, kernel {shares:?}", pool[kind]);
    }
}

const OPENS: [&str; 4] = ["buffered", "dsync", "sync", "direct"];

#[test]
fn reads_writes_and_fsyncs_reach_workers_as_in_the_kernel_on_this_file_system_and_in_memory() {
    let test = "reads_writes_and_fsyncs_reach_workers_as_in_the_kernel";
    let here = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let memory = Path::new("/dev/shm");
    for dir in [here.path().to_owned(), PathBuf::from(memory)] {
        for open in OPENS {
            assert_alike(test, &dir, open, "write = 1\nread = 1", DIFFERENCE_MAX);
            assert_alike(test, &dir, open, "writes_per_fsync = 4", DIFFERENCE_MAX);
            // fallocate holds the file's lock, and a direct write is refused where it meets that.
            if open != "direct" {
                assert_alike(test, &dir, open, "write = 1\nfallocate = 1", DIFFERENCE_MAX);
            }
            assert_alike(test, &dir, open, "writes_per_fsync = 4\nlinked = true", DIFFERENCE_MAX);
        }
    }
}

#[test]
fn ops_on_names_lengths_and_dirty_pages_reach_workers_as_in_the_kernel() {
    let test = "ops_on_names_lengths_and_dirty_pages_reach_workers_as_in_the_kernel";
    let here = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let memory = Path::new("/dev/shm");
    for dir in [here.path().to_owned(), PathBuf::from(memory)] {
        for mix in [
            "write = 0\nopenat = 1\nstatx = 1",
            "write = 0\nrename = 1\nunlink = 1",
            "write = 0\ntruncate = 1",
            "write = 1\nsync_file_range = 1",
        ] {
            assert_alike(test, &dir, "buffered", mix, DIFFERENCE_MAX);
        }
    }
}

/// What XFS and Btrfs take at once depends on their locks where writes meet fsyncs, in the kernel
/// from run to run as well; reads and writes alone do not.
#[test]
fn what_xfs_and_btrfs_take_without_waiting_is_done_without_a_worker() {
    let test = "what_xfs_and_btrfs_take_without_waiting_is_done_without_a_worker";
    if let Some(xfs) = Mounted::new(test, "xfs") {
        assert_alike(
            test,
            xfs.at.path(),
            "buffered",
            "write = 0\nread = 1",
            DIFFERENCE_BY_LOCKS_MAX,
        );
        assert_alike(test, xfs.at.path(), "direct", "write = 0\nread = 1", DIFFERENCE_BY_LOCKS_MAX);
    }
    if let Some(btrfs) = Mounted::new(test, "btrfs") {
        for open in ["buffered", "dsync", "sync"] {
            assert_alike(
                test,
                btrfs.at.path(),
                open,
                "write = 1\nread = 1",
                DIFFERENCE_BY_LOCKS_MAX,
            );
        }
        assert_alike(test, btrfs.at.path(), "direct", "write = 1", DIFFERENCE_BY_LOCKS_MAX);
    }
}

/// What waits on a connection is left to a poll, also by a worker, and only a splice holds one.
#[test]
fn receives_sends_and_splices_reach_workers_as_in_the_kernel() {
    let test = "receives_sends_and_splices_reach_workers_as_in_the_kernel";
    let dir = std::env::temp_dir();
    for (kind, mix) in [
        ("unix", "receive = 1\nsend = 1\nnop = 1"),
        ("tcp", "receive = 1\nsend = 1"),
        ("pipe", "receive = 1\nsplice = 1"),
        ("pipe", "send = 1"),
    ] {
        for forced in ["false", "true"] {
            let spec = format!(
                "[sockets]\ncount = 4\nkind = \"{kind}\"\nmessage_bytes = 20000\n[mix]\n{mix}\n\
                 [ring]\ndepth = 8\nforce_async = {forced}"
            );
            assert_spec_alike(test, &dir, &spec, DIFFERENCE_MAX);
        }
    }
}
