//! Disks that are full and calls that fail: output is whole or not there, and the message says why.

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::campaign::{Attack, Chance, FIGURES, brief, count};
use crate::checks::{ended_well, is_empty, no_temporaries};
use crate::commands::{RUNS, WRITERS, Writer, bench, files, iowq, place_with_record, run};
use crate::support::{Place, names, skipped, stderr};

pub(crate) const FULL_DISKS: Attack =
    Attack { name: "what_does_not_fit_is_not_there_at_all", once: fill_a_disk };

pub(crate) const FULL_DISKS_OF_BENCHES: Attack =
    Attack { name: "a_bench_on_a_full_disk_keeps_what_it_wrote", once: fill_the_disk_of_a_bench };

pub(crate) const CALLS_THAT_FAIL: Attack =
    Attack { name: "a_call_that_fails_leaves_no_part_of_a_file", once: fail_a_call };

#[test]
fn what_does_not_fit_is_not_there_at_all() {
    brief(FULL_DISKS);
}

#[test]
fn a_bench_on_a_full_disk_keeps_what_it_wrote() {
    brief(FULL_DISKS_OF_BENCHES);
}

#[test]
fn a_call_that_fails_leaves_no_part_of_a_file() {
    brief(CALLS_THAT_FAIL);
}

/// A limit on the room of a file system, or on its files.
fn limit(chance: &mut Chance, step: usize) -> String {
    if chance.one_in(4) {
        return format!("size=16m,nr_inodes={}", 2 + step / 16);
    }
    format!("size={}k", 4 + step)
}

/// Grows a file system until a command's output fits.
fn fill_a_disk(chance: &mut Chance) {
    let writer = chance.of(&WRITERS);
    in_own_mounts(FULL_DISKS.name, |place| {
        let mut step = 0;
        loop {
            let done = on_tmpfs(place, &limit(chance, step), |small| {
                count(&FIGURES.faults, 1);
                let output = run(writer.command(place, "small"));
                fits_or_is_refused(writer, small, &output)
            });
            if done {
                return;
            }
            assert!(step < 4096, "{:?} never fits", writer.arguments);
            step += 4 + chance.below(step + 8);
        }
    });
}

fn fits_or_is_refused(writer: &Writer, small: &Path, output: &Output) -> bool {
    let what = format!("{:?}", writer.arguments);
    ended_well(&what, output);
    if output.status.code() == Some(2) {
        let said = stderr(output);
        assert!(said.contains("No space left") && said.contains("small"), "{what}: {said}");
        is_empty(&what, small);
        return false;
    }
    assert!(files(small) == *writer.written(), "{what} wrote something else");
    no_temporaries(small);
    true
}

/// A bench whose results, or whose files under test, have too little room.
fn fill_the_disk_of_a_bench(chance: &mut Chance) {
    in_own_mounts(FULL_DISKS_OF_BENCHES.name, |place| {
        count(&FIGURES.faults, 1);
        if chance.one_in(3) {
            let step = chance.below(4096);
            let size = limit(chance, step);
            on_tmpfs(place, &size, |small| little_room_for_files(place, small));
        } else {
            let step = chance.below(640);
            let size = limit(chance, step);
            on_tmpfs(place, &size, |small| little_room_for_results(place, small));
        }
    });
}

fn little_room_for_files(place: &Place, small: &Path) {
    let output = run(bench(place, &["--probes", "proc", "--dir", "small"]));
    ended_well("a bench with little room for its files", &output);
    let said = stderr(&output);
    if output.status.code() == Some(2) {
        assert!(said.contains("space") || said.contains("free"), "{said}");
    }
    is_empty("after a bench with little room", small);
}

