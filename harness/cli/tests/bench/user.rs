//! An ordinary user: less is seen, and the record says why.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;

use crate::support::{Place, as_user, assert_refused, caveats, root_or_skip, stderr};

#[test]
fn an_ordinary_user_gets_records_that_say_what_is_missing_and_what_helps() {
    let test = "an_ordinary_user_gets_records_that_say_what_is_missing_and_what_helps";
    if !root_or_skip(test, "becoming another user") {
        return;
    }
    let place = Place::new();
    let bench = ["bench", "--workload", "tiny.toml", "--policy", "6.12", "--policy", "6.17"];
    let arguments = [&bench[..], &["--pairs", "1", "--dir", "files", "--out", "out"]].concat();
    let Some(mut bench) = as_user(test, &place, 1, &arguments) else { return };
    let output = bench.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!(record["probe"]["tier"], "proc");
        let reason = record["probe"]["reason"].as_str().expect("a reason");
        assert!(reason.contains("needs root") && reason.contains("sudo"), "{reason}");
        let created = &record["workers"]["created"];
        assert_eq!(created["proc"], created["engine"]);
        assert!(caveats(record).contains(&"no-bpf"));
        assert!(record["ops"]["verified_blocks"].as_u64() > Some(0));
    }
    place.assert_dir_is_empty();
}

#[test]
fn an_ordinary_user_who_insists_on_the_scheduler_is_told_what_it_takes() {
    let test = "an_ordinary_user_who_insists_on_the_scheduler_is_told_what_it_takes";
    if !root_or_skip(test, "becoming another user") {
        return;
    }
    for flags in [["--probes", "bpf"], ["--blocking", "sched"]] {
        let place = Place::new();
        let bench = ["bench", "--workload", "tiny.toml", "--dir", "files", "--out", "out"];
        let Some(mut bench) = as_user(test, &place, 2, &[&bench[..], &flags].concat()) else {
            return;
        };
        let output = bench.stdin(Stdio::null()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        let start = format!("error: {}: loading BPF programs needs root", flags.join(" "));
        assert!(said.starts_with(&start) && said.contains("sudo setcap"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        place.assert_untouched();
    }
}

#[test]
fn what_root_makes_under_sudo_belongs_to_the_user_who_called_it() {
    let test = "what_root_makes_under_sudo_belongs_to_the_user_who_called_it";
    if !root_or_skip(test, "giving files away") {
        return;
    }
    let place = Place::new();
    let user = 60_000;
    let arguments = ["--workload", "tiny.toml", "--policy", "6.17", "--pairs", "1"];
    let mut bench = place.bench(&[&arguments[..], &["--out", "results/out"]].concat());
    bench.env("SUDO_UID", user.to_string()).env("SUDO_GID", user.to_string());
    let output = bench.output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for made in ["", "out", "out/record.jsonl", "out/report.html", "out/summary.txt"] {
        let status = fs::metadata(place.home().join("results").join(made)).expect("it was made");
        assert_eq!((status.uid(), status.gid()), (user, user), "{made}");
    }
    let home = fs::metadata(place.home()).expect("it was there before");
    assert_eq!(home.uid(), 0);
}

#[test]
fn a_folder_of_another_user_is_refused_with_the_way_out_before_anything_runs() {
    let test = "a_folder_of_another_user_is_refused_with_the_way_out_before_anything_runs";
    if !root_or_skip(test, "becoming another user") {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.home().join("theirs")).expect("a folder of root");
    let way_out = |folder: &str| {
        format!(
            "theirs belongs to user 0: take it with `sudo chown -R \"$USER\" theirs`, or name another \
             folder{folder}"
        )
    };
    let refused = [
        ("theirs/out", "the folder cannot be made"),
        ("theirs", "record.jsonl cannot be made in it"),
    ];
    for (out, what) in refused {
        let bench = ["bench", "--workload", "tiny.toml", "--dir", "files", "--out", out];
        let Some(mut bench) = as_user(test, &place, 3, &bench) else { return };
        let output = bench.stdin(Stdio::null()).output().expect("it runs");
        let denied = "Permission denied (os error 13)";
        assert_refused(&output, &format!("--out {out}: {what}: {denied}; {}", way_out("")));
        place.assert_dir_is_empty();
    }
}
