//! Doors: the few files of the harness through which it reaches threads, time and the kernel.

use super::{
    none,
    source::{code, imports},
    tree::{File, files},
};

/// What may be named only in some files, and why there.
struct Door {
    /// Beginnings of paths, such as `std::sync`.
    paths: &'static [&'static str],
    /// Files, or folders with a slash at the end, each with the reason.
    open: &'static [(&'static str, &'static str)],
}

const DOORS: [Door; 4] = [
    Door {
        paths: &["std::sync", "std::thread", "core::sync"],
        open: &[
            ("harness/pool/src/sync.rs", "the door: shuttle's primitives take their place here"),
            (
                "harness/src/probes/shared.rs",
                "maps memory that the kernel changes too, which shuttle's atomics cannot be",
            ),
            ("harness/src/probes/requests.rs", "likewise"),
            ("harness/src/probes/trace/table.rs", "likewise"),
        ],
    },
    Door {
        paths: &[
            "std::time::Instant",
            "std::time::SystemTime",
            "Instant::now",
            "SystemTime::now",
            "Timestamp::now",
            "Zoned::now",
            "clock_gettime",
        ],
        open: &[("harness/pool/src/clock.rs", "the door")],
    },
    Door {
        paths: &["io_uring::IoUring", "io_uring::opcode", "io_uring::squeue", "io_uring::types"],
        open: &[("harness/src/engine/uring/", "the engine that is made of it")],
    },
    Door {
        paths: &["libc", "rustix"],
        open: &[
            ("harness/src/io.rs", "the calls that are measured"),
            ("harness/src/io/", "likewise, and processors"),
            ("harness/src/far_end.rs", "answers on connections, and is not measured"),
            ("harness/src/engine/uring/entry.rs", "names the events that a poll waits for"),
            ("harness/src/engine/uring/register.rs", "names buffers to the ring as it takes them"),
            ("harness/src/engine/begun.rs", "begins direct I/O as a kernel's worker does"),
            ("harness/pool/src/clock.rs", "reads the clock that the BPF programs read"),
            ("harness/src/doorbell.rs", "sleeps until called or a descriptor is readable"),
            ("harness/src/files.rs", "opens and lays out the files under test"),
            ("harness/src/files/", "likewise"),
            ("harness/src/machine/", "asks the kernel what the machine is"),
            ("harness/src/doctor/", "asks the kernel what it allows"),
            (
                "harness/src/guest/",
                "is the first process of a machine: mounts, loads, switches off",
            ),
            ("harness/src/probes/", "maps, polls and loads what watches the workers"),
        ],
    },
];

fn complaints(files: &[File]) -> Vec<String> {
    let harness = files.iter().filter(|file| file.is_rust());
    let harness = harness.filter(|file| {
        ["harness/src/", "harness/pool/src/"].iter().any(|at| file.path.starts_with(at))
    });
    harness.flat_map(|file| DOORS.iter().flat_map(|door| through(door, file))).collect()
}

fn through(door: &Door, file: &File) -> Vec<String> {
    let is_open = |(open, _): &(&str, &str)| {
        file.path == *open || (open.ends_with('/') && file.path.starts_with(open))
    };
    // A module's tests may be a file of their own.
    if door.open.iter().any(is_open) || file.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let code = code(file.text().unwrap_or_default());
    let mut found = imports(&code);
    found.extend(code.iter().map(|(number, line)| (*number, (*line).to_owned())));
    let mut complaints = Vec::new();
    for path in door.paths {
        if let Some((number, _)) = found.iter().find(|(_, text)| names(text, path)) {
            let open: Vec<_> =
                door.open.iter().map(|(file, why)| format!("{file} ({why})")).collect();
            complaints.push(format!(
                "{}:{number} names {path}, which is allowed only in {}",
                file.path,
                open.join(", ")
            ));
        }
    }
    complaints
}

/// Whether a path occurs as a path: not as the end of another, and, if it is one word, not as a
/// word that happens to be the same.
fn names(text: &str, path: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(path).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + path.len()..]);
        let starts = !before.ends_with(part) && (path.contains("::") || !before.ends_with("::"));
        let crate_only = path.contains("::") || path.contains('_');
        let ends = if crate_only {
            !after.starts_with(part)
        } else {
            after.starts_with("::") || (before.is_empty() && after.is_empty())
        };
        starts && ends
    })
}

#[test]
fn the_harness_goes_through_its_doors() -> std::io::Result<()> {
    none(&complaints(&files()?));
    Ok(())
}

#[test]
fn a_call_outside_its_door_is_found_in_any_spelling() {
    for text in [
        "use std::sync::Mutex;",
        "use std::{fs, sync::Mutex};",
        "use std::{\n    fs,\n    thread,\n};",
        "fn f() { std::thread::yield_now(); }",
        "let start = Instant::now();",
        "use std::time::{Duration, Instant};",
        "use rustix::fs::stat;",
        "use libc;",
        "use io_uring::IoUring;",
        "let id = unsafe { libc::getpid() };",
        "let t = clock_gettime(id);",
    ] {
        let file = File::example("harness/pool/src/worker.rs", text);
        assert!(!complaints(&[file]).is_empty(), "{text}");
    }
}

#[test]
fn a_text_that_resembles_such_a_call_is_not_one() {
    for text in [
        "use crate::sync::Mutex;",
        "// std::sync would escape shuttle",
        "let libc_name = glibc::name();",
        "use std::time::Duration;",
        "#[cfg(test)]\nmod tests { use std::thread; }",
    ] {
        let file = File::example("harness/pool/src/worker.rs", text);
        none(&complaints(&[file]));
    }
    none(&complaints(&[File::example("harness/pool/src/sync.rs", "use std::sync::Mutex;")]));
    none(&complaints(&[File::example("harness/src/probes/bpf.rs", "use rustix::fs::stat;")]));
    none(&complaints(&[File::example("xtask/src/build.rs", "use std::thread;")]));
}