fn little_room_for_results(place: &Place, small: &Path) {
    let output = run(bench(place, &["--probes", "proc", "--out", "small/out"]));
    ended_well("a bench with little room for its results", &output);
    let said = stderr(&output);
    place.assert_dir_is_empty();
    let out = small.join("out");
    if output.status.success() {
        let known = ["record.jsonl", "report.html", "summary.txt"];
        assert_eq!(names(&out), known);
    } else {
        assert!(said.contains("No space left") && said.contains("small/out"), "{said}");
    }
    if !out.exists() {
        return;
    }
    no_temporaries(&out);
    let text = fs::read(out.join("record.jsonl")).unwrap_or_default();
    let whole = text.iter().filter(|byte| **byte == b'\n').count();
    let unverified = usize::from(out.join("record.unverified.jsonl").exists());
    let finished = said.lines().filter(|line| line.contains("/4  ") && !line.contains("FAILED"));
    let finished = finished.count();
    count(&FIGURES.runs_lost, finished.saturating_sub(whole + unverified));
    assert!((finished..=RUNS).contains(&(whole + unverified)), "{whole} runs: {said}");
    if whole + unverified > 0 {
        let report = run(iowq(place, &["report", "small/out", "--out", "elsewhere"]));
        ended_well("a report of what fitted", &report);
        assert_eq!(report.status.code(), Some(0), "{}", stderr(&report));
    }
}

/// Runs a body with mounts of its own, which only this thread and its processes see.
fn in_own_mounts(test: &str, body: impl FnOnce(&Place) + Send) {
    let place = place_with_record();
    fs::create_dir(place.home().join("small")).expect("a folder");
    let run = || {
        // SAFETY: only this thread's view of mounts and its current folder are split off, which no
        // other thread relies on.
        let own = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        if let Err(errno) = own.and_then(|()| mount_change("/", private)) {
            say_once(test, &format!("mounts of its own take root ({errno})"));
            return;
        }
        body(&place);
    };
    std::thread::scope(|scope| {
        if let Err(panic) = scope.spawn(run).join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Mounts a file system with this limit for as long as the body takes.
fn on_tmpfs<T>(place: &Place, limit: &str, body: impl FnOnce(&Path) -> T) -> T {
    let small = place.home().join("small");
    let limit = CString::new(limit).expect("no zero in it");
    mount("none", &small, "tmpfs", MountFlags::empty(), &*limit).expect("a mount");
    let done = body(&small);
    unmount(&small, UnmountFlags::DETACH).expect("it is mounted");
    done
}

/// Calls that are made to fail, and what the system then says.
const CALLS: [&str; 6] = ["write", "fsync", "rename", "linkat", "fchmod", "fchown"];

/// Lets a call of a command fail, or limits the length of its files.
fn fail_a_call(chance: &mut Chance) {
    let place = place_with_record();
    fs::create_dir(place.out()).expect("a folder");
    let writer = chance.of(&WRITERS);
    let inner = writer.command(&place, "out");
    let (outer, reason) = if chance.one_in(2) {
        let blocks = chance.below(200);
        (vec!["sh".into(), "-c".into(), format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")], "large")
    } else if has_strace() {
        let (call, number) = (*chance.of(&CALLS), 1 + chance.below(6));
        let fault = format!("inject={call}:error=EIO:when={number}");
        let trace =
            ["strace", "-qq", "-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"];
        let trace = trace.iter().map(ToString::to_string);
        (trace.chain([fault]).collect(), "Input/output error")
    } else {
        say_once(CALLS_THAT_FAIL.name, "no strace that may trace, only limits on files");
        return;
    };
    count(&FIGURES.faults, 1);
    let what = format!("{} {:?}", outer.join(" "), writer.arguments);
    let output = run(within(&outer, &inner));
    ended_well(&what, &output);
    let after = files(&place.out());
    no_temporaries(&place.out());
    let new = writer.written();
    let is_whole = after.iter().all(|(name, content)| new.get(name) == Some(content));
    assert!(is_whole, "{what}: a part is left");
    if output.status.code() == Some(2) {
        assert!(stderr(&output).contains(reason), "{what}: {}", stderr(&output));
    } else {
        assert!(after == *new, "{what}: not all is there");
    }
}

/// A command that another program starts.
fn within(outer: &[String], inner: &Command) -> Command {
    let mut command = Command::new(&outer[0]);
    command.args(&outer[1..]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(inner.get_current_dir().expect("a place"));
    command
}

/// Whether programs can be traced here.
fn has_strace() -> bool {
    static HAS: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
        traced.is_ok_and(|output| output.status.success())
    });
    *HAS
}

fn say_once(test: &str, reason: &str) {
    static SAID: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    let mut said = SAID.lock().expect("no thread panics while it holds the lock");
    if !said.iter().any(|one| one == test) {
        said.push(test.to_owned());
        skipped(test, reason);
    }
}
